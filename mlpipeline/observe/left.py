"""How long the queue and what runs in it still take: reckoned from facts that others read, and said in words; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from mlpipeline.durations import Estimate, Size, Work, forecast, remaining, size
from mlpipeline.observe import text
from mlpipeline.observe.progress import Progress
from mlpipeline.observe.view import NextLine

if TYPE_CHECKING:
    from mlpipeline.run import Run
    from mlpipeline.timings import Timings

_FOR_A_SLOT = "waits for a slot"
Starts = tuple["Estimate | None", ...]


class Left(NamedTuple):
    """What is left of a queue.

    Attributes:
        takes: how long that of it takes whose duration is known.
        done_at: when that is; None while the queue may start nothing.
        unknown: so many versions whose model never ran to its end are not in it.
        late: so many that run longer than they ever did are not in it.
    """

    takes: Estimate | None
    done_at: datetime | None
    unknown: int
    late: int


def of_run(run: Run, progress: Progress, timings: Timings, now: datetime) -> Estimate | None:
    """Estimates how long a run that is under way still takes."""
    told = progress.updated_at
    return remaining(
        timings.estimate(run.model, run.version, size(run.params)),
        run.last.seconds_by(now),
        step=progress.step,
        total=progress.total,
        rate=progress.rate,
        age=max(0.0, (now - told).total_seconds()) if told else 0.0,
    )


def of_queue(works: Sequence[Work], *, slots: int, now: datetime, is_closed: bool) -> Left | None:
    """Estimates how long works take; None where there are none."""
    if not works:
        return None
    late = [each for each in works if each.takes and each.takes.is_late and not each.takes.high]
    takes = forecast([each for each in works if each not in late], slots)
    unknown = sum(each.runs for each in works if each.takes is None)
    done_at = now + timedelta(seconds=takes.seconds) if takes and not is_closed else None
    return Left(takes=takes, done_at=done_at, unknown=unknown, late=len(late))


def works_of_status(status: Mapping[str, Any], timings: Timings, now: datetime) -> list[Work]:
    """Returns what a scheduler wrote into its status file as open."""
    works = []
    for each in status.get("open") or ():
        model, version = str(each.get("model")), str(each.get("version"))
        until = datetime.fromisoformat(each["until"]) if each.get("until") else now
        works.append(
            Work(
                takes=timings.estimate(model, version, Size(each.get("epochs"), each.get("batch"))),
                kind=(model, version),
                runs=int(each.get("count") or 1),
                after=max(0.0, (until - now).total_seconds()),
            )
        )
    return works


def ahead(
    status: Mapping[str, Any], running: Sequence[Work], coming: Sequence[Work], now: datetime
) -> tuple[Left | None, Starts]:
    """Estimates what is left of a queue, and in how long each version starts that its scheduler says comes next.

    Args:
        status: what the scheduler wrote.
        running: what holds slots now.
        coming: what is open.
        now: the time, aware.
    """
    slots, is_closed = status.get("slots") or 1, bool(status.get("closed"))
    queue = of_queue([*running, *coming], slots=slots, now=now, is_closed=is_closed)
    return queue, _starts(status, running, {each.kind: each.takes for each in coming})


def _starts(
    status: Mapping[str, Any], running: Sequence[Work], takes: Mapping[tuple[str, ...], Estimate | None]
) -> Starts:
    found, works = [], list(running)
    for each in status.get("next") or ():
        is_known = bool(works) and all(work.takes is not None and not work.takes.is_late for work in works)
        is_waiting = is_known and each.get("reason") == _FOR_A_SLOT and not status.get("closed")
        found.append(forecast(works, status.get("slots") or 1, lambda _, free: min(free)) if is_waiting else None)
        if each.get("verdict") == "due":
            kind = (str(each.get("model")), str(each.get("version")))
            works.append(Work(takes.get(kind), kind))
    return tuple(found)


def about(takes: Estimate) -> str:
    """Says how long something takes: `12 min (10 min to 15 min)`."""
    low, middle, high = (text.rough(each) for each in takes.span)
    return middle if low == high else f"{middle} ({low} to {high})"


def sentence(left: Left, now: datetime, *, is_served: bool = True) -> str:
    """Says what is left: `About 2 h 10 min left (1 h 50 min to 2 h 40 min), done around 03:20.`"""
    more = []
    if left.unknown:
        more.append(f"{text.many(left.unknown, 'version')} never timed")
    if left.late:
        more.append(f"{left.late} running longer than usual")
    if left.takes is None:
        return f"How long it takes is not known: {', '.join(more)}."
    when = f", done around {text.clock(left.done_at, now)}" if left.done_at else ", once the queue goes on"
    told = f"About {about(left.takes)} left{when}" if is_served else f"About {about(left.takes)} of training"
    return "".join([told, *(f", + {each}" for each in more), "."])


def reason(line: NextLine) -> str:
    """Says why a version is where it is, and in how long it starts: `waits for a slot, starts in about 3 min`."""
    when = "" if line.starts is None else f", starts in about {text.rough(line.starts.seconds)}"
    return text.one_line(line.reason) + when


def of_one(takes: Estimate | None, *, is_running: bool = False) -> str:
    """Says in a table how long something takes, or goes on."""
    if takes is None:
        return ""
    if takes.is_late:
        return "longer than usual"
    return f"{text.rough(takes.seconds)} left" if is_running else text.between(*takes.span)


def why(takes: Estimate, model: str) -> str:
    """Says in a sentence how long a version takes, and by what."""
    whose = "of it" if takes.source == "version" else f"of other versions of {text.one_line(model)}"
    return f"It takes about {about(takes)}, by {text.many(takes.runs, 'earlier run')} {whose}."
