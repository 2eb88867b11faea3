"""What `plan --log` and `plan --undo` do: the accepted revisions of the models config, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpipeline.cli.setup import Setup, say, scheduler_line

if TYPE_CHECKING:
    from mlpipeline.project import Project
    from mlpipeline.queue.revisions import Change, Revision

_UNCHANGED = "the same models, in the same order, with the same options"


def show_log(setup: Setup, count: int) -> None:
    """Lists accepted revisions, newest first, with what each changed."""
    from mlpipeline.queue import revisions

    project = setup.project()
    changes = revisions.history(project, count)
    is_edited = bool(changes) and _is_edited(project, changes[0].revision)
    if setup.json:
        told = [_json(project, each) for each in changes]
        setup.emit({"format": 1, "edited_since": is_edited, "revisions": told})
        return
    name = project.models_config.name
    if not changes:
        say(f"No revision of {name} is kept yet: the queue keeps each that it accepts.")
    if is_edited:
        say(f"{name} has been edited since the newest of these.")
    for each in changes:
        back = f"  back to {each.revision.origin}" if each.revision.restores else ""
        say(f"{_when(each.revision)}  {each.revision.digest}{back}")
        for line in each.differences or (_UNCHANGED if each.before else "the first that is kept",):
            say(f"    {line}")


def undo(setup: Setup, *, dry_run: bool) -> None:
    """Brings the former revision back, or only says what that would change."""
    from mlpipeline.queue import revisions

    project = setup.project()
    change = revisions.undo(project, dry_run=dry_run)
    if setup.json:
        setup.emit({"format": 1, "undone": not dry_run, **_json(project, change)})
        return
    what = "would be" if dry_run else "is"
    say(f"{project.models_config.name} {what} as it was at {_when(change.revision)} ({change.revision.digest}):")
    for line in change.differences or (_UNCHANGED,):
        say(f"    {line}")
    if dry_run:
        say("Nothing was changed.")
    elif not scheduler_line(project).running:
        say("It takes effect when the scheduler runs.")


def _is_edited(project: Project, newest: Revision) -> bool:
    try:
        return project.models_config.read_bytes() != newest.path.read_bytes()
    except FileNotFoundError:
        return True


def _when(revision: Revision) -> str:
    return f"{revision.at.astimezone():%Y-%m-%d %H:%M:%S}"


def _json(project: Project, change: Change) -> dict[str, Any]:
    return {
        "at": change.revision.at,
        "digest": change.revision.digest,
        "file": project.relative(change.revision.path),
        "back_to": change.revision.restores or None,
        "before": change.before.digest if change.before else None,
        "differences": list(change.differences),
    }
