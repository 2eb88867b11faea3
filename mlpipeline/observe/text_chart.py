"""Charts in letters: for a terminal, a pipe, a mail; pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mlpipeline.observe import text
from mlpipeline.observe.charts import Chart, Series

MARKS = "*o+x#@%&=~"
_HEIGHT = 16
_MARGIN = 13
_LEAST_WIDTH = 20
_LARGEST = 308.0
_NOTHING = "(nothing to draw)"


def lines(chart: Chart, width: int = 80) -> list[str]:
    """Returns a chart as lines of so many characters; of more series than there are marks, the first are drawn.

    Args:
        chart: what is drawn. Values must be finite.
        width: of a line.
    """
    drawn = _bars(chart, width) if chart.is_bars else _plane(chart, max(_LEAST_WIDTH, width - _MARGIN))
    count = len({each.name for each in chart.series})
    more = [f"{count - len(MARKS)} more are not drawn"] if count > len(MARKS) else []
    return [text.one_line(chart.title, width), *drawn, *(f"({each})" for each in (*chart.notes, *more))]


def _bars(chart: Chart, width: int) -> list[str]:
    if not chart.ticks:
        return [_NOTHING]
    (series,) = chart.series
    names = [text.one_line(each, 30) for each in chart.ticks]
    told = [text.number(each) for each in series.y]
    if series.errors:
        told = [f"{each} ± {half:.2g}" if half else each for each, half in zip(told, series.errors, strict=True)]
    longest = max(map(len, names))
    room = max(5, width - longest - max(map(len, told)) - 4)
    low, high = min(0.0, *series.y), max(0.0, *series.y)
    found = []
    for name, value, words in zip(names, series.y, told, strict=True):
        # Divided one by one: the span of huge numbers would be no number.
        scale = max(abs(low), abs(high)) or 1.0
        length = round(room * abs(value / scale) / ((high - low) / scale or 1.0))
        zero = round(room * (-low / scale) / ((high - low) / scale or 1.0))
        bar = " " * (zero - length) + "█" * length if value < 0 else " " * zero + "█" * length
        found.append(f"{name.ljust(longest)} |{bar.ljust(room)} {words}".rstrip())
    return [f"by {chart.y_label}", *found]


def _plane(chart: Chart, width: int) -> list[str]:
    names = list(dict.fromkeys(each.name for each in chart.series))[: len(MARKS)]
    shown = [_placed(each, chart) for each in chart.series if len(each.x) and each.name in names]
    if not shown:
        return [_NOTHING]
    columns = _span([float(each) for series in shown for each in series.x])
    rows = _span([float(each) for series in shown for each in series.y])
    cells = [[" "] * width for _ in range(_HEIGHT)]
    for series in sorted(shown, key=lambda each: not each.is_line):  # points above lines
        mark = MARKS[names.index(series.name)]
        for column, row in _cells(series, columns, rows, width):
            cells[row][column] = mark
    legend = [f"{mark} {text.one_line(name, 50)}" for mark, name in zip(MARKS, names, strict=False)]
    return [*_heading(chart), *_framed(cells, chart, columns, rows), *(legend if len(legend) > 1 else [])]


def _cells(
    series: Series, across: tuple[float, float], down: tuple[float, float], width: int
) -> Iterator[tuple[int, int]]:
    """Yields the column and the row of each letter of a series, whose axes have these ends."""
    columns = [_share(float(each), *across) * (width - 1) for each in series.x]
    rows = [(1 - _share(float(each), *down)) * (_HEIGHT - 1) for each in series.y]
    points = list(zip(columns, rows, strict=True))
    for column, row in _joined(points) if series.is_line else points:
        yield round(column), round(row)


def _heading(chart: Chart) -> list[str]:
    words = [f"by {chart.y_label}"] if chart.y_label != chart.title else []
    words += ["(log)"] if chart.log_y else []
    return [" ".join(words)] if words else []


def _framed(
    cells: Sequence[Sequence[str]], chart: Chart, across: tuple[float, float], down: tuple[float, float]
) -> Iterator[str]:
    """Yields the rows with an axis on their left, and one below them."""
    low, high = (f"{_value(each, chart.log_y):.4g}" for each in down)
    labels = {0: high, _HEIGHT - 1: low}
    for place, row in enumerate(cells):
        yield f"{labels.get(place, '').rjust(_MARGIN - 2)} |{''.join(row).rstrip()}"
    width = len(cells[0])
    yield " " * (_MARGIN - 1) + "+" + "-" * width
    yield " " * _MARGIN + _under(chart, *across, width)


def _placed(series: Series, chart: Chart) -> Series:
    """Returns points as they lie over the axes: by their logarithms where these are logarithmic."""
    x = [math.log10(each) for each in series.x] if chart.log_x else series.x
    y = [math.log10(each) for each in series.y] if chart.log_y else series.y
    return replace(series, x=x, y=y)


def _value(place: float, is_log: bool) -> float:
    """Returns what stands at a place of an axis."""
    return 10 ** min(place, _LARGEST) if is_log else place


def _joined(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yields places, and those between them, so that there is one in each column and each line that is crossed."""
    yield points[0]
    for (column, row), (next_column, next_row) in itertools.pairwise(points):
        steps = max(1, math.ceil(max(abs(next_column - column), abs(next_row - row))))
        for step in range(1, steps + 1):
            yield column + (next_column - column) * step / steps, row + (next_row - row) * step / steps


def _under(chart: Chart, left: float, right: float, width: int) -> str:
    if chart.ticks:
        told = ", ".join(f"{place} {each}" for place, each in enumerate(chart.ticks))
        return text.one_line(f"{chart.x_label}: {told}", width)
    start, end = f"{_value(left, chart.log_x):.6g}", f"{_value(right, chart.log_x):.6g}"
    x_label = f"{chart.x_label} (log)" if chart.log_x else chart.x_label
    return start + x_label.center(max(1, width - len(start) - len(end))) + end


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _share(value: float, low: float, high: float) -> float:
    """Returns how far a value is between two others; halved first, since the span of huge numbers is no number."""
    width = high / 2 - low / 2
    return (value / 2 - low / 2) / width if width else 0.5
