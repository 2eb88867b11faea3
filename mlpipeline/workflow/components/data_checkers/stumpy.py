"""Finds what stands out of a time series: stretches that are least like any other, by its matrix profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.config_text import near_or_known
from mlpipeline.errors import DataFault
from mlpipeline.workflow.components import places
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.contract import Finding, Report, Status
from mlpipeline.workflow.types.data import DataChecker

_WIDTH, _HEIGHT = 900, 160
_LEAST_WINDOW = 3


class StumpyMatrixProfiler(DataChecker):
    """Looks for discords: `pip install 'mlpipeline[matrix-profile]'`. The first call compiles for half a minute.

    Attributes:
        stumpy_columns: of numbers; by default all but the time.
        time_index: the column of time; by default rows are in order already.
        stumpy_window_size: how many rows a stretch has; each window is looked at by itself.
        stumpy_num_discords: how many stretches are told.
        stumpy_warn_distance: a discord that is farther from its nearest neighbor is a WARN; by default none is. The
            z-normalized distance lies between 0 and 2 times the root of the window.
        local_dir: where pages go; by default the run's directory, or the project's outputs.
    """

    stumpy_columns: list[str] | None = None
    time_index: str | None = None
    stumpy_window_size: Sequence[int] = (30,)
    stumpy_num_discords: int = 3
    stumpy_warn_distance: float | None = None
    local_dir: str | None = None

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns which windows are too short."""
        windows = values.get("stumpy_window_size") or ()
        short = [each for each in windows if isinstance(each, int) and each < _LEAST_WINDOW]
        return {"stumpy_window_size": f"has {short[0]}: {_LEAST_WINDOW} rows or more are needed"} if short else {}

    @side_effects
    def check_data(self, data: pd.DataFrame, reference: pd.DataFrame | None = None) -> Report:
        """Returns the discords of each column and window; it needs no `reference`."""
        ordered = data if self.time_index is None else data.sort_values(self._there(self.time_index, data))
        found: list[Finding] = []
        charts: list[str] = []
        for name in self._columns(ordered):
            values = ordered[name].to_numpy(dtype=np.float64)
            for window in self.stumpy_window_size:
                starts, distances = self._discords(name, values, window)
                found += self._findings(name, window, starts, distances, ordered)
                charts.append(_chart(f"{name}, {window} rows", values, starts, window))
        path = places.new_file(self, self.local_dir, "matrix_profile", ".html")
        path.write_text(f'<!doctype html><meta charset="utf-8"><title>Matrix profile</title>{"".join(charts)}', "utf-8")
        return Report(name="matrix_profile", findings=tuple(found), path=str(path))

    def _discords(self, name: str, values: Any, window: int) -> tuple[list[int], list[float]]:
        """Returns where the most unlike stretches begin, none within another, and how far each is from its nearest."""
        if len(values) < 2 * window:
            raise DataFault(f"{name}: {len(values)} rows are too few for windows of {window}: give twice as many")
        stumpy = errors.require("stumpy", extra="matrix-profile")
        profile = stumpy.stump(values, m=window)[:, 0].astype(np.float64)
        profile = np.where(np.isfinite(profile), profile, -np.inf)  # stretches with gaps
        starts: list[int] = []
        distances: list[float] = []
        while len(starts) < self.stumpy_num_discords and np.isfinite(profile).any():
            start = int(np.argmax(profile))
            starts.append(start)
            distances.append(float(profile[start]))
            profile[max(start - window + 1, 0) : start + window] = -np.inf
        return starts, distances

    def _findings(
        self, name: str, window: int, starts: list[int], distances: list[float], data: pd.DataFrame
    ) -> Iterator[Finding]:
        labels = data.index if self.time_index is None else pd.Index(data[self.time_index])
        for start, distance in zip(starts, distances, strict=True):
            is_far = self.stumpy_warn_distance is not None and distance > self.stumpy_warn_distance
            message = f"{window} rows from {labels[start]} on are the least like others: distance {distance:.3g}"
            yield Finding(
                name=f"discord.{name}.{window}",
                status=Status.WARN if is_far else Status.PASS,
                value=round(distance, 6),
                message=message,
            )

    def _columns(self, data: pd.DataFrame) -> list[str]:
        if self.stumpy_columns is not None:
            return [self._there(name, data) for name in self.stumpy_columns]
        found = [str(each) for each in data.select_dtypes("number").columns if each != self.time_index]
        if not found:
            raise DataFault("there is no column of numbers to look at: name some in stumpy_columns")
        return found

    def _there(self, name: str, data: pd.DataFrame) -> str:
        if name not in data.columns:
            raise DataFault(f"there is no column {name!r}.{near_or_known(name, map(str, data.columns))}")
        return name


def _chart(title: str, values: Any, starts: list[int], window: int) -> str:
    """Returns the series as inline SVG, with its discords."""
    present = values[np.isfinite(values)]
    least, span = float(present.min()), float(np.ptp(present)) or 1.0
    step = _WIDTH / max(len(values) - 1, 1)
    marks = "".join(
        f'<rect x="{start * step:.1f}" y="0" width="{window * step:.1f}" height="{_HEIGHT}" fill="#d08a2e55"/>'
        for start in starts
    )
    points = " ".join(
        f"{place * step:.1f},{_HEIGHT - (value - least) / span * _HEIGHT:.1f}"
        for place, value in enumerate(values)
        if np.isfinite(value)
    )
    line = f'<polyline fill="none" stroke="#3b6fb6" points="{points}"/>'
    box = f'<svg viewBox="0 -2 {_WIDTH} {_HEIGHT + 4}" width="100%" role="img">{marks}{line}</svg>'
    return f"<h2>{escape(title)}</h2>{box}"
