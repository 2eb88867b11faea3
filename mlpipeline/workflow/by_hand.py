"""A workflow that is run by hand, in a project, is a run of its history, as one in the queue is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from mlpipeline import params, wire
from mlpipeline.errors import CheckFailed, NotWritable
from mlpipeline.execution import by_hand, by_hand_sources, failure, snapshot
from mlpipeline.execution.tee import Copy, copied
from mlpipeline.workflow import secrets
from mlpipeline.workflow.middleware import hide
from mlpipeline.workflow.numbers import metrics
from mlpipeline.workflow.part import tell_end, telling_end
from mlpipeline.workflow.planned import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.context import RunContext
    from mlpipeline.project import Project
    from mlpipeline.workflow.checks import Result
    from mlpipeline.workflow.runner import Runner


@dataclass(slots=True, kw_only=True)
class Recording:
    """A run by hand that goes on.

    Attributes:
        run: what the workflow may ask of the system; None where nothing is recorded, or a run around this one does it.
        returned: give it what the workflow returned; what of it are numbers become the run's metrics.
    """

    run: RunContext | None = None
    returned: Any = None


@contextmanager
def recording(runner: Runner) -> Iterator[Recording]:
    """Records what the body does with a runner as a run of its project; see `Runner.recording`."""
    if runner.run.run_id is not None:  # it is within a run: who began that tells how it ends
        yield Recording()
        return
    if runner._if_built is not None:
        runner._if_built.checks.begin_run()
    project = by_hand.project_here(runner.plan.sources.root)
    if project is None:
        with telling_end(lambda: runner._if_built):
            yield Recording()
        return
    record = begin(runner, project)
    output = _output(record, project)
    former, runner.run = runner.run, record.run
    runner.last_run = record.run
    found = Recording(run=record.run)
    failed: CheckFailed | None = None
    try:
        with by_hand.enclosing(record.run_id), copied(output):
            try:
                yield found
            except BaseException as error:
                hide(error, runner.plan.hidden)
                output.write(secrets.clean(failure.story(error), runner.plan.hidden))
                tell_end(runner._if_built, error)
                raise
            failed = _failure(runner.failed_checks, runner.plan.hidden)
            tell_end(runner._if_built, failed)
    except BaseException as error:
        record.fail(error)
        raise
    else:
        if failed is not None:
            record.fail(failed)
        else:
            record.succeed(_by_part(found.returned), (runner.summery or "", ""), [])
    finally:
        runner.run = former


def _failure(failed: Sequence[Result], hidden: frozenset[str]) -> CheckFailed | None:
    """Returns what checks that were only collected make of a run; None where all is well."""
    told = "; ".join(f"{each.check.name} {each.check.moment} {each.check.target}: {each.message}" for each in failed)
    return CheckFailed(secrets.clean(f"checks that failed: {told}", hidden)) if failed else None


def _by_part(returned: Any) -> dict[str, dict[str, float]]:
    numbers = metrics(returned)
    values = numbers if isinstance(numbers, dict) else {} if numbers is None else {"value": numbers}
    return {"training": {name: float(value) for name, value in values.items()}} if values else {}


def _output(record: by_hand.RecordedFit, project: Project) -> Copy:
    try:
        return Copy(record.place / wire.OUTPUT, project.settings.output_limit)
    except OSError as error:
        raise NotWritable(f"{record.place}: cannot be written ({error.strerror}): mend its permissions") from error


def begin(runner: Runner, project: Project) -> by_hand.RecordedFit:
    """Writes the directory of a run by hand, as it begins.

    Raises:
        NotWritable: the project's outputs cannot be written.
    """
    main, files = _sources(runner, project)
    version = runner.current_version
    name = by_hand.VERSION if version is None else str(version.name)
    told = described(runner.plan)
    return by_hand.RecordedFit(project, _name(runner, project), (main, files), told, version=name, model_dir=True)


def described(plan: Plan) -> dict[str, Any]:
    """Returns every value of a plan by its address, as versions have it; secrets are stars."""
    found = {}
    for part in plan.root.walk():
        for key, each in part.values.items():
            for path, value, _ in each.leaves():
                found["__".join((*part.address, key, *path))] = params.describe(value)
    return found


def files_of(runner: Runner) -> tuple[str, ...]:
    """Returns the workflow's files, as they are called from the project's directory."""
    return runner._document.files


def _name(runner: Runner, project: Project) -> str:
    """Returns what the queue would call it: the file below the models' directory; else the runner's class, or file."""
    paths = [project.root / name for name in files_of(runner)]
    listed = [each for each in paths if each.is_relative_to(project.models_dir)]
    if listed:
        return listed[0].relative_to(project.models_dir).as_posix()
    kind = type(runner)
    return project.relative(paths[0]) if kind.__module__.startswith("mlpipeline.") and paths else kind.__name__


def _sources(runner: Runner, project: Project) -> tuple[str, dict[str, bytes]]:
    """Returns the workflow's files, with those that define its classes and all that these import of the project."""
    files = {name: runner.plan.sources.read(project.root / name) for name in files_of(runner)}
    kinds = [part.kind for part in runner.plan.root.walk() if part.kind is not None]
    text = ""
    for kind in dict.fromkeys((type(runner), *kinds)):
        path = by_hand_sources.file_of(kind)
        if path is None:
            text += by_hand_sources.text_of(kind)
        elif path.is_relative_to(project.root) and "site-packages" not in path.parts:
            place = snapshot.Place(root=project.root, models_dir=project.models_dir, main=path)
            files |= snapshot.closure(place)
    if text or not files:
        files["by_hand.py"] = text.encode("utf-8", "backslashreplace")
    return next(iter(files)), files
