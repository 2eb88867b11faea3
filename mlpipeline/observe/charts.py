"""Charts as data: curves, bars, points and parallel lines, whoever draws them; pure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlpipeline import searches
from mlpipeline.config_text import near_miss
from mlpipeline.errors import UsageError
from mlpipeline.observe import text
from mlpipeline.observe.comparison import Comparison
from mlpipeline.observe.comparison_rows import Row

BARS = 30
_MOST_TICKS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points that belong together; `is_line` where they are joined. `errors` are half intervals, 0 for none.

    Series of one name look alike: the curves of a version's seeds, say.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    is_line: bool = False
    errors: Sequence[float] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Series over two axes.

    Attributes:
        ticks: what stands at 0, 1, 2, ... of the x axis; empty where that is one of numbers.
        is_bars: each series has one bar for each tick, lying.
        log_x: the x axis is logarithmic, and all its values are above 0.
        log_y: likewise.
        notes: what a reader should know, values that are no number and are not drawn, say.
    """

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    ticks: tuple[str, ...] = ()
    is_bars: bool = False
    log_x: bool = False
    log_y: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis of parallel coordinates: places from 0 to 1, and what stands at some of them."""

    name: str
    places: tuple[float | None, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """A line for each row through all axes; the last axis is the metric, and colors the lines."""

    title: str
    axes: tuple[Axis, ...]
    best: int | None
    notes: tuple[str, ...] = ()


def bars(found: Comparison) -> Chart:
    """Returns a bar for each of the first rows, with the interval over its seeds."""
    rows = _measured(found)
    shown = rows[:BARS]
    halves = [interval.half if (interval := row.scores[found.metric].interval) is not None else None for row in shown]
    series = Series(
        name=found.metric,
        x=range(len(shown)),
        y=[_value(row, found.metric) for row in shown],
        errors=[each or 0.0 for each in halves] if any(halves) else (),
    )
    left_out = [f"{len(rows) - BARS} more are not drawn"] if len(rows) > BARS else []
    whiskers = ["whiskers: 95 % interval over seeds"] if any(halves) else []
    return Chart(
        title=_title(found),
        x_label="",
        y_label=found.metric,
        series=(series,),
        ticks=tuple(text.one_line(row.label, 40) for row in shown),
        is_bars=True,
        notes=(*whiskers, *left_out, *_missing(found)),
    )


def scatter(found: Comparison, address: str) -> Chart:
    """Returns a point for each row: the metric over a parameter, numbers in their order, anything else side by side."""
    rows = [row for row in _measured(found) if _parameter(found, address) in row.parameters]
    values = [row.parameters[_parameter(found, address)] for row in rows]
    ticks: tuple[str, ...] = ()
    x: Sequence[float] = values
    if not all(map(searches.is_number, values)):
        told = [each if isinstance(each, str) else json.dumps(each) for each in values]
        known = sorted(set(told))
        x, ticks = [known.index(each) for each in told], tuple(text.one_line(each, 20) for each in known)
    series = Series(name=found.metric, x=x, y=[_value(row, found.metric) for row in rows])
    return Chart(
        title=_title(found), x_label=address, y_label=found.metric, series=(series,), ticks=ticks, notes=_missing(found)
    )


def trials(found: Comparison) -> Chart:
    """Returns a search over its course: each trial's value by its number, and the best so far as a line."""
    rows = sorted(_measured(found), key=_number)
    direction = found.directions.get(found.metric, "minimize")
    points = Series(name="trials", x=[_number(row) for row in rows], y=[_value(row, found.metric) for row in rows])
    best: list[tuple[float, float]] = []
    for row in rows:
        value, than = _value(row, found.metric), best[-1][1] if best else None
        if row.is_eligible:
            if than is not None:
                best.append((_number(row), than))  # it stays until it is beaten: the line has steps
            best.append((_number(row), value if searches.is_better(value, than, direction) else best[-1][1]))
    line = Series(name="best so far", x=[x for x, _ in best], y=[y for _, y in best], is_line=True)
    return Chart(
        title=_title(found), x_label="trial", y_label=found.metric, series=(points, line), notes=_missing(found)
    )


def parallel(found: Comparison) -> Parallel:
    """Returns parallel coordinates: an axis for each parameter that differs, and one for the metric."""
    rows = _measured(found)
    axes = [_axis(address, [row.parameters.get(address) for row in rows]) for address in found.parameters]
    axes.append(_axis(found.metric, [_value(row, found.metric) for row in rows]))
    best = next((place for place, row in enumerate(rows) if row is found.rows[0]), None) if found.best == 0 else None
    return Parallel(title=_title(found), axes=tuple(axes), best=best, notes=_missing(found))


def curves(runs: Sequence[tuple[str, Sequence[float], Sequence[float]]], metric: str, notes: Sequence[str]) -> Chart:
    """Returns learning curves: a line for each run, of its version's name, steps and values."""
    series = tuple(Series(name=text.one_line(name, 60), x=x, y=y, is_line=True) for name, x, y in runs)
    return Chart(title=metric, x_label="step", y_label=metric, series=series, notes=tuple(notes))


def logarithmic(chart: Chart, *, x: bool, y: bool) -> Chart:
    """Returns a chart over logarithmic axes; points that these do not have are left out, and told.

    Raises:
        UsageError: nothing is left, or names stand along the axis.
    """
    if not x and not y:
        return chart
    if x and chart.ticks:
        raise UsageError(f"'{chart.x_label}' has values that are no numbers, so --log-x does not go with it")
    series = tuple(_above_zero(each, x=x, y=y) for each in chart.series)
    if not any(len(each.x) for each in series):
        axes = " and ".join(name for name, is_log in ((chart.x_label, x), (chart.y_label, y)) if is_log)
        raise UsageError(f"there is nothing to draw: no value of {axes} is above 0, as a logarithmic axis needs it")
    dropped = sum(len(before.x) - len(after.x) for before, after in zip(chart.series, series, strict=True))
    return replace(chart, series=series, log_x=x, log_y=y, notes=(*chart.notes, *hidden(dropped)))


def hidden(count: int) -> list[str]:
    """Returns how many values a logarithmic axis does not show, in words; nothing where it shows all."""
    return [f"{text.many(count, 'value')} not above 0, not drawn"] if count else []


def _above_zero(series: Series, *, x: bool, y: bool) -> Series:
    kept = [
        (at, value) for at, value in zip(series.x, series.y, strict=True) if (at > 0 or not x) and (value > 0 or not y)
    ]
    return replace(series, x=[at for at, _ in kept], y=[value for _, value in kept])


def _axis(name: str, values: Sequence[Any]) -> Axis:
    present = [each for each in values if each is not None]
    if present and all(map(searches.is_number, present)):
        return _axis_of_numbers(name, values, min(present), max(present))
    return _axis_of_words(
        name, [each if each is None or isinstance(each, str) else json.dumps(each) for each in values]
    )


def _axis_of_numbers(name: str, values: Sequence[float | None], low: float, high: float) -> Axis:
    """Returns an axis from the lowest to the highest; a logarithmic one where these are far apart."""
    is_log = low > 0 and high / low >= 100

    def place(value: float) -> float:
        return math.log(value) if is_log else value

    start, width = place(low), (place(high) - place(low)) or 1.0
    return Axis(
        name=f"{name} (log)" if is_log else name,
        places=tuple(None if each is None else (place(each) - start) / width for each in values),
        ticks=((0.0, text.number(low)), (1.0, text.number(high)))[: 1 + (high > low)],
    )


def _axis_of_words(name: str, told: Sequence[str | None]) -> Axis:
    """Returns an axis with a place for each word, and ticks at not too many of them."""
    known = sorted({each for each in told if each is not None})
    place_of = {each: place / max(1, len(known) - 1) for place, each in enumerate(known)}
    shown = known[:: max(1, math.ceil(len(known) / _MOST_TICKS))]
    return Axis(
        name=name,
        places=tuple(None if each is None else place_of[each] for each in told),
        ticks=tuple((place_of[each], text.one_line(each, 20)) for each in shown),
    )


def _measured(found: Comparison) -> list[Row]:
    """Returns the rows that have a value.

    Raises:
        UsageError: none has.
    """
    rows = [row for row in found.rows if (score := row.scores.get(found.metric)) is not None and score.values]
    if not rows:
        what = f"a finite value of '{found.metric}'" if found.metric else "any result"
        raise UsageError(f"there is nothing to draw: none of these runs has {what} yet (mlpipeline compare shows them)")
    return rows


def _missing(found: Comparison) -> tuple[str, ...]:
    count = len(found.rows) - len(_measured(found))
    return (f"{text.many(count, 'row')} without a finite {found.metric}, not drawn",) if count else ()


def _value(row: Row, metric: str) -> float:
    mean = row.scores[metric].mean
    assert mean is not None  # of measured rows alone
    return mean


def _number(row: Row) -> int:
    stem, _, number = row.version.rpartition("-")
    return int(number) if stem and number.isdigit() else 0


def _parameter(found: Comparison, address: str) -> str:
    known = sorted({each for row in found.rows for each in row.parameters})
    if address not in known:
        near = near_miss(address, known)
        raise UsageError(f"there is no parameter '{address}'.{near} Those that differ: {', '.join(found.parameters)}")
    return address


def _title(found: Comparison) -> str:
    models = list(dict.fromkeys(row.model for row in found.rows))
    return text.one_line(", ".join(models[:3]) + (", …" if len(models) > 3 else ""), 80)
