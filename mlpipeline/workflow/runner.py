"""A runner: the model that a workflow is, used from Python, from the shell and in the queue."""

from __future__ import annotations

import os
import shutil
from abc import ABC
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from mlpipeline.config_text import Fault
from mlpipeline.errors import ConfigurationError, MlpipelineError
from mlpipeline.model import ExecutionModeKeys, Model
from mlpipeline.versions import Version
from mlpipeline.workflow import document as documents
from mlpipeline.workflow import plan as plans
from mlpipeline.workflow import searched, steps
from mlpipeline.workflow import version_parameters as parameters
from mlpipeline.workflow.build import build
from mlpipeline.workflow.checks import Result
from mlpipeline.workflow.document import Document
from mlpipeline.workflow.middleware import Timings
from mlpipeline.workflow.numbers import metrics
from mlpipeline.workflow.part import Part, Shared, telling_end
from mlpipeline.workflow.planned import Plan
from mlpipeline.workflow.recorder import Results, StepRecorder
from mlpipeline.workflow.sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any, Self

    from mlpipeline.context import RunContext
    from mlpipeline.workflow.by_hand import Recording

_PLAN, _SHARED, _BUILT = "_plan", "_shared", "_built"
Configuration = str | os.PathLike[str] | Mapping[str, "Any"]


class Runner(Model, Part, ABC):
    """A model that is made of pipelines and components, as its configuration says.

    `MyRunner(conf="dev.yaml")` verifies all of it, then builds the parts, which are its attributes. In the queue, each
    version is built with its own parameters.

    Args:
        conf: a workflow file, a mapping, or several of them: each lies over those before it. It is never changed.
        settings: `part.key=value`, as `--set` takes them.
        version: which of `versions:` to build; by default none of them: the configuration as it is.
        lazy: whether nothing is built before a part is used, or `build` is called.
        collect_checks: whether checks that fail are only kept, in `check_results`.
        sources: where files are read; by default the project that the first file lies in.

    Raises:
        ConfigurationError: with everything that is wrong, each with file and line.

    Attributes:
        has_told_metrics: whether the log has shown a person all metrics that `main` returned.
    """

    _is_framework = True
    has_told_metrics: bool = False
    goes_on_by: str | None = "goes on at the step that was interrupted, as far as results of steps can be kept"

    def __init__(
        self,
        conf: Configuration | Sequence[Configuration] | Document | None = None,
        *,
        settings: Iterable[str] = (),
        version: str | None = None,
        lazy: bool = False,
        collect_checks: bool = False,
        sources: Sources | None = None,
    ) -> None:
        if not isinstance(conf, Document):
            conf = documents.load(conf, settings=settings, sources=sources)
        self._document: Document = conf
        self._collect_checks = collect_checks
        self.reset_steps = True
        self.last_run: RunContext | None = None
        self.versions = parameters.versions(self._document)
        self._version = None if version is None else self.versions[version]
        self._replan()
        if not lazy:
            self.build()

    @property
    def current_version(self) -> Version | None:
        """The version that the workflow is planned with."""
        return self._version

    @current_version.setter
    def current_version(self, version: Version | None) -> None:
        self._version = version
        self._replan()
        if version is not None:  # it is about to be trained
            self.build()

    def _replan(self) -> None:
        overrides = () if self._version is None else parameters.overrides(self._document, self._version)
        settings = [(address.split("__"), node) for address, node in overrides]
        plan = plans.plan(self._document, type(self), overrides=settings)
        for name in self.__dict__.pop(_BUILT, ()):
            self.__dict__.pop(name, None)
        self.__dict__.pop(_SHARED, None)
        self.__dict__[_PLAN] = plan

    def verify_versions(self) -> None:
        """Plans every version.

        Raises:
            ConfigurationError: with everything that is wrong in any of them.
        """
        faults: list[Fault] = []
        for version in (*self.versions, *searched.samples(self.versions)):
            settings = [(address.split("__"), node) for address, node in parameters.overrides(self._document, version)]
            try:
                plans.plan(self._document, type(self), overrides=settings)
            except ConfigurationError as error:
                faults += [fault for fault in error.faults if fault not in faults]
        if faults:
            raise ConfigurationError(faults=faults)

    @property
    def document(self) -> Document:
        """What is configured."""
        return self._document

    @property
    def plan(self) -> Plan:
        """What is built, or will be."""
        plan: Plan = self.__dict__[_PLAN]
        return plan

    def build(self) -> Self:
        """Builds all parts, where that has not happened yet, and returns the runner."""
        if _SHARED not in self.__dict__:
            before = set(self.__dict__)
            self.__dict__[_SHARED] = None  # what is built may look at the runner, which must not build again
            try:
                self.__dict__[_SHARED] = build(self.plan, self, collect=self._collect_checks)
            except BaseException:  # after Ctrl-C too, half of it must not look like all
                for name in set(self.__dict__) - before:
                    del self.__dict__[name]
                raise
            self.__dict__[_BUILT] = tuple(set(self.__dict__) - before - {_SHARED})
        return self

    def __getattr__(self, name: str) -> Any:
        """Builds the workflow when one of its parts is asked for."""
        plan: Plan | None = self.__dict__.get(_PLAN)
        is_planned = plan is not None and (name in plan.root.needs or name in plan.root.values)
        if is_planned and _SHARED not in self.__dict__:
            return getattr(self.build(), name)
        return Part.__getattr__(self, name)

    @property
    def _workshop(self) -> Shared:
        self.build()
        shared: Shared = self.__dict__[_SHARED]
        return shared

    @property
    def timings(self) -> Timings:
        """How often each method was called, and how long that took."""
        return self._workshop.timings

    @property
    def check_results(self) -> list[Result]:
        """How each check ended; those whose method was not called are skipped."""
        return self._workshop.checks.complete(self.plan.checks)

    @property
    def _if_built(self) -> Shared | None:
        """What its parts share; None before they are built."""
        return self.__dict__.get(_SHARED)

    @property
    def failed_checks(self) -> list[Result]:
        """The checks of this run that were only collected, and failed."""
        return [] if self._if_built is None else [each for each in self._if_built.checks.of_this_run(()) if each.is_bad]

    def recording(self) -> AbstractContextManager[Recording]:
        """Records what the body does as one run of the project: directory, output, metrics, how it ended.

        `main`, called by hand, does this by itself, and so does `mlpipeline run workflow`. Where there is no project,
        or this is in a run already, nothing more is recorded. Afterwards `last_run` has the run's id and directory::

            with runner.recording() as record:
                data = runner.process_data()
                record.returned = runner.train_model(data)

        Raises:
            NotWritable: the project's outputs cannot be written.
        """
        from mlpipeline.workflow.by_hand import recording

        return recording(self)

    def main(self) -> Any:
        """Runs the workflow; what it returns that is a number, or a mapping of names to numbers, becomes metrics.

        By default the runner's own steps, where `runner:` is a list, else `main` of each pipeline in the order of the
        file; then the results are returned by the pipelines' names.
        """
        self.build()
        if self.plan.root.steps is not None:
            return steps.run(self, {})
        pipelines = {part.address[-1]: getattr(self, part.address[-1]) for part in self.plan.root.parts()}
        pipelines = {name: part for name, part in pipelines.items() if not _is_component(self.plan, name)}
        without = [name for name, part in pipelines.items() if not callable(getattr(type(part), "main", None))]
        if without or not pipelines:
            told = f"{', '.join(without)} without main" if without else "no pipelines"
            hint = "define main(self) in the runner's class, give `runner:` a list of steps, or name another method"
            raise MlpipelineError(f"{type(self).__name__} has {told}: {hint}")
        return {name: part.main() for name, part in pipelines.items()}

    def train_model(self, input_fn: Any = None, steps: int = 1) -> Any:
        """Runs the workflow, in the queue behind the steps that an interrupted attempt has done already."""
        if self.run.run_id is not None and self.run.model_dir is not None:
            self._clear_records(self.run.run_id)
            self.keep_steps(self._records / self.run.run_id)
        with telling_end(lambda: self._workshop):
            found = metrics(self.main())
        return found if found is None or isinstance(found, dict) else {"value": found}

    def keep_steps(self, directory: Path) -> Self:
        """Keeps the result of each step in a directory, and from now on repeats none whose result is there."""
        shared = self._workshop
        shared.recorder = StepRecorder(Results(directory, shared.parts), self.plan.sources)
        return self

    def post_execution_hook(
        self, version: Version, model_dir: str, exec_mode: ExecutionModeKeys = ExecutionModeKeys.TEST
    ) -> None:
        """Removes the records of steps: the run is complete."""
        if self.run.model_dir is not None:
            self._clear_records(None)

    @property
    def _records(self) -> Path:
        return Path(self.run.model_dir or "") / "steps"

    def _clear_records(self, current: str | None) -> None:
        """Removes the records of other runs: what they did is done again."""
        for each in self._records.iterdir() if self._records.is_dir() else ():
            if each.name != current:
                shutil.rmtree(each)

    def step(self, part: Part, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Calls a function as a step of a pipeline that has no such method: what it returned is kept, as theirs are.

        Args:
            part: the pipeline; its state and configuration tell one call from another, besides the arguments.
            name: of the step.
        """
        return self._workshop.recorder.around(part, name, function, args, {})

    def steps_for(self, version: Version, loader: Any) -> int:
        """Returns 1: a workflow is one step of training, whatever its version's parameters are called."""
        return 1


def load(
    conf: Configuration | Sequence[Configuration] | Document,
    *,
    settings: Iterable[str] = (),
    default: type[Runner] = Runner,
    **options: Any,
) -> Runner:
    """Makes the runner that a workflow file names; `Runner` itself where it names none.

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    found = (
        conf if isinstance(conf, Document) else documents.load(conf, settings=settings, sources=options.get("sources"))
    )
    kind: Callable[..., Any] = plans.runner_class(found, default, Runner)
    made: Runner = kind(found, **options)
    return made


def _is_component(plan: Plan, name: str) -> bool:
    child = plan.root.children[name]
    return child is None or child.level.name == "component"
