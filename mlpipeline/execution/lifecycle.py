"""The order in which a model's hooks are called, and what they return becomes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from mlpipeline.errors import ModelDirError, ModelFault
from mlpipeline.execution import failure, model_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from mlpipeline.context import RunContext
    from mlpipeline.model import Model
    from mlpipeline.versions import Version

_ANY_KEYWORD = 8  # inspect.CO_VARKEYWORDS, without its import


class Report:
    """What the worker writes about one attempt; becomes `result.json`."""

    def __init__(self) -> None:
        self.state = "succeeded"
        self.cause = "none"
        self.message = ""
        self.error: dict[str, Any] | None = None
        self.metrics: dict[str, Any] = {}
        self.evaluation_errors: dict[str, str] = {}
        self.model_summary = ""
        self.loader_summary = ""
        self.model_dir_action = ""
        self.steps: int | None = None
        self.steps_taken: int | None = None
        self.checkpoint_step: int | None = None
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def fail(self, error: BaseException, root: Path) -> None:
        """Records what was raised."""
        told = failure.describe(error, root)
        self.state, self.cause, self.message, self.error = "failed", told["cause"], told["message"], told["error"]

    def to_json(self) -> dict[str, Any]:
        """Returns the fields by name."""
        return dict(vars(self))


def call(function: Callable[..., Any], *arguments: Any, **optional: Any) -> Any:
    """Calls a user's hook with those optional keywords that its signature takes."""
    names = _keywords(function)
    return function(*arguments, **{key: value for key, value in optional.items() if names is None or key in names})


def _keywords(function: Callable[..., Any]) -> Collection[str] | None:
    """Returns the keywords that a function takes, None where it takes any."""
    plain = getattr(function, "__func__", function)
    code: CodeType | None = getattr(plain, "__code__", None)
    if code is not None and not vars(plain):  # a decorator says in there what it stands for
        if code.co_flags & _ANY_KEYWORD:
            return None
        return code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount]
    import inspect

    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return None
    return {each.name for each in parameters if each.kind is not each.POSITIONAL_ONLY}


def run(model: Model, directory: Path, spec: dict[str, Any], report: Report) -> None:
    """Trains and evaluates one version. What the user's code raises goes through, with the report filled so far."""
    testing = spec["mode"] == "test"
    root = Path.cwd()
    model_dir = root / spec["model_dir"]
    if testing:
        model_directory.clear(model_dir)
    report.model_dir_action = model_directory.prepare(model, model_dir, spec)
    if not model_dir.is_dir():
        raise ModelDirError(f"{model_dir}: clean_model_dir removed it: remove what lies in it, not the directory")
    life = _Life(model, spec, directory, model_dir, report)
    life.begin()
    try:
        life.train()
        if report.state == "succeeded":
            life.evaluate()
            life.finish()
            if spec.get("trial"):
                life.weigh()
        if testing:
            life.prove_checkpoint()
    finally:
        life.collect()


class _Life:
    context: RunContext
    mode: Any
    loader: Any
    version: Version

    def __init__(self, model: Model, spec: dict[str, Any], directory: Path, model_dir: Path, report: Report) -> None:
        self.model = model
        self.spec = spec
        self.directory = directory
        self.model_dir = model_dir
        self.report = report
        self.trained = 0

    @property
    def testing(self) -> bool:
        return bool(self.spec["mode"] == "test")

    def begin(self) -> None:
        from mlpipeline.context import RunContext
        from mlpipeline.model import ExecutionModeKeys
        from mlpipeline.rehearsal import Rehearsal

        spec = self.spec
        self.mode = ExecutionModeKeys.TEST if self.testing else ExecutionModeKeys.TRAIN
        self.version = version = self._version().changed(spec.get("changes") or {})
        self.loader = version.get("dataloader")
        self.context = RunContext(
            model=spec["model"],
            version=spec["version"],
            mode=self.mode,
            directory=self.directory,
            model_dir=self.model_dir,
            seed=spec["seed"],
            replicate=spec["replicate"],
            attempt=spec["attempt"],
            run_id=spec["run_id"],
            params=version,
            nan_guard=bool(spec.get("nan_guard")),
            drill=Rehearsal(**spec["drill"]) if spec.get("drill") else None,
        )
        self.model.run = self.context
        self.model.current_version = version
        call(self.model.pre_execution_hook, version, str(self.model_dir), exec_mode=self.mode)

    def _version(self) -> Version:
        name, trial = self.spec["version"], self.spec.get("trial")
        if not trial:
            return self.model.versions.getVersion(name)
        if "version" in trial:  # of a search of the command line, which the script knows nothing of
            return self.model.versions.getVersion(trial["version"]).changed({"name": name, **trial["values"]})
        return self.model.versions.trial(name, trial["drawn"])

    def train(self) -> None:
        steps = self._steps()
        if steps == 0:
            self.report.notes.append("nothing left to train: evaluated only")
            return
        source = None if self.loader is None else call(self.loader.get_train_input, mode=self.mode)
        returned = self.model.train_model(source, steps)
        self.trained = steps
        self.context.close()
        if self.context.yielded:
            self.report.state = "yielded"
            self.report.message = f"made room after a checkpoint at step {self.context.checkpoint_step}"
        elif self.context.stop_reason == "stop":
            self.report.state, self.report.cause = "cancelled", "cancelled"
            self.report.message = f"stopped on request at step {self.context.step}"
        else:
            if self.context.pruned:
                self.report.cause, self.report.message = "pruned", f"pruned at step {self.context.step}"
            if isinstance(returned, Mapping):
                self._take("training", returned)
        if returned is not None:
            self.context.log.info("training returned: %s", returned)

    def _steps(self) -> int:
        """Steps to train: all that epochs, samples and batch size give, less those trained already."""
        if self.testing:
            return 1
        total = self.model.steps_for(self.version, self.loader)
        if self.context.drill is not None:
            total = min(total, self.context.drill.max_steps)
        if self.model.reset_steps:
            return total
        done = self.model.get_trained_step_count() or 0
        return max(0, total - int(done))

    def evaluate(self) -> None:
        if self.loader is None:
            self._evaluate("train", lambda: None, lambda: 1)
            return
        from mlpipeline.model import ExecutionModeKeys

        loader = self.loader
        inputs = [
            (
                "train",
                lambda: call(loader.get_train_input, mode=ExecutionModeKeys.TEST),
                loader.get_train_sample_count,
            ),
            ("test", lambda: call(loader.get_test_input), loader.get_test_sample_count),
        ]
        # A loader that tells rows to select by from those to report on, as those of EstimatorModels do.
        given, counted = (getattr(loader, f"get_validation_{name}", None) for name in ("input", "sample_count"))
        if given is not None and counted is not None and counted():
            inputs.insert(1, ("validation", lambda: call(given), counted))
        errors = []
        for name, source, count in inputs:
            try:
                self._evaluate(name, source, count)
            except Exception as error:  # one input's failure must not hide the other's result
                self.report.evaluation_errors[name] = f"{type(error).__name__}: {error}"
                failure.show(error)
                errors.append(error)
        if errors:
            raise errors[0]

    def _evaluate(self, name: str, source: Callable[[], Any], count: Callable[[], Any]) -> None:
        steps = 1 if self.testing else self._samples(name, count())
        returned = self.model.evaluate_model(source(), steps)
        if returned is not None:
            self._take(name, returned)
            self.context.log.info("%s: %s", name, self.report.metrics.get(name))

    def _samples(self, name: str, count: Any) -> int:
        if isinstance(count, bool) or not isinstance(count, int) or count <= 0:
            call_name = f"get_{name}_sample_count()"
            raise ModelFault(f"{type(self.loader).__name__}.{call_name} returned {count!r}: it must be 1 or more")
        return count

    def _take(self, name: str, returned: Any) -> None:
        """Turns what a hook returned into metrics: a number, a mapping, or a MetricContainer."""
        from mlpipeline.metrics import MetricContainer

        if isinstance(returned, MetricContainer):
            returned = returned.to_dict()
        if not isinstance(returned, Mapping):
            returned = {"value": returned}
        self.report.metrics[name] = {str(key): _plain(value) for key, value in returned.items()}

    def weigh(self) -> None:
        """Notes what a trial is compared by."""
        from mlpipeline import searches
        from mlpipeline.execution import trial

        metric = self.spec["trial"]["metric"]
        self.context.flush()
        value, known = trial.value(self.directory, metric, self.report.metrics)
        if value is None:
            told = f"it has {', '.join(known)}" if known else "it has none"
            self.report.warnings.append(f"the search compares by '{metric}', which this run does not have: {told}")
        else:
            self.report.metrics[searches.GROUP] = {metric: _plain(value)}

    def finish(self) -> None:
        call(self.model.post_execution_hook, self.model.current_version, str(self.model_dir), exec_mode=self.mode)

    def prove_checkpoint(self) -> None:
        """In test mode: trains one more step from the checkpoint, so that loading it is tried as well."""
        if self.context.checkpoint_step is None:
            own = "makes no checkpoint (run.checkpoint): interrupted, it begins again, unless it keeps its own"
            self.report.notes.append(self.model.goes_on_by or own)
            return
        self.begin()
        source = None if self.loader is None else call(self.loader.get_train_input, mode=self.mode)
        self.model.train_model(source, 1)
        self.report.notes.append(f"checkpoint saved and loaded again at step {self.context.checkpoint_step}")

    def collect(self) -> None:
        self.context.close()
        self.report.warnings += self.context.notices
        self.report.steps = self.context.step or self.trained
        self.report.steps_taken = None if self.context.drill is None else self.context.drill.taken
        self.report.checkpoint_step = self.context.checkpoint_step
        self.report.model_summary = str(self.model.summery or "")
        summary = None if self.loader is None else call(self.loader.get_dataloader_summery)
        self.report.loader_summary = str(summary or "")


def _plain(value: Any) -> Any:
    """Returns a number as JSON knows it; what is no number as text."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return number if number == number and abs(number) != float("inf") else str(number)
