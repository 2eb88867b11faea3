"""Finds what a person means: a project's scheduler, a run by its id, model or version, and what a run was made of."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlpipeline.observe.view import SchedulerLine

if TYPE_CHECKING:
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe.difference import Side
    from mlpipeline.project import Project
    from mlpipeline.run import Attempt, Run


def scheduler_line(project: Project) -> SchedulerLine:
    """Returns what the lock says of this host's scheduler. Changes no byte."""
    from mlpipeline.lock import holder

    held_by = holder(project)
    if held_by is None:
        return SchedulerLine(running=False, host=project.host)
    try:
        since = datetime.fromisoformat(held_by.since)
    except ValueError:  # it has not written its story yet
        since = None
    return SchedulerLine(running=True, pid=held_by.pid or None, host=held_by.host, since=since)


def model_names(project: Project, name: str) -> list[str]:
    """Returns the names that the ledger may have for what a person typed."""
    name = name.removeprefix("./")
    prefix = f"{project.relative(project.models_dir)}/"
    short = name.removeprefix(prefix)
    return list(dict.fromkeys([name, f"{name}.py", f"{name}.yaml", short, f"{short}.py", f"{short}.yaml"]))


def find_run(project: Project, ledger: Ledger, reference: str) -> tuple[Run, Attempt]:
    """Finds a run by a prefix of its id (`ID.2` names an attempt), or the newest run of `MODEL[:VERSION]`.

    Raises:
        RunNotFound: when nothing matches.
        AmbiguousRun: when several ids begin so.
    """
    from mlpipeline.errors import AmbiguousRun, RunNotFound, UsageError
    from mlpipeline.run import parse_reference

    try:
        run, number = ledger.run(reference), parse_reference(reference)[1]
    except AmbiguousRun:
        raise
    except UsageError as error:  # no id at all, or none that is known
        found = _newest(project, ledger, reference)
        if found is None:
            raise RunNotFound(f"'{reference}' is no run, and no model that has run: see mlpipeline history") from error
        return found, found.last
    if number is None:
        return run, run.last
    attempt = next((each for each in run.attempts if each.number == number), None)
    if attempt is None:
        count = len(run.attempts)
        raise RunNotFound(f"run {run.id} has no attempt {number}: it has {count}; see mlpipeline show {run.id}")
    return run, attempt


def _newest(project: Project, ledger: Ledger, reference: str) -> Run | None:
    model, _, version = reference.partition(":")
    for name in model_names(project, model):
        found = ledger.runs(model=name, version=version or None, limit=1)
        if found:
            return found[0]
    return None


def side_of(project: Project, run: Run, attempt: Attempt) -> Side:
    """Returns what a run was made of, as a comparison with another one wants it."""
    from mlpipeline import wire
    from mlpipeline.execution import snapshot
    from mlpipeline.observe.difference import Side

    environment = wire.read_json(project.root / attempt.directory / wire.ENVIRONMENT) or {}
    try:
        copy = snapshot.load(project.sources_dir / run.sources)
        return Side(run=run, attempt=attempt, environment=environment, sources=copy.read(), main=copy.main)
    except (OSError, ValueError, KeyError):  # gone, or damaged: the difference says that it cannot be told
        return Side(run=run, attempt=attempt, environment=environment, sources=None)
