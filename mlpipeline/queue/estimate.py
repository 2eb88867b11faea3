"""When versions of a plan start, and when it is done, from how long its versions take. Touches nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlpipeline.durations import Estimate, Moment, Work, forecast, size
from mlpipeline.queue.verdicts import FOR_A_SLOT, IN_USE, Item, Verdict

# Python 3.11 looks a member up in its class ten times slower than a name.
_RUNNING, _DUE, _WAITING = Verdict.RUNNING, Verdict.DUE, Verdict.WAITING
_OPEN = (_RUNNING, _DUE)
_MOST_ALONE = 50

Takes = Callable[[Item], Estimate | None]
"""How long an item holds a slot from now on; None where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Versions of one model that come before; each of them takes so long, from its beginning."""

    model: str
    count: int
    shortest: float
    longest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A start in so long from now, and what it is reckoned from."""

    within: Estimate
    ahead: tuple[Ahead, ...]


def is_open(item: Item) -> bool:
    """Whether an item will start without anybody's doing, as far as the plan knows."""
    if item.verdict is not _WAITING:
        return item.verdict is _DUE
    return item.until is not None or item.reason == IN_USE or bool(_awaited(item))


def works(items: Sequence[Item], takes: Takes, now: datetime) -> list[Work]:
    """Returns what takes slots from now on, in order: what runs first."""
    running = [item for item in items if item.verdict is _RUNNING]
    return [_work(item, takes, now) for item in (*running, *filter(is_open, items))]


def _work(item: Item, takes: Takes, now: datetime) -> Work:
    after = (item.until - now).total_seconds() if item.until else 0.0
    return Work(takes=takes(item), kind=(item.wanted.model, item.wanted.version), after=max(0.0, after))


def in_short(items: Iterable[Item]) -> list[dict[str, Any]]:
    """Returns what is open for the status file: versions with their counts, those far down by their models alone."""
    counts: dict[tuple[str, str, datetime | None], int] = {}
    params: dict[tuple[str, str, datetime | None], Mapping[str, Any]] = {}
    for item in items:
        wanted, verdict, _, until, _ = item
        if verdict is not _DUE and not (verdict is _WAITING and is_open(item)):
            continue
        key = (wanted.model, wanted.version, until)
        if key not in counts:
            if len(counts) >= _MOST_ALONE:
                key = (wanted.model, "", until)
            params.setdefault(key, wanted.params)
        counts[key] = counts.get(key, 0) + 1
    return [
        {"model": key[0], "version": key[1], "count": count}
        | ({"until": key[2].isoformat()} if key[2] else {})
        | {name: value for name, value in size(params[key])._asdict().items() if value and key[1]}
        for key, count in counts.items()
    ]


def before(items: Sequence[Item], target: Item) -> list[Item]:
    """Returns what runs or starts before an item that waits for a slot or for other models; nothing for others."""
    place = next(place for place, item in enumerate(items) if item is target)
    if target.verdict is _DUE and target.reason == FOR_A_SLOT:
        last = place
    elif awaited := _awaited(target):
        places = [place for place, item in enumerate(items) if item.wanted.model in awaited and item.verdict in _OPEN]
        last = max([place, *(each + 1 for each in places)])
    else:
        return []
    running = [item for item in items if item.verdict is _RUNNING]
    return running + [item for item in items[:last] if item.verdict is _DUE]


def _awaited(target: Item) -> set[str]:
    names = target.wanted.options.after
    is_waiting = target.verdict is _WAITING and target.reason in {f"waits for {name}" for name in names}
    return set(names) if is_waiting else set()


def start(
    items: Sequence[Item], target: Item, *, slots: int, takes: Takes, whole: Takes, now: datetime
) -> Start | None:
    """Reckons when an item starts; None where something on the way there is unknown.

    Args:
        items: the plan, in order.
        target: one of them.
        slots: how many run at a time.
        takes: how long each of them holds its slot from now on.
        whole: how long each takes from its beginning.
        now: the time, aware.
    """
    first = before(items, target)
    awaited = _awaited(target)
    if not first or any(item.wanted.model in awaited and item.verdict not in (*_OPEN, Verdict.DONE) for item in items):
        return None
    lasting = works(first, takes, now)
    if any(each.takes is None or each.takes.is_late for each in lasting):
        return None
    within = forecast(lasting, slots, _free(awaited))
    return within and Start(within=within, ahead=_ahead(first, whole))


def _free(awaited: set[str]) -> Moment:
    def moment(ends: Sequence[tuple[Work, float]], free: Sequence[float]) -> float:
        return max((end for work, end in ends if work.kind[0] in awaited), default=min(free))

    return moment


def _ahead(first: Sequence[Item], whole: Takes) -> tuple[Ahead, ...]:
    found: dict[str, list[float]] = {}
    for item in first:
        found.setdefault(item.wanted.model, []).extend(each.seconds for each in [whole(item)] if each)
    return tuple(
        Ahead(model=model, count=len(times), shortest=min(times), longest=max(times))
        for model, times in found.items()
        if times
    )
