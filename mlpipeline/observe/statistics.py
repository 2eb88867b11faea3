"""Means, intervals and paired tests over the seeds of a version, in plain Python; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

CONFIDENCE = 0.95
ENOUGH = 3
"""So many pairs make a test: of two, hardly any difference could be told from chance."""
_TINY = 1e-300
_PRECISE = 3e-16
_MOST_TERMS = 500
_HALVINGS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean of `count` values, and half the width of its interval; None where that is not known: of one value."""

    mean: float
    half: float | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """Student's test of pairs: the mean difference, its t, two-sided p, and how many pairs there are.

    `t` is infinite where all pairs differ by the same amount, and 0 where none differs.
    """

    difference: float
    t: float
    p: float
    count: int


def interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Returns the mean with its confidence interval by Student's distribution.

    Args:
        values: at least one, all finite.
        confidence: between 0 and 1.
    """
    count, mean = len(values), math.fsum(values) / len(values)
    if count < 2:
        return Interval(mean=mean, half=None, count=count)
    error = _deviation(values, mean) / math.sqrt(count)
    return Interval(mean=mean, half=quantile(0.5 + confidence / 2, count - 1) * error, count=count)


def paired(one: Mapping[int, float], other: Mapping[int, float]) -> PairedTest | None:
    """Compares two versions over the replicates that both have; None where they are not enough.

    Args:
        one: values by replicate, all finite.
        other: likewise.
    """
    both = sorted(one.keys() & other.keys())
    if len(both) < ENOUGH:
        return None
    differences = [one[each] - other[each] for each in both]
    mean = math.fsum(differences) / len(both)
    error = _deviation(differences, mean) / math.sqrt(len(both))
    # What is left by rounding, of values that all differ by the same amount, is no spread.
    scale = max(abs(each) for values in (one, other) for each in values.values())
    if error <= 1e-14 * scale:
        is_same = abs(mean) <= 1e-14 * scale
        return PairedTest(
            difference=mean,
            t=0.0 if is_same else math.copysign(math.inf, mean),
            p=1.0 if is_same else 0.0,
            count=len(both),
        )
    t = mean / error
    return PairedTest(difference=mean, t=t, p=two_sided(t, len(both) - 1), count=len(both))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Returns p values corrected for their number, by Holm (1979): so the chance that any of them errs is kept."""
    order = sorted(range(len(probabilities)), key=probabilities.__getitem__)
    found, highest = [0.0] * len(probabilities), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(probabilities) - rank) * probabilities[place]))
        found[place] = highest
    return found


def two_sided(t: float, freedom: float) -> float:
    """Returns the chance of a t at least as far from 0, with so many degrees of freedom."""
    if math.isinf(t):
        return 0.0
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


@lru_cache(maxsize=256)
def quantile(chance: float, freedom: float) -> float:
    """Returns the t below which Student's distribution lies with this chance, from 0.5 to below 1."""
    low, high = 0.0, 1.0
    while 1 - two_sided(high, freedom) / 2 < chance:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if 1 - two_sided(middle, freedom) / 2 < chance else (low, middle)
    return (low + high) / 2


def _deviation(values: Sequence[float], mean: float) -> float:
    return math.sqrt(math.fsum((each - mean) ** 2 for each in values) / (len(values) - 1))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Returns the regularized incomplete beta function; DLMF 8.17.22, whichever side converges fast."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    """Returns the continued fraction of the incomplete beta function by Lentz's method."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            found *= c * d
        if abs(c * d - 1) < _PRECISE:
            break
    return found


def _away(value: float) -> float:
    """Keeps a divisor away from 0."""
    return value if abs(value) > _TINY else _TINY
