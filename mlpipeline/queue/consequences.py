"""Says what an edit of the models config means for runs that are in progress. Decides, and touches nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mlpipeline.run import Run
from mlpipeline.selection import Listed, Selection

_KEPT = ("timeout_seconds", "threads", "gpus", "gpu_memory", "memory", "python")
"""Options that an attempt is started with and keeps to its end."""


def consequences(old: Selection, new: Selection, running: Collection[Run]) -> list[str]:
    """Returns a line for each model, or run of it, that goes on although the edit asks for something else."""
    before = {each.model: each for each in old.models}
    after = {each.model: each for each in new.models}
    found: list[str] = []
    for run in running:
        if run.model in before:
            found += _of_run(run, before[run.model], after.get(run.model))
    return list(dict.fromkeys(found))


def _of_run(run: Run, was: Listed, is_now: Listed | None) -> Iterator[str]:
    if is_now is None:
        yield f"{run.model} is removed: {_goes_on(run)}"
        return
    if is_now.options.hold and not was.options.hold:
        yield f"{run.model} is held: {_goes_on(run)}"
    elif is_now.fault is not None and was.fault is None:
        yield f"{run.model} has a fault: {_goes_on(run)}"
    elif _wants(was, run) and not _wants(is_now, run):
        yield f"{run.model} is listed without {run.version}, replicate {run.replicate}: {_goes_on(run)}"
    changed = [name for name in _KEPT if getattr(was.options, name) != getattr(is_now.options, name)]
    if changed:
        verb = "holds" if len(changed) == 1 else "hold"
        yield f"{run.model} runs on; its new {', '.join(changed)} {verb} from the next attempt"


def _wants(listed: Listed, run: Run) -> bool:
    options = listed.options
    is_chosen = (not options.only or run.version in options.only) and run.version not in options.skip
    return is_chosen and run.replicate < options.replicates


def _goes_on(run: Run) -> str:
    return f"its running attempt of {run.version} goes on; end it with: mlpipeline cancel {run.id}"
