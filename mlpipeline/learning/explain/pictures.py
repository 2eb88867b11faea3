"""Explanations as pictures in files; matplotlib's figures alone, so that no global state and no window is touched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.errors import DataFault

if TYPE_CHECKING:
    from mlpipeline.learning.explain.contributions import Contributions

_MOST = 20
_MOST_FORCES = 6
_MOST_LETTERS = 28
_UP, _DOWN, _PLAIN = "#c0392b", "#2471a3", "#34618a"
_SUFFIXES = (".png", ".svg", ".pdf")
_DPI = 120


def bars(path: Path, sizes: pd.Series, deviations: pd.Series | None, *, title: str, label: str) -> Path:
    """Draws horizontal bars, the largest on top."""
    shown, rest = sizes.iloc[:_MOST][::-1], len(sizes) - _MOST
    figure, axes = _figure(path, height=1.1 + 0.3 * len(shown))
    error = None if deviations is None else deviations.iloc[:_MOST][::-1].to_numpy()
    axes.barh(range(len(shown)), shown.to_numpy(), xerr=error, color=_PLAIN, capsize=3)
    axes.set_yticks(range(len(shown)), [_cut(name) for name in shown.index])
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel(label)
    axes.set_title(title if rest <= 0 else f"{title}; {rest} more are smaller", fontsize="medium", loc="left")
    return _written(figure, path)


def summary(path: Path, told: Contributions, output: str | None) -> Path:
    """Draws a dot for each row and encoder: how far to the right is what it adds, its color what was read."""
    which = 0 if output is None else told.place(output)
    order = list(told.table(told.outputs[which]).index[:_MOST])
    figure, axes = _figure(path, height=1.4 + 0.42 * len(order))
    points = None
    for height, name in enumerate(reversed(order)):
        place = told.encoders.index(name)
        values = told.values[:, which, place]
        heights = height + _spread(values)
        shades = _shades(told, place)
        if shades is None:
            axes.scatter(values, heights, s=9, color="0.6")
        else:
            points = axes.scatter(values, heights, s=9, c=shades, cmap="coolwarm", vmin=0, vmax=1)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(order)), [_cut(name) for name in reversed(order)])
    axes.set_xlabel(f"contribution to {told.outputs[which]} ({told.unit})")
    axes.set_title(f"{len(told.rows):,} rows; grey is no number, or missing", fontsize="medium", loc="left")
    if points is not None:
        bar = figure.colorbar(points, ax=axes, ticks=[0, 1], aspect=30, pad=0.02)
        bar.ax.set_yticklabels(["low", "high"])
        bar.set_label("value", labelpad=-14)
    return _written(figure, path)


def force(path: Path, told: Contributions, place: int, output: str | None) -> Path:
    """Draws what leads from the base to the prediction of a row, one step after the other, the largest first."""
    table = told.row(place, output)
    which = told.place(output) if output is not None else int(told.predicted[place].argmax())
    base, end = float(told.base[which]), float(told.predicted[place, which])
    steps = [(_label(name, value), float(each)) for name, value, each in table.iloc[:_MOST_FORCES].itertuples()]
    others = float(table["contribution"].iloc[_MOST_FORCES:].sum())
    if len(table) > _MOST_FORCES:
        steps.append((f"{len(table) - _MOST_FORCES} others", others))
    figure, axes = _figure(path, height=1.6 + 0.36 * len(steps))
    at = base
    for height, (_, each) in zip(range(len(steps) - 1, -1, -1), steps, strict=True):
        axes.barh(height, each, left=at, color=_UP if each > 0 else _DOWN, height=0.6)
        beside = (max(at, at + each), height)
        axes.annotate(f"{each:+.3g}", beside, (4, 0), textcoords="offset points", va="center", fontsize=8)
        if height:
            axes.plot([at + each, at + each], [height - 0.7, height + 0.3], color="0.5", linewidth=0.8)
        at += each
    axes.axvline(base, color="0.5", linestyle=":", linewidth=1)
    axes.axvline(end, color="black", linewidth=1)
    axes.set_yticks(range(len(steps)), [label for label, _ in reversed(steps)])
    axes.set_ylim(-0.8, len(steps) - 0.2)
    marks = [base, *(base + np.cumsum([each for _, each in steps]))]
    room = 0.12 * (max(marks) - min(marks)) or 1.0
    axes.set_xlim(min(marks) - room, max(marks) + room)
    axes.set_xlabel(f"{told.outputs[which]} ({told.unit})")
    axes.set_title(f"Row {place}: from {base:.4g}, the base, to {end:.4g}", fontsize="medium", loc="left")
    return _written(figure, path)


def _figure(path: Path, *, height: float) -> tuple[Any, Any]:
    if path.suffix.lower() not in _SUFFIXES:
        raise DataFault(f"{path}: a picture's name ends in {', '.join(_SUFFIXES)}")
    figures = errors.require("matplotlib.figure", extra="explain")
    figure = figures.Figure(figsize=(8, height), layout="constrained")
    return figure, figure.add_subplot()


def _written(figure: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Text of names must not be taken for formulas, nor the date make two pictures of the same differ.
    figure.savefig(path, dpi=_DPI, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
    return path


def _spread(values: np.ndarray) -> np.ndarray:
    """Returns how far each dot is moved up or down, so that dots of like values do not hide each other."""
    if not len(values) or np.ptp(values) == 0:
        return np.linspace(-0.35, 0.35, len(values)) if len(values) > 1 else np.zeros(len(values))
    bins = np.floor((values - values.min()) / np.ptp(values) * 60).astype(int)
    order = np.argsort(bins, kind="stable")
    counts = np.bincount(bins)
    ranks = np.empty(len(values))
    ranks[order] = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
    sides = np.where(ranks % 2 == 0, 1, -1) * np.ceil(ranks / 2)
    return np.asarray(sides / max(1.0, counts.max() / 2) * 0.35)


def _shades(told: Contributions, place: int) -> np.ndarray | None:
    """Returns from 0 to 1 how large each row's value is among all; None where it is no number."""
    names = told.inputs[place]
    column = told.rows[names[0]] if len(names) == 1 else None
    if column is None or not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)):
        return None
    ranked: np.ndarray = column.rank(method="average", pct=True).to_numpy(dtype=np.float64, na_value=np.nan)
    return ranked


def _label(name: Any, value: Any) -> str:
    return _cut(f"{name} = {value}", _MOST_LETTERS + 12)


def _cut(text: Any, most: int = _MOST_LETTERS) -> str:
    """Returns a name that is not too long, and no formula."""
    plain = str(text)
    return (plain if len(plain) <= most else f"{plain[: most - 1]}…").replace("$", r"\$")
