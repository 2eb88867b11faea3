"""When a version will start, from how long earlier runs took; nothing where that is not known. Touches nothing."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from mlpipeline.queue.verdicts import FOR_A_SLOT, Item, Verdict
from mlpipeline.run import Run

_OPEN = (Verdict.RUNNING, Verdict.DUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Versions of one model that come before; each took `seconds_each` when it ran earlier."""

    model: str
    count: int
    seconds_each: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A start in so many seconds from now, and what it is reckoned from."""

    in_seconds: float
    ahead: tuple[Ahead, ...]


def before(items: Sequence[Item], target: Item) -> list[Item]:
    """Returns what runs or starts before an item that waits for a slot or for other models; nothing for others."""
    place = next(place for place, item in enumerate(items) if item is target)
    if target.verdict is Verdict.DUE and target.reason == FOR_A_SLOT:
        last = place
    elif awaited := _awaited(target):
        places = [place for place, item in enumerate(items) if item.wanted.model in awaited and item.verdict in _OPEN]
        last = max([place, *(each + 1 for each in places)])
    else:
        return []
    running = [item for item in items if item.verdict is Verdict.RUNNING]
    return running + [item for item in items[:last] if item.verdict is Verdict.DUE]


def _awaited(target: Item) -> set[str]:
    names = target.wanted.options.after
    is_waiting = target.verdict is Verdict.WAITING and target.reason in {f"waits for {name}" for name in names}
    return set(names) if is_waiting else set()


def start(
    items: Sequence[Item],
    target: Item,
    *,
    slots: int,
    elapsed: Mapping[str, float],
    typical: Callable[[str], float | None],
) -> Start | None:
    """Reckons when an item starts; None where something on the way there is unknown.

    Args:
        items: the plan, in order.
        target: one of them.
        slots: how many run at a time.
        elapsed: by run, how many seconds those that run have run.
        typical: how many seconds a run of a model takes.
    """
    first = before(items, target)
    awaited = _awaited(target)
    if not first or any(item.wanted.model in awaited and item.verdict not in (*_OPEN, Verdict.DONE) for item in items):
        return None
    seconds = {model: typical(model) for model in dict.fromkeys(item.wanted.model for item in first)}
    known = {model: each for model, each in seconds.items() if each is not None}
    left = [_left(item, known, elapsed) for item in first]
    lasting = [each for each in left if each is not None]
    if len(lasting) < len(first):
        return None
    counts = {model: sum(item.wanted.model == model for item in first) for model in known}
    ahead = tuple(Ahead(model=model, count=counts[model], seconds_each=each) for model, each in known.items())
    ends = _ends(lasting, slots)
    needed = [end for item, end in zip(first, ends, strict=True) if item.wanted.model in awaited]
    free = sorted(ends)[-slots] if len(ends) >= slots else 0.0
    return Start(in_seconds=max(needed, default=free), ahead=ahead)


def _left(item: Item, typical: Mapping[str, float], elapsed: Mapping[str, float]) -> float | None:
    """Returns for how long an item will hold its slot; None where it is unknown, or has run longer than is usual."""
    whole = typical.get(item.wanted.model)
    if whole is None or item.verdict is Verdict.DUE:
        return whole
    run_id = item.standing.run_id if item.standing else ""
    return whole - elapsed[run_id] if run_id in elapsed and elapsed[run_id] <= whole else None


def _ends(lasting: Iterable[float], slots: int) -> list[float]:
    """Returns when each ends, where each takes the slot that is free first."""
    free = [0.0] * slots
    ends = []
    for seconds in lasting:
        ends.append(heapq.heappop(free) + seconds)
        heapq.heappush(free, ends[-1])
    return ends


def typical_seconds(runs: Iterable[Run]) -> float | None:
    """Returns the median of how long runs took, all attempts of each; None where none has both times."""
    found = []
    for run in runs:
        times = [(each.started_at, each.ended_at) for each in run.attempts]
        spans = [(ended - started).total_seconds() for started, ended in times if started and ended]
        if spans:
            found.append(sum(spans))
    return median(found) if found else None
