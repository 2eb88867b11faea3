"""Charts as pictures in files: PNG, SVG or PDF by matplotlib's figures alone, so that no window is touched."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpipeline import errors
from mlpipeline.errors import NotWritable, UsageError
from mlpipeline.observe import whole_file
from mlpipeline.observe.charts import Chart, Parallel

if TYPE_CHECKING:
    from collections.abc import Sequence

SUFFIXES = (".png", ".svg", ".pdf")
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")
"""Told apart also by those who see few colors (Okabe and Ito 2008), but for the yellow, which is faint on white."""
_DPI = 120
_MOST_NAMES = 12


def check(path: Path) -> None:
    """Refuses a place where no picture can be written, before anything is computed.

    Raises:
        UsageError: the suffix is of no picture.
        NotWritable: there is no such directory, or it is one.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: a picture's name ends in {', '.join(SUFFIXES)}")
    if path.is_dir() or not path.parent.is_dir():
        raise NotWritable(f"{path} cannot be written: {'it is a directory' if path.is_dir() else 'make its directory'}")


def draw(chart: Chart | Parallel, path: Path) -> Path:
    """Draws a chart into a file, which appears whole or not at all.

    Raises:
        NotWritable: the file cannot be written.
        MissingExtra: matplotlib is not installed.
    """
    check(path)
    mpl = errors.require("matplotlib", extra="plots")
    figures = errors.require("matplotlib.figure", extra="plots")
    height = 1.2 + 0.32 * len(chart.ticks) if isinstance(chart, Chart) and chart.is_bars else 4.5
    figure = figures.Figure(figsize=(8, max(2.5, height)), dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    if isinstance(chart, Parallel):
        _parallel(figure, axes, chart)
    elif chart.is_bars:
        _bars(axes, chart)
    else:
        _plane(figure, axes, chart)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_title(_plain(chart.title), loc="left", fontsize="medium")
    if chart.notes:
        figure.supxlabel(_plain("; ".join(chart.notes)), fontsize="x-small", color="0.35")
    # Letters stay letters: a picture in SVG can be searched, and is smaller.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "mlpipeline"}):
        whole_file.write(path, _bytes(figure, path.suffix.lower()[1:]))
    return path


def _bytes(figure: Any, form: str) -> bytes:
    # No date within: the same runs give the same bytes. Not into a file: of one that cannot be written to its end
    # matplotlib raises anything.
    dates: dict[str, dict[str, None]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    stream = io.BytesIO()
    figure.savefig(stream, format=form, metadata=dates[form])
    return stream.getvalue()


def _plain(name: str) -> str:
    """Returns a name that matplotlib shows as it is: a dollar sign would begin a formula."""
    return name.replace("$", r"\$")


def _bars(axes: Any, chart: Chart) -> None:
    (series,) = chart.series
    places = range(len(chart.ticks))
    colors = [_COLORS[0], *["#9ab8cc"] * (len(chart.ticks) - 1)]
    axes.barh(places, series.y, xerr=series.errors or None, color=colors, capsize=3, height=0.7)
    axes.set_yticks(places, [_plain(each) for each in chart.ticks])
    axes.invert_yaxis()
    axes.set_xlabel(_plain(chart.y_label))


def _plane(figure: Any, axes: Any, chart: Chart) -> None:
    names = list(dict.fromkeys(each.name for each in chart.series))
    told: set[str] = set()
    for each in chart.series:
        place = names.index(each.name)
        color = _COLORS[place % len(_COLORS)]
        style = "-" if place < len(_COLORS) else "--"
        label = None if each.name in told else _plain(each.name)
        told.add(each.name)
        if each.is_line:
            axes.plot(each.x, each.y, style, color=color, linewidth=1.4, label=label)
        else:
            axes.scatter(each.x, each.y, color=color, s=22, alpha=0.8, label=label, zorder=3)
    if chart.ticks:
        axes.set_xticks(range(len(chart.ticks)), [_plain(each) for each in chart.ticks])
    if chart.log_x:
        axes.set_xscale("log")
    if chart.log_y:
        axes.set_yscale("log")
    axes.set_xlabel(_plain(chart.x_label))
    axes.set_ylabel(_plain(chart.y_label))
    axes.grid(alpha=0.25)
    if 1 < len(names) <= _MOST_NAMES:
        axes.legend(frameon=False, fontsize="small")
    elif len(names) > _MOST_NAMES:
        figure.text(0.99, 0.99, f"{len(names)} versions", ha="right", va="top", fontsize="small")


def _parallel(figure: Any, axes: Any, chart: Parallel) -> None:
    shades = errors.require("matplotlib", extra="plots").colormaps["viridis"]
    colors = chart.axes[-1].places
    count = len(colors)
    for row in range(count):
        points = [(at, axis.places[row]) for at, axis in enumerate(chart.axes) if axis.places[row] is not None]
        is_best = row == chart.best
        color = "#d55e00" if is_best else shades(colors[row] or 0.0)
        width, above = (2.6, 3) if is_best else (1.0, 2)
        axes.plot(*zip(*points, strict=True), color=color, linewidth=width, zorder=above, alpha=1 if is_best else 0.6)
    for at, axis in enumerate(chart.axes):
        axes.axvline(at, color="0.3", linewidth=0.8, zorder=1)
        for place, told in axis.ticks:
            axes.annotate(_plain(told), (at, place), (4, 0), textcoords="offset points", fontsize="small", va="center",
                          bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.8}, zorder=4)  # fmt: skip
    axes.set_xticks(range(len(chart.axes)), [_plain(axis.name) for axis in chart.axes])
    axes.tick_params(axis="x", length=0, labelsize="small", rotation=15 if len(chart.axes) > 6 else 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)
    _legend(figure, axes, errors.require("matplotlib.cm", extra="plots").ScalarMappable(cmap=shades), chart)


def _legend(figure: Any, axes: Any, mappable: Any, chart: Parallel) -> None:
    metric: Sequence[tuple[float, str]] = chart.axes[-1].ticks
    bar = figure.colorbar(mappable, ax=axes, ticks=[place for place, _ in metric], pad=0.09, aspect=35)
    bar.ax.set_yticklabels([told for _, told in metric])
    bar.set_label(_plain(chart.axes[-1].name) + ("; the best in orange" if chart.best is not None else ""))
