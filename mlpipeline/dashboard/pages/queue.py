"""The page of the queue: what runs, what is next, what waits for somebody, in which order models stand, what ended."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mlpipeline import selection, trials
from mlpipeline.dashboard.lookout import Lookout
from mlpipeline.dashboard.pages.frame import fault_of, frame
from mlpipeline.ledger import Ledger
from mlpipeline.observe import left
from mlpipeline.observe.status import FINAL
from mlpipeline.observe.view import STILL, LiveLine, Picture
from mlpipeline.project import Project
from mlpipeline.queue import orders, revisions
from mlpipeline.queue.commands import RETRIABLE

TEMPLATE = "queue.html"
_PLANNED = ("due", "waiting", *STILL, "done")
_RUNS = 200
_RECORDED = ("succeeded", "failed", "lost", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """So many of something, as the head of the page tells it; `kind` colors it."""

    count: int
    word: str
    kind: str


def content(lookout: Lookout, *, is_read_only: bool = False) -> dict[str, Any]:
    """Returns what the page shows."""
    seen, project = lookout.look(), lookout.project
    listed = selection.read(project, test=False)
    picture = seen.picture
    is_known = picture.left is not None and picture.scheduler.running
    told = counts(picture)
    waiting = [each for each in picture.next if each.verdict in STILL]
    retried = _failed(project) if any(each.verdict in ("failed", "gave_up") for each in waiting) else {}
    tab = f"{told[0].count} {told[0].word}"
    return frame(seen, title="Queue", here="/", live="/live/queue", tab=tab, is_read_only=is_read_only) | {
        "counts": told,
        "left": left.sentence(picture.left, seen.now) if is_known and picture.left else "",
        "studies": [(each, trials.best(each)) for each in picture.studies],
        "running": sorted(picture.running, key=_is_quiet),
        "coming": [each for each in picture.next if each.verdict not in STILL],
        "waiting": [(each, retried.get((each.model, each.version, each.replicate), "")) for each in waiting],
        "listed": [(each, each.fault or fault_of(seen, each.model)) for each in listed.models],
        "selection": listed,
        "orders": _orders(project),
        "can_undo": revisions.former(revisions.kept(project)) is not None,
        "final": {state.value for state in FINAL},
    }


def counts(picture: Picture) -> list[Count]:
    """Returns how much runs, is planned, and is faulty; what was recorded where no plan is known."""
    alive = sum(line.now in ("alive", "unknown") for line in picture.running)
    slots = f" of {picture.scheduler.slots}" if picture.scheduler.running and picture.scheduler.slots else ""
    found = [Count(count=alive, word=f"{slots} running".strip(), kind="running" if alive else "")]
    stalled = sum(line.stalled is not None for line in picture.running)
    found += [Count(count=stalled, word="stalled", kind="stalled")] if stalled else []
    known, names = (picture.versions, _PLANNED) if picture.versions else (picture.runs, _RECORDED)
    found += [Count(count=known[each], word=each.replace("_", " "), kind=each) for each in names if known.get(each)]
    faults = len(picture.faults)
    return found + ([Count(count=faults, word="faulty", kind="faulty")] if faults else [])


def _failed(project: Project) -> dict[tuple[str, str, int], str]:
    """Returns the runs that can be tried again, of each version and seed the newest."""
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        runs = ledger.runs(states=RETRIABLE, limit=_RUNS)
    return {(run.model, run.version, run.replicate): run.id for run in reversed(runs)}


def _is_quiet(line: LiveLine) -> bool:
    """Puts those first that somebody should look at."""
    return line.word not in ("lost", "STALLED")


def _orders(project: Project) -> orders.Orders:
    try:
        return orders.read(project.orders_path)
    except ValueError:  # a damaged file: the scheduler tells it as a fault
        return orders.Orders()
