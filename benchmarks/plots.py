"""The plots: bars that say their own value, ours in color, and lines for what grows."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Figures, Series
from benchmarks.groups import (
    cache,
    empty,
    encoding,
    growth,
    idle,
    latency,
    recording,
    search,
    serving,
    streaming,
    threads,
    training,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OURS, _OURS_TOO, _OTHERS, _INK, _QUIET = "#0b6e4f", "#7fb8a4", "#c3c7cc", "#222222", "#6b7075"
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_HEAD = {"fontsize": 11, "weight": "bold"}
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "svg.hashsalt": "mlpipeline",
    "svg.fonttype": "path",
    "text.color": _INK,
    "axes.edgecolor": _QUIET,
    "xtick.color": _QUIET,
    "ytick.color": _QUIET,
}
# measure: file, title, whether the scale is logarithmic
_BARS = {
    empty.COST: ("cost", "Cost of one run that does nothing", True),
    training.WHOLE: ("tensorflow", "A queue of small TensorFlow trainings, from nothing: seconds per run", False),
    empty.GAP: ("gap", "Last line of a run that does nothing → first line of the next", True),
    training.GAP: ("gap-tensorflow", "Last line of a TensorFlow training → first line of the next", True),
    recording.COST: ("recording", "Cost of recording one metric, of 1,000", True),
    threads.FIT: ("threads", "Each of two OpenMP trainings at once", True),
    latency.MEMORY: ("memory", "Private memory of one more TensorFlow run", False),
    encoding.ENCODE: ("encoding", "A million rows of ten columns encoded", False),
    encoding.PEAK: ("encoding-memory", "Peak of memory while they are encoded, by the size of what comes out", False),
    streaming.PEAK: ("streaming", "Peak memory of training on 20 million rows", False),
    cache.ANSWER: ("cache", "An answer of a million rows as a frame", True),
    search.WHOLE: ("search", "A search of 200 trials of a cheap model, from nothing", True),
    serving.ALONE: ("serving", "A row predicted by XGBoost over HTTP, one connection, half of all", False),
    serving.SHARE: ("serving-throughput", "The same with 32 connections: time per row", True),
    idle.MEMORY: ("idle", "Memory of a queue that has nothing to do", True),
}


def draw(figures: Figures, into: Path) -> dict[str, str]:
    """Draws what was measured. Returns each measure's plot as a path beside the page; nothing without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        return {}
    import matplotlib as mpl

    mpl.use("svg")
    into.mkdir(parents=True, exist_ok=True)
    drawn = {}
    with mpl.rc_context(_STYLE):
        for measure, (name, title, logarithmic) in _BARS.items():
            if len(rows := figures.of(measure)) > 1:
                _save(_bars(rows, title, logarithmic=logarithmic), into / f"{name}.svg")
                drawn[measure] = f"{into.name}/{name}.svg"
        if len(lines := _histories(figures)) > 1:
            _save(_lines(lines), into / "growth.svg")
            drawn[growth.after(0)] = f"{into.name}/growth.svg"
    return drawn


def _save(figure: Figure, path: Path) -> None:
    import matplotlib.pyplot as plt

    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight", facecolor="white", pad_inches=0.15)
    plt.close(figure)


def _is_ours(tool: str) -> bool:
    return tool.startswith("mlpipeline")


def _color(tool: str) -> str:
    if not _is_ours(tool):
        return _OTHERS
    return _OURS_TOO if "cold" in tool else _OURS


def label(value: float, unit: str) -> str:
    """Writes a figure in the unit that suits it, with two digits."""
    if unit not in _SECONDS:
        return f"{value:.3g} {unit}"
    seconds = value * _SECONDS[unit]
    name, size = next(
        pair for pair in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)) if seconds >= pair[1] * 0.95
    )
    figure = seconds / size
    return f"{figure:,.0f} {name}" if figure >= 10 else f"{figure:.1f} {name}"


def _bars(rows: Sequence[Series], title: str, *, logarithmic: bool) -> Figure:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 0.36 * len(rows) + 0.7))
    medians = [each.median for each in rows]
    least = min(medians) / 3 if logarithmic else 0.0
    axes.barh(range(len(rows)), [value - least for value in medians], left=least, height=0.68, color=_colors(rows))
    if logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(least, max(medians) * 6)
    else:
        axes.set_xlim(0, max(medians) * 1.15)
    for place, each in enumerate(rows):
        weight = "bold" if _is_ours(each.tool) else "normal"
        axes.annotate(
            label(each.median, each.unit),
            (each.median, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            weight=weight,
        )
    axes.set_yticks(range(len(rows)), [each.tool.replace("`", "") for each in rows])
    for text, each in zip(axes.get_yticklabels(), rows, strict=True):
        text.set_color(_INK)
        text.set_weight("bold" if _is_ours(each.tool) else "normal")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    _bare(axes, title + (" (log scale)" if logarithmic else ""))
    axes.tick_params(left=False, bottom=False, labelbottom=False, which="both")
    axes.spines["bottom"].set_visible(False)
    return figure


def _colors(rows: Sequence[Series]) -> list[str]:
    return [_color(each.tool) for each in rows]


def _bare(axes: Axes, title: str) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color(_QUIET)
    axes.set_title(title, loc="left", pad=10, **_HEAD)


def _histories(figures: Figures) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for size in growth.SIZES:
        for each in figures.of(growth.after(size)):
            found.setdefault(each.tool, []).append((size, each.median))
    return found


def _lines(lines: dict[str, list[tuple[int, float]]]) -> Figure:
    """Draws a panel for each tool, on the same scales."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(lines), figsize=(2.6 * len(lines), 2.4), sharey=True, squeeze=False)
    largest = max(size for points in lines.values() for size, _ in points)
    highest = max(cost for points in lines.values() for _, cost in points)
    ours_first = sorted(lines.items(), key=lambda line: (not _is_ours(line[0]), line[0]))
    for axes, (tool, points) in zip(panels[0], ours_first, strict=True):
        color = _OURS if _is_ours(tool) else _QUIET
        sizes, costs = zip(*points, strict=True)
        axes.plot(sizes, costs, color=color, linewidth=2, marker="o", markersize=4)
        axes.annotate(
            f"{label(costs[-1], 'ms')}, {costs[-1] / costs[0]:.1f} x",
            (sizes[-1], costs[-1]),
            (0, 8),
            textcoords="offset points",
            ha="right" if sizes[-1] == largest else "center",
            color=color,
            weight="bold",
        )
        axes.set_xscale("symlog", linthresh=100, linscale=0.5)
        axes.set_xlim(-10, largest * 1.6)
        axes.set_ylim(0, highest * 1.25)
        axes.set_xticks([0, 1_000, 100_000], ["0", "1k", "100k"])
        axes.minorticks_off()
        axes.set_title(tool, loc="left", fontsize=10, color=color, weight="bold")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    panels[0][0].set_ylabel("ms per run", color=_QUIET)
    panels[0][0].set_xlabel("runs recorded before", color=_QUIET, loc="left")
    figure.suptitle(
        "A run that does nothing, as the history grows: last cost against first", x=0.07, y=1.08, ha="left", **_HEAD
    )
    return figure
