"""Runs that keeping house leaves whole: each reason for it stands in the run's `keep.json`."""

from __future__ import annotations

from mlpipeline import wire
from mlpipeline.errors import RunNotFound
from mlpipeline.project import Project

FILE = "keep.json"
_UNREADABLE = "its keep.json cannot be read"


def pin(project: Project, run_id: str, reason: str) -> None:
    """Has a run kept whole for one more reason, durably.

    Raises:
        RunNotFound: the run has no directory.
    """
    path = project.runs_dir / run_id / FILE
    if not path.parent.is_dir():
        raise RunNotFound(f"run {run_id} has no directory in {project.relative(project.runs_dir)}: see mlpipeline fsck")
    wire.write_json(path, {"reasons": list(dict.fromkeys([*reasons(project, run_id), reason]))}, sync=True)


def unpin(project: Project, run_id: str, reason: str) -> None:
    """Takes one reason back; without any left, nothing holds the run any more."""
    path = project.runs_dir / run_id / FILE
    left = [each for each in reasons(project, run_id) if each != reason]
    if left:
        wire.write_json(path, {"reasons": left}, sync=True)
    else:
        path.unlink(missing_ok=True)


def reasons(project: Project, run_id: str) -> tuple[str, ...]:
    """Returns why a run is kept, nothing where it is not; a file that cannot be read is a reason too."""
    path = project.runs_dir / run_id / FILE
    if not path.exists():
        return ()
    found = (wire.read_json(path) or {}).get("reasons")
    return tuple(map(str, found)) if isinstance(found, list) and found else (_UNREADABLE,)


def pins(project: Project) -> dict[str, tuple[str, ...]]:
    """Returns the runs that are kept whole, and why."""
    found = {path.parent.name: reasons(project, path.parent.name) for path in project.runs_dir.glob(f"*/{FILE}")}
    return {run_id: why for run_id, why in found.items() if why}
