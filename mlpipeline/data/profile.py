"""What can be said of each column of a frame in numbers: kind, missing values, range, distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.data.drift import is_ordered, numbers
from mlpipeline.data.schema import kind_of

BINS = 30
LEVELS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """One column.

    Attributes:
        kind: as the schema calls it: integer, number, string, …
        dtype: of pandas.
        rows, missing, distinct: how many; distinct values do not count what is missing.
        facts: further numbers by what they are called, in order, as text.
        labels: of the bars: the lower ends of bins, one more than there are bars, or the most frequent values.
        counts: of the bars.
        is_binned: whether the bars are bins of numbers or times, else values.
        notes: what a person should look at.
    """

    name: str
    kind: str
    dtype: str
    rows: int
    missing: int
    distinct: int
    facts: dict[str, str]
    labels: tuple[str, ...]
    counts: tuple[int, ...]
    is_binned: bool
    notes: tuple[str, ...] = ()

    @property
    def missing_share(self) -> float:
        """The share of rows without a value."""
        return self.missing / self.rows if self.rows else 0.0


def profile(frame: pd.DataFrame, beside: pd.DataFrame | None = None) -> list[ColumnProfile]:
    """Returns a profile of each column, in order.

    Args:
        frame: what is described.
        beside: rows that it is shown beside: histograms of both have the same bins.
    """
    others = {} if beside is None else {str(name): beside.iloc[:, place] for place, name in enumerate(beside.columns)}
    return [column(str(name), frame.iloc[:, place], others.get(str(name))) for place, name in enumerate(frame.columns)]


def column(name: str, values: pd.Series, beside: pd.Series | None = None) -> ColumnProfile:
    """Returns the profile of one column; its bins reach over the values that it is shown beside as well."""
    present = values.dropna()
    distinct = distinct_count(present)
    is_binned = is_ordered(values) and distinct > LEVELS
    labels, counts = _binned(values, beside) if is_binned else _levels(present)
    return ColumnProfile(
        name=name,
        kind=kind_of(values),
        dtype=str(values.dtype),
        rows=len(values),
        missing=len(values) - len(present),
        distinct=distinct,
        facts=_facts(present) if is_ordered(values) and len(present) else {},
        labels=labels,
        counts=counts,
        is_binned=is_binned,
        notes=_notes(values, present, distinct),
    )


def distinct_count(present: pd.Series) -> int:
    """Returns how many values there are; lists and the like count by what they look like."""
    try:
        return int(present.nunique())
    except TypeError:
        return int(present.astype(str).nunique())


def duplicated(frame: pd.DataFrame) -> int:
    """Returns how many rows are the same as an earlier one."""
    try:
        return int(frame.duplicated().sum())
    except TypeError:
        return int(frame.astype(str).duplicated().sum())


def shown(value: Any) -> str:
    """Returns a number or time as a person reads it: five digits, or days where there are no hours."""
    if isinstance(value, pd.Timestamp):
        return str(value.date()) if value == value.normalize() else value.isoformat(" ", "seconds")
    if isinstance(value, float | np.floating):
        return f"{float(value):.5g}"
    return str(value)


def _facts(present: pd.Series) -> dict[str, str]:
    if present.dtype.kind == "f":
        present = present[np.isfinite(present)]
    if not len(present):
        return {}
    quantiles = present.quantile([0, 0.25, 0.5, 0.75, 1], interpolation="nearest")
    names = ("minimum", "lower quartile", "median", "upper quartile", "maximum")
    found = dict(zip(names, map(shown, quantiles), strict=True))
    found["mean"] = shown(present.mean())
    if len(present) > 1:
        found["standard deviation"] = shown(present.std())
    if pd.api.types.is_numeric_dtype(present.dtype):
        found["zeros"] = str(int((present == 0).sum()))
    return found


def _binned(values: pd.Series, beside: pd.Series | None) -> tuple[tuple[str, ...], tuple[int, ...]]:
    own = numbers(values)
    is_alike = beside is not None and is_ordered(beside) and _is_time(beside) == _is_time(values)
    both = np.concatenate([own, numbers(beside)]) if is_alike and beside is not None else own
    counts, edges = np.histogram(own, bins=BINS, range=(both.min(), both.max()) if len(both) else None)
    if not _is_time(values):
        return tuple(shown(each) for each in edges), tuple(map(int, counts))
    ends = edges.astype("int64").astype("timedelta64[us]" if values.dtype.kind == "m" else "datetime64[us]")
    return tuple(shown(each) for each in pd.Series(ends)), tuple(map(int, counts))


def _is_time(values: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(values.dtype)


def _levels(present: pd.Series) -> tuple[tuple[str, ...], tuple[int, ...]]:
    text = present.astype(str)
    counts = text.value_counts().head(LEVELS)
    if is_ordered(present):
        counts = counts.loc[list(dict.fromkeys(present.sort_values().astype(str)))]
    elif len(text) > (known := int(counts.sum())):
        counts = pd.concat([counts, pd.Series({"(others)": len(text) - known})])
    return tuple(map(str, counts.index)), tuple(map(int, counts))


def _notes(values: pd.Series, present: pd.Series, distinct: int) -> tuple[str, ...]:
    found = []
    if not len(present):
        found.append("has no value")
    elif distinct == 1:
        found.append("is constant")
    elif distinct == len(present) and not is_ordered(values) and len(present) > LEVELS:
        found.append("each value occurs once: it names rows")
    if pd.api.types.is_float_dtype(values.dtype) and not np.isfinite(present.to_numpy(dtype=np.float64)).all():
        found.append("has infinite values")
    return tuple(found)
