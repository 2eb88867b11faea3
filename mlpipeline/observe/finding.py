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

_LOOKED_AT = 2000
"""How many of the newest runs are looked at for a name that is nearly right."""
_SHOWN = 10


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
            raise RunNotFound(unknown(project, ledger, reference)) from error
        return found, found.last
    if number is None:
        return run, run.last
    attempt = next((each for each in run.attempts if each.number == number), None)
    if attempt is None:
        count = len(run.attempts)
        raise RunNotFound(f"run {run.id} has no attempt {number}: it has {count}; see mlpipeline show {run.id}")
    return run, attempt


def unknown(project: Project, ledger: Ledger, reference: str) -> str:
    """Says that nothing has run which is called like this, and what may have been meant."""
    from mlpipeline.config_text import near_miss

    model, _, version = reference.partition(":")
    names = model_names(project, model)
    runs = ledger.runs(limit=_LOOKED_AT)
    if versions := list(dict.fromkeys(run.version for run in runs if run.model in names)):
        near = near_miss(version, versions)
        return f"no run of {model} has the version '{version}'.{near} There are runs of: {', '.join(versions[:_SHOWN])}"
    found = next((name for name in names if (project.models_dir / name).is_file()), None)
    if found is not None:
        return f"{found} has not run yet, as far as is recorded: mlpipeline plan {found} says when it does"
    return f"'{reference}' is no run, and no model that has run.{nearest(ledger, reference)} See mlpipeline history"


def nearest(ledger: Ledger, reference: str) -> str:
    """Returns ` Did you mean 'x'?` where a model that has run is called nearly so, or a run, else nothing."""
    from mlpipeline.config_text import near_miss

    runs = ledger.runs(limit=_LOOKED_AT)
    models = dict.fromkeys(run.model for run in runs)
    return near_miss(reference.partition(":")[0], models) or near_miss(reference, [run.id for run in runs])


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
