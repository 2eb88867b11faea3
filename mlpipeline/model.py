"""What can be trained: the Model that a script exposes, and the DataLoader that feeds it."""

from __future__ import annotations

import math
from enum import StrEnum

from mlpipeline.console import log_said
from mlpipeline.context import ExecutionModeKeys, RunContext
from mlpipeline.errors import ModelFault, VersionsError
from mlpipeline.versions import Version, Versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

__all__ = ["DataLoader", "Dataloader", "ExecutionModeKeys", "ModeKeys", "Model"]


class ModeKeys(StrEnum):
    """What a model is asked to do, as published scripts name it.

    Attributes:
        TRAIN: to learn.
        PREDICT: to predict.
        EVALUATE: to be measured.
    """

    TRAIN = "Train"
    PREDICT = "Predict"
    EVALUATE = "Evaluate"


class _Telling:
    """What Model and DataLoader share: a summary for the output, and messages to the log.

    The state is the class's until something is added, so that all works in subclasses that never call a constructor
    of this module.
    """

    summery: str | None = None

    @property
    def summary(self) -> str | None:
        """The text that the output block shows; the published spelling is `summery`."""
        return self.summery

    @summary.setter
    def summary(self, text: str | None) -> None:
        self.summery = text

    def add_to_summery(self, content: object) -> None:
        """Adds a line to what the output block shows."""
        self.summery = f"{self.summery or ''}{content}\n"

    def add_to_summary(self, content: object) -> None:
        """Adds a line to what the output block shows."""
        self.add_to_summery(content)

    def log(self, message: object, log_to_file: bool = False, **options: Any) -> None:
        """Logs a message; it reaches the host's log too where `log_to_file`.

        Args:
            message: anything that prints.
            log_to_file: whether the host's log gets it, beside the run's own output.
            options: `level`, `modifier_1`, `modifier_2` as in `mlpipeline.utils.log`; others are ignored.
        """
        log_said(message, log_to_file, options)


class DataLoader(_Telling):
    """What feeds a model: train input, test input, sample counts.

    A subclass defines the four `get_…` methods. What it was constructed with describes it, for the fingerprint.
    """

    _constructed_with: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Remembers the arguments here, since subclasses do not always call the parent's constructor."""
        make = super().__new__
        instance = make(cls) if make is object.__new__ else make(cls, *args, **kwargs)
        object.__setattr__(instance, "_constructed_with", (args, kwargs))
        return instance

    def __init__(self, **kwargs: Any) -> None:
        """Takes any keyword, and keeps none."""

    def get_train_input(self, mode: ExecutionModeKeys = ExecutionModeKeys.TRAIN, **kwargs: Any) -> Any:
        """Returns what `train_model` gets; with mode TEST, what `evaluate_model` gets for the train input."""
        raise self._undefined("get_train_input(self, mode, **kwargs)")

    def get_test_input(self, **kwargs: Any) -> Any:
        """Returns what `evaluate_model` gets for the test input."""
        raise self._undefined("get_test_input(self, **kwargs)")

    def get_train_sample_count(self) -> int:
        """Returns the number of samples in the train input; steps follow from it."""
        raise self._undefined("get_train_sample_count(self)")

    def get_test_sample_count(self) -> int:
        """Returns the number of samples in the test input."""
        raise self._undefined("get_test_sample_count(self)")

    def get_dataloader_summery(self, **kwargs: Any) -> str:
        """Returns what the output block says of the loader."""
        return self.summery or ""

    def _undefined(self, signature: str) -> ModelFault:
        return ModelFault(f"{type(self).__name__} has no {signature.partition('(')[0]}: define {signature} in it")


Dataloader = DataLoader


class Model(_Telling):
    """A thing that can be trained, in versions. A script exposes an instance as the global `MODEL`.

    A subclass defines `train_model`; every other hook is optional. In a run, `self.run` is the RunContext and
    `self.current_version` the version; outside, `self.run` is one that writes nothing.

    Args:
        versions: the model's versions.
        allow_delete_model_dir: whether `clean_model_dir` may be called to make room for another fingerprint.
        reset_steps: train all steps each time, whatever was trained already.

    Raises:
        VersionsError: (a ValueError) versions is no Versions.

    Attributes:
        goes_on_by: what a kind of model that has no checkpoints says of how it is resumed, in test mode.
    """

    goes_on_by: str | None = None
    versions: Versions
    allow_delete_model_dir: bool = False
    reset_steps: bool = False
    current_version: Version | None = None
    _mlpipeline_run: RunContext | None = None
    _mlpipeline_name: str | None = None

    def __init__(self, versions: Versions, allow_delete_model_dir: bool = False, reset_steps: bool = False) -> None:
        self.versions = _checked(versions, type(self).__name__)
        self.allow_delete_model_dir = allow_delete_model_dir
        self.reset_steps = reset_steps

    @property
    def name(self) -> str:
        """The name: in a run that of its file in the models directory, else the class's."""
        return self._mlpipeline_name or self.run.model or type(self).__name__

    @name.setter
    def name(self, name: str) -> None:
        self._mlpipeline_name = name

    @property
    def run(self) -> RunContext:
        """What the model may ask of the system; outside the queue it writes nothing."""
        if self._mlpipeline_run is None:
            self._mlpipeline_run = RunContext.detached()
        return self._mlpipeline_run

    @run.setter
    def run(self, context: RunContext) -> None:
        self._mlpipeline_run = context

    def pre_execution_hook(
        self, version: Version, model_dir: str, exec_mode: ExecutionModeKeys = ExecutionModeKeys.TEST
    ) -> None:
        """Prepares the model for a version; called once, before training."""

    def train_model(self, input_fn: Any, steps: int) -> Any:
        """Trains for so many steps; what is returned is logged.

        Args:
            input_fn: what the loader's `get_train_input` returned.
            steps: those left to train, 1 in test mode.
        """
        raise ModelFault(f"{type(self).__name__} has no train_model: define train_model(self, input_fn, steps) in it")

    def evaluate_model(self, input_fn: Any, steps: int) -> Any:
        """Returns a number, a mapping of names to numbers, or a MetricContainer, which becomes metrics of the run."""
        return None

    def post_execution_hook(
        self, version: Version, model_dir: str, exec_mode: ExecutionModeKeys = ExecutionModeKeys.TEST
    ) -> None:
        """Finishes what the run made of a version; called once, after the evaluation."""

    def clean_model_dir(self, model_dir: str) -> None:
        """Removes what lies in the directory, to make room for another fingerprint; yours to define."""
        raise ModelFault(
            f"{type(self).__name__} allows its model directory to be cleaned, and has no clean_model_dir: "
            f"define clean_model_dir(self, model_dir), or leave allow_delete_model_dir out"
        )

    def get_current_version(self) -> Version:
        """Returns the version that is trained.

        Raises:
            ModelFault: none is, and none was set.
        """
        if self.current_version is None:
            raise ModelFault(f"{type(self).__name__} has no current version yet: set self.current_version first")
        return self.current_version

    def get_trained_step_count(self) -> int | None:
        """Returns how many steps the model in its directory has been trained for; by default the checkpoint's."""
        return self.run.checkpoint_step

    def steps_for(self, version: Version, loader: Any) -> int:
        """Returns all steps of a version: epochs times train samples by batch size, rounded up.

        A version that sets neither batch size nor epochs leaves steps to `train_model`: that is one call for one step,
        whatever was trained before.

        Raises:
            ModelFault: one of the numbers is missing, or not positive.
        """
        epochs, batch_size = version.epochs, version["batch_size"]
        if epochs is None and batch_size is None:
            return 1 if self.reset_steps else 1 + int(self.get_trained_step_count() or 0)
        where = f"version {version.name!r}"
        total = _positive(where, "epochs", epochs) * self._samples(where, loader)
        return math.ceil(round(total / _positive(where, "batch_size", batch_size), 9))

    def _samples(self, where: str, loader: Any) -> float:
        if loader is None:
            raise ModelFault(f"{where} has no dataloader, which epochs are counted by: Versions(dataloader=...)")
        return _positive(where, f"{type(loader).__name__}.get_train_sample_count()", loader.get_train_sample_count())


def _checked(versions: Any, whose: str) -> Versions:
    if isinstance(versions, Versions):
        return versions
    kind = type(versions).__name__
    raise VersionsError(f"{whose}: versions is a {kind}: pass a Versions, for example Versions().add('first')")


def _positive(where: str, what: str, number: Any) -> float:
    import numbers

    if number is None:
        raise ModelFault(f"{where} has no {what}: give one, e.g. Versions({what}=10)")
    if isinstance(number, bool) or not isinstance(number, numbers.Real) or not 0 < float(number) < math.inf:
        raise ModelFault(f"{where}: {what} is {number!r}: it must be a number above 0")
    return int(number) if isinstance(number, numbers.Integral) else float(number)
