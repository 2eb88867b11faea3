"""What components, pipelines and runners share: a place in a workflow, its configuration, and what it may ask of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from mlpipeline import console

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path
    from typing import Any, TypeVar

    from mlpipeline.context import RunContext
    from mlpipeline.workflow.checks import CheckLog
    from mlpipeline.workflow.middleware import Timings
    from mlpipeline.workflow.recorder import Recorder
    from mlpipeline.workflow.resolve import Config
    from mlpipeline.workflow.steps import Step

    F = TypeVar("F", bound=Callable[..., Any])

WIRING = "_wiring"
_SIDE_EFFECTS = "_has_side_effects"


@dataclass(slots=True, kw_only=True, eq=False)
class Shared:
    """What all parts of one workflow share.

    Attributes:
        directory: the project's; None looks for it from the working directory upwards.
        hidden: every text of the configuration that must not be shown.
    """

    root: Part
    parts: dict[tuple[str, ...], Part]
    recorder: Recorder
    checks: CheckLog
    timings: Timings
    directory: Path | None = None
    hidden: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True, eq=False)
class Wiring:
    """How a part stands in its workflow.

    Attributes:
        address: its names from the runner down, e.g. `("train", "model_trainer")`.
        values: its keys of the configuration.
        given: names of the attributes that the workflow has set: they are no state of the part's own.
        uses: the parts that it declares or needs.
        steps: of a pipeline without code.
    """

    address: tuple[str, ...]
    config: Config
    values: Mapping[str, Any]
    parent: Part | None
    shared: Shared
    given: frozenset[str] = frozenset()
    uses: tuple[Part, ...] = ()
    steps: tuple[Step, ...] | None = None
    inputs: tuple[str, ...] = ()


class Part:
    """A part of a workflow: made from configuration, or by hand as any Python object.

    What a subclass needs is told by its body and its constructor. An annotation that names a kind of part
    (`model_trainer: ModelTrainer`) is a part that must be there, `ModelTrainer | None` one that may; every other
    annotation, and every argument of the constructor, is a key of the configuration, required where it has no default.
    All of them are set before the constructor runs.
    """

    _is_framework = True
    WRITES: ClassVar[frozenset[str]] = frozenset(("local_dir",))
    """Keys that name what is written. What lies there already does not tell one call from another."""

    def __getattr__(self, name: str) -> Any:
        """Says why something is missing; called for what is found nowhere else."""
        if name.startswith("__"):
            raise AttributeError(name)
        hint = f": to have a part of the workflow, annotate it: `{name}: ItsType`" if WIRING in self.__dict__ else ""
        raise AttributeError(f"{type(self).__name__} has no {name!r}{hint}")

    @property
    def address(self) -> str:
        """Where it stands in its workflow, `train.model_trainer`; empty for a runner, and for what was made by hand."""
        wiring: Wiring | None = self.__dict__.get(WIRING)
        return "" if wiring is None else ".".join(wiring.address)

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration as this part sees it: its own, its parents', the environment's, defaults."""
        wiring: Wiring | None = self.__dict__.get(WIRING)
        return {} if wiring is None else wiring.config

    @property
    def parent(self) -> Part | None:
        """The part that it was declared in."""
        wiring: Wiring | None = self.__dict__.get(WIRING)
        return None if wiring is None else wiring.parent

    @property
    def run(self) -> RunContext:
        """What it may ask of the system; outside the queue it writes nothing."""
        wiring: Wiring | None = self.__dict__.get(WIRING)
        if wiring is not None and wiring.shared.root is not self:
            return wiring.shared.root.run
        from mlpipeline.context import RunContext

        return RunContext.detached()

    def _run_ended(self, error: BaseException | None) -> None:
        """Takes note that the run which it was part of has come to its end, or to nothing; called in either case."""

    def log(self, message: object, log_to_file: bool = False, **options: Any) -> None:
        """Logs a message; see `mlpipeline.model.Model.log`."""
        console.log_said(message, log_to_file, options)

    @classmethod
    def known_names(cls, key: str) -> Collection[str] | None:
        """Returns the names that a key's value may hold; None where any will do.

        A mapping's keys, a list's texts and a single text are checked against it before anything runs: so that a
        hyper-parameter nobody knows, or a metric, is a fault of the configuration.
        """
        return None

    @classmethod
    def default_parts(cls, config: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns which class stands for a part that the class needs, where the configuration declares none.

        A part that it declares further out, or leaves out with `none`, comes first. Such a part is found by name like
        one of the configuration, has its section there, and belongs to the part whose class asks for it.

        Args:
            config: as the part will see it, to choose by.
        """
        return {}

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns what is wrong with the configuration by key, where one key says what another may hold.

        Args:
            values: of all keys that the class reads, as they stand in the file.
        """
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Returns what the part has come to be: nothing that the workflow gave it."""
        wiring: Wiring | None = self.__dict__.get(WIRING)
        given = frozenset() if wiring is None else wiring.given
        return {key: value for key, value in self.__dict__.items() if key != WIRING and key not in given}


@contextmanager
def telling_end(shared: Callable[[], Shared | None]) -> Iterator[None]:
    """Tells all parts of a workflow, which the body may build first, how what the body does ended."""
    try:
        yield
    except BaseException as error:
        tell_end(shared(), error)
        raise
    tell_end(shared(), None)


def tell_end(shared: Shared | None, error: BaseException | None) -> None:
    """Tells all parts of a workflow how its run ended. What they raise changes nothing of that, and is logged."""
    for part in () if shared is None else shared.parts.values():
        try:
            part._run_ended(error)
        except Exception as trouble:  # a stranger's part may raise anything, and the run's own end counts
            told = f"{part.address} could not note how the run ended: {type(trouble).__name__}: {trouble}"
            console.log(told, logging.WARNING)


def side_effects(method: F) -> F:
    """Declares that a method does something outside (writes a file, sends a mail): its result is never cached."""
    method.__dict__[_SIDE_EFFECTS] = True
    return method


def has_side_effects(method: object) -> bool:
    """Whether a method was declared to do something outside."""
    return bool(getattr(method, _SIDE_EFFECTS, False))
