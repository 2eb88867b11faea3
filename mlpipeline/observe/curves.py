"""Learning curves: what a run recorded over all its attempts, as arrays, and as few points as a picture needs."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpipeline import wire

if TYPE_CHECKING:
    from mlpipeline.run import Run

POINTS = 1000
"""So many points are more than a screen shows side by side."""
_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric over steps: `steps` of int64 ascending, `values` of float64; NaN and infinities stay."""

    steps: np.ndarray
    values: np.ndarray

    @property
    def finite(self) -> Curve:
        """The points whose value is a finite number."""
        good = np.isfinite(self.values)
        return self if good.all() else Curve(self.steps[good], self.values[good])

    def positive(self, *, x: bool = False, y: bool = False) -> Curve:
        """Returns the points above 0, which are those that a logarithmic axis has."""
        good = ((self.steps > 0) | (not x)) & ((self.values > 0) | (not y))
        return self if good.all() else Curve(self.steps[good], self.values[good])

    def __len__(self) -> int:
        return len(self.steps)


def of_run(root: Path, run: Run) -> dict[str, Curve]:
    """Returns what a run recorded, by metric. What a later attempt recorded again counts in its place.

    Args:
        root: of the project.
        run: its attempts' directories may be gone; then nothing was recorded.
    """
    found: dict[str, Curve] = {}
    for attempt in run.attempts:
        for name, curve in read(root / attempt.directory / wire.METRICS).items():
            found[name] = _continued(found[name], curve) if name in found else curve
    return found


def _continued(before: Curve, after: Curve) -> Curve:
    """Joins the curves of two attempts: the second one begins at its checkpoint, and knows better from there on."""
    kept = int(np.searchsorted(before.steps, after.steps[0]))
    return Curve(
        np.concatenate([before.steps[:kept], after.steps]), np.concatenate([before.values[:kept], after.values])
    )


def read(path: str | PathLike[str]) -> dict[str, Curve]:
    """Reads a file of recorded metrics; a torn line is passed over, and a missing file is an empty one.

    A row without a step has that of its place, from 1. Where a step was recorded twice, the last value counts.
    """
    steps: dict[str, list[int]] = defaultdict(list)
    values: dict[str, list[float]] = defaultdict(list)
    for place, row in enumerate(_rows(path), 1):
        told, step = row.get("values"), row.get("step")
        if not isinstance(told, dict):
            continue
        step = step if isinstance(step, int) and abs(step) < 1 << 62 else place
        for name, value in told.items():
            steps[name].append(step)
            values[name].append(value)
    found = {name: _curve(steps[name], values[name]) for name in steps}
    return {name: curve for name, curve in found.items() if len(curve)}


def _curve(steps: Sequence[int], told: Sequence[Any]) -> Curve:
    try:
        values = np.asarray(told, dtype=np.float64)  # also reads "nan" and "inf", as these are written
    except (TypeError, ValueError):
        values = np.empty((0, 0))
    if values.ndim != 1:
        pairs = [(step, each) for step, told_ in zip(steps, told, strict=True) for each in _number(told_)]
        steps, values = [step for step, _ in pairs], np.array([each for _, each in pairs], dtype=np.float64)
    at = np.asarray(steps, dtype=np.int64)
    if (at[1:] > at[:-1]).all():
        return Curve(at, values)
    order = np.argsort(at, kind="stable")
    at, values = at[order], values[order]
    last = np.append(at[1:] != at[:-1], True)
    return Curve(at[last], values[last])


def _number(told: Any) -> Iterator[float]:
    try:
        yield float(told)
    except (TypeError, ValueError):
        return  # text of a foreign writer


def _rows(path: str | PathLike[str]) -> Iterator[dict[str, Any]]:
    """Yields the rows of a file. Many lines at once are read in half the time that they take one by one."""
    try:
        file = open(path, encoding="utf-8", errors="replace")  # noqa: SIM115 - closed below, after a missing one is told
    except (FileNotFoundError, NotADirectoryError):
        return
    with file:
        while lines := list(itertools.islice(file, _LINES)):
            try:
                rows = json.loads(f"[{','.join(lines)}]")
            except ValueError:
                rows = [each for line in lines for each in _row(line)]
            yield from (row for row in rows if isinstance(row, dict))


def _row(line: str) -> Iterator[Any]:
    try:
        yield json.loads(line)
    except ValueError:
        return


def downsampled(curve: Curve, most: int = POINTS, *, log_x: bool = False, log_y: bool = False) -> Curve:
    """Returns the points that keep a curve's look: by largest triangles (Steinarsson 2013, section 4.2).

    Args:
        curve: what is not finite is left out.
        most: how many points at most, from 3 on; a curve of no more is returned as it is.
        log_x: it is looked at over a logarithmic axis, which has room for more of the first points.
        log_y: likewise; what such an axis does not have is left out.
    """
    curve = curve.finite.positive(x=log_x, y=log_y)
    if len(curve) <= max(3, most):
        return curve
    x = np.log(curve.steps) if log_x else curve.steps.astype(np.float64)
    y = np.log(curve.values) if log_y else curve.values
    # A spread beyond float64's range, as a loss that explodes has, would overflow in the areas.
    largest = np.abs(y).max()
    scaled = y / largest if largest > 0 else y
    spaced = np.geomspace if log_x else np.linspace
    edges = np.unique(spaced(1, len(x) - 1, max(3, most) - 1).astype(np.int64))
    means = _means(x, edges), _means(scaled, edges)
    chosen = np.empty(len(edges) + 1, dtype=np.int64)
    chosen[0], chosen[-1] = 0, len(x) - 1
    at = 0
    for place in range(len(edges) - 1):
        low, high = edges[place], edges[place + 1]
        is_last = place + 2 == len(edges)
        next_x, next_y = (x[-1], scaled[-1]) if is_last else (means[0][place + 1], means[1][place + 1])
        rise, run = scaled[low:high] - scaled[at], x[at] - x[low:high]
        at = int(low + np.abs((x[at] - next_x) * rise - run * (next_y - scaled[at])).argmax())
        chosen[place + 1] = at
    return Curve(curve.steps[chosen], curve.values[chosen])


def _means(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Returns the mean of each bucket between two edges."""
    return np.add.reduceat(values[: edges[-1]], edges[:-1]) / np.diff(edges)
