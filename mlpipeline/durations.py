"""How long versions take, by how long earlier runs took, and when many of them are done. Touches nothing."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

LATEST = 20
"""So many of the last runs that succeeded say how long one takes."""
_ENOUGH = 9
_PAIRS = 50
_MOST_SINGLE = 100
_BY_RATE = 0.1
_TENTH = 1.2816
"""A tenth of all values of a normal distribution lie so many standard deviations above its mean, or further."""


class Size(NamedTuple):
    """How much there is to train: the parameters that say how often the data is gone through, and in what pieces."""

    epochs: float | None = None
    batch: float | None = None


class Past(NamedTuple):
    """A run that succeeded: what its training took, and the step that it ended at."""

    seconds: float
    steps: int | None = None
    size: Size = Size()


class Estimate(NamedTuple):
    """How long something takes: in eight of ten cases between `low` and `high`.

    Attributes:
        seconds: the median.
        runs: so many earlier runs say so.
        source: whose runs: of the "version" itself, of others of its "model"; or its own "progress".
        steps: the step that those ended at, made comparable.
        is_late: it runs longer than is usual.
    """

    seconds: float
    low: float
    high: float
    runs: int = 0
    source: str = "version"
    steps: float | None = None
    is_late: bool = False

    @property
    def span(self) -> tuple[float, float, float]:
        """Low, median and high."""
        return self.low, self.seconds, self.high


class Work(NamedTuple):
    """So many runs that each need a slot for as long as the estimate says, none of them earlier than `after` seconds.

    What has the same `kind` is estimated from the same runs, so that all of it errs in the same direction.
    """

    takes: Estimate | None
    kind: tuple[str, ...] = ()
    runs: int = 1
    after: float = 0.0


def size(params: Mapping[str, Any]) -> Size:
    """Returns what parameters of a version, under their published names, say about how much there is to train."""
    return Size(_positive(params.get("epoc_count")), _positive(params.get("batch_size")))


def _positive(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value < float("inf") else None


class Try(NamedTuple):
    """An attempt: how long it took, the step it ended at, and that of the last checkpoint, each where it is known."""

    seconds: float | None
    steps: int | None = None
    checkpoint: int | None = None


def training_seconds(attempts: Sequence[Try]) -> float | None:
    """Returns what a run's training takes without interruption; None where the clock was set back meanwhile.

    What an attempt trained after its last checkpoint was trained again by the next one, and counts once. Where that
    checkpoint is not known, each step takes as long as those before it. An attempt that came to no step has left
    nothing to go on from.
    """
    whole, done, checkpoint = 0.0, 0, None
    for number, (seconds, steps, saved) in enumerate(attempts, 1):
        if seconds is None:  # it never started
            continue
        if seconds < 0:
            return None
        if checkpoint is not None and done:
            whole = whole * min(1.0, checkpoint / done) + seconds
        elif steps and done:
            whole = min(max(whole * steps / done, seconds), whole + seconds)
        elif steps != 0 or done or number == len(attempts):
            whole += seconds
        done, checkpoint = steps or done, saved
    return whole or None


def estimate(past: Sequence[Past], wanted: Size, source: str) -> Estimate | None:
    """Estimates how long a version takes from how long runs took; None where there are none.

    A run with another number of epochs counts in proportion: steps are not known before a run asks its data loader.
    Low and high are the quantiles at one and nine tenths (of n runs, the n+1 gaps between which the next one falls are
    equally likely: S. S. Wilks, 1941). Fewer than nine runs do not reach so far out: then the shortest and the longest
    stand for them, widened by a factor that falls evenly from 17/9 for one run to 1 for nine, which is a rule of thumb.
    """
    past = [each for each in past if each.steps != 0] or past  # without a step it was evaluated only
    if not past:
        return None
    times = sorted(each.seconds * _ratio(wanted.epochs, each.size.epochs) for each in past)
    widened = 1 + max(0, _ENOUGH - len(times)) / _ENOUGH
    ends = [
        each.steps * _ratio(wanted.epochs, each.size.epochs) * _ratio(each.size.batch, wanted.batch)
        for each in past
        if each.steps
    ]
    return Estimate(
        seconds=quantile(times, 0.5),
        low=quantile(times, 0.1) / widened,
        high=quantile(times, 0.9) * widened,
        runs=len(times),
        source=source,
        steps=quantile(sorted(ends), 0.5) if ends and source == "version" else None,
    )


def _ratio(now: float | None, then: float | None) -> float:
    return now / then if now and then else 1.0


def quantile(values: Sequence[float], share: float) -> float:
    """Returns a quantile of sorted values, between the ranks by share of n+1, as `statistics.quantiles` does.

    That module takes longer to import than all of this takes to compute.
    """
    rank = min(max(share * (len(values) + 1) - 1, 0.0), len(values) - 1.0)
    below = int(rank)
    above = min(below + 1, len(values) - 1)
    return values[below] + (rank - below) * (values[above] - values[below])


def remaining(
    whole: Estimate | None,
    elapsed: float | None,
    *,
    step: float | None = None,
    total: float | None = None,
    rate: float | None = None,
    age: float = 0.0,
) -> Estimate | None:
    """Estimates how long a run goes on: by its own rate, a tenth more or less, else by how long such runs take.

    Args:
        whole: what such runs take.
        elapsed: for how long it has run; None where that is not told yet: it has just begun.
        step: where its loop was.
        total: where that loop ends. Earlier runs that ended later had several: then this one has as well.
        rate: steps a second.
        age: for how many seconds step and rate have not been told anew.
    """
    end = max(total or 0.0, (whole.steps if whole else None) or 0.0)
    if step is not None and rate and end > step:
        left = max(0.0, (end - step) / rate - age)
        if left:
            return Estimate(left, left * (1 - _BY_RATE), left * (1 + _BY_RATE), source="progress")
    if whole is None:
        return None
    left, low, high = (max(0.0, each - (elapsed or 0.0)) for each in whole[:3])
    return whole._replace(seconds=left, low=low, high=high, is_late=left == 0)


Moment = Callable[[Sequence[tuple[Work, float]], Sequence[float]], float]


def all_done(ends: Sequence[tuple[Work, float]], free: Sequence[float]) -> float:
    """The moment at which the last work ends."""
    return max(end for _, end in ends)


def forecast(works: Sequence[Work], slots: int, moment: Moment = all_done) -> Estimate | None:
    """Estimates when works are done that take the slots in order, each the one that is free first.

    It draws a hundred courses of events, in pairs whose errors are opposite. They are the same ones for
    every question, so that answers can be compared: one more slot makes nothing later, one more work nothing earlier.
    What is drawn for a work is normally distributed on either side of its median. A part of that is the error of what
    its kind is estimated from: of the variance 1/(n+1) for n runs, as for any value predicted from a mean. So errors of
    one kind do not cancel each other out.

    Args:
        works: what takes the slots. Those of which nothing is known are left out.
        slots: how many run at a time.
        moment: what is asked for, made of works with their ends, and of when each slot is free.
    """
    known = _bundled([each for each in works if each.takes is not None])
    if not known:
        return None
    from random import Random  # who looks at a queue in which nothing runs need not wait for it

    order = sorted(range(len(known)), key=lambda place: known[place].after)
    free = [0.0] * max(1, slots)
    found = sorted(
        moment(*_course(known, order, free, Random(draw).gauss, sign)) for draw in range(_PAIRS) for sign in (1, -1)
    )
    return Estimate(quantile(found, 0.5), quantile(found, 0.1), quantile(found, 0.9))


def _bundled(works: Sequence[Work]) -> list[Work]:
    """Returns works one by one; where they are many, those of a kind after one another, several at once."""
    most = max(1, -(-sum(each.runs for each in works) // _MOST_SINGLE))
    if most > 1:
        counts: dict[Work, int] = {}
        for each in works:
            kind = each._replace(runs=1)
            counts[kind] = counts.get(kind, 0) + each.runs
        works = [kind._replace(runs=count) for kind, count in counts.items()]
    return [each._replace(runs=min(most, each.runs - start)) for each in works for start in range(0, each.runs, most)]


def _course(
    works: Sequence[Work],
    order: Sequence[int],
    slots: Sequence[float],
    gauss: Callable[[float, float], float],
    sign: int,
) -> tuple[list[tuple[Work, float]], list[float]]:
    """Draws one course of events. Returns when each work ends, and when each slot is free."""
    shared: dict[tuple[str, ...], float] = {}
    lasting = []
    for work in works:
        own = gauss(0.0, sign)
        if work.kind not in shared:
            shared[work.kind] = gauss(0.0, sign)
        lasting.append(_drawn(work, own, shared[work.kind]))
    free, ends = list(slots), []
    for place in order:
        end = max(heapq.heappop(free), works[place].after) + lasting[place]
        heapq.heappush(free, end)
        ends.append((works[place], end))
    return ends, free


def _drawn(work: Work, own: float, shared: float) -> float:
    takes, count = work.takes, work.runs
    assert takes is not None
    part = 1 / (takes.runs + 1)
    away = (part**0.5 * shared + ((1 - part) / count) ** 0.5 * own) / _TENTH
    side = takes.high - takes.seconds if away > 0 else takes.seconds - takes.low
    return float(count * max(0.0, takes.seconds + away * side))
