"""Charts in letters: for a terminal, a pipe, a mail; pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from mlpipeline.observe import text
from mlpipeline.observe.charts import Chart, Series

MARKS = "*o+x#@%&=~"
_HEIGHT = 16
_MARGIN = 13
_LEAST_WIDTH = 20
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
    shown = [each for each in chart.series if len(each.x) and each.name in names]
    xs = [float(each) for series in shown for each in series.x]
    ys = [float(each) for series in shown for each in series.y]
    if not xs:
        return [_NOTHING]
    (left, right), (low, high) = _span(xs), _span(ys)
    cells = [[" "] * width for _ in range(_HEIGHT)]
    for series in sorted(shown, key=lambda each: not each.is_line):  # points above lines
        mark = MARKS[names.index(series.name)]
        for x, y in _points(series, left, right, width):
            column = round(_share(x, left, right) * (width - 1))
            row = _HEIGHT - 1 - round(_share(y, low, high) * (_HEIGHT - 1))
            cells[row][column] = mark
    labels = {0: f"{high:.4g}", _HEIGHT - 1: f"{low:.4g}"}
    found = [f"{labels.get(place, '').rjust(_MARGIN - 2)} |{''.join(row).rstrip()}" for place, row in enumerate(cells)]
    found.append(" " * (_MARGIN - 1) + "+" + "-" * width)
    found.append(" " * _MARGIN + _under(chart, left, right, width))
    legend = [f"{mark} {text.one_line(name, 50)}" for mark, name in zip(MARKS, names, strict=False)]
    heading = [f"by {chart.y_label}"] if chart.y_label != chart.title else []
    return [*heading, *found, *(legend if len(legend) > 1 else [])]


def _points(series: Series, left: float, right: float, width: int) -> list[tuple[float, float]]:
    """Returns points, and of a line also those between them, one for each column."""
    points = [(float(x), float(y)) for x, y in zip(series.x, series.y, strict=True)]
    if not series.is_line:
        return points
    found = list(points)
    for (x, y), (next_x, next_y) in itertools.pairwise(points):
        steps = math.ceil(_share(next_x, left, right) * width - _share(x, left, right) * width)
        parts = [step / steps for step in range(1, steps)] if steps > 0 else []
        found += [(x + part * (next_x - x), y * (1 - part) + next_y * part) for part in parts]
    return found


def _under(chart: Chart, left: float, right: float, width: int) -> str:
    if chart.ticks:
        told = ", ".join(f"{place} {each}" for place, each in enumerate(chart.ticks))
        return text.one_line(f"{chart.x_label}: {told}", width)
    start, end = f"{left:.6g}", f"{right:.6g}"
    return start + chart.x_label.center(max(1, width - len(start) - len(end))) + end


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _share(value: float, low: float, high: float) -> float:
    """Returns how far a value is between two others; halved first, since the span of huge numbers is no number."""
    width = high / 2 - low / 2
    return (value / 2 - low / 2) / width if width else 0.5
