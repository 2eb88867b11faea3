"""What a synthetic column keeps of a real one: shares of what occurs often, quantiles of what varies, no rare value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors

Array = np.ndarray[Any, np.dtype[Any]]

GRID = np.linspace(0, 1, 201)
"""The quantiles that are kept."""

FREQUENT_SHARE = 0.9
"""A column of numbers is drawn by frequencies where this share of its rows has a frequent value, else by quantiles."""

FAR = 0.05
"""A value is not moved further than this share of what all of them span."""

DECIMALS = 6
"""Numbers with at most these decimals keep as many as they have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What is kept of one column.

    Attributes:
        name: of the column.
        dtype: of what is drawn; categories are without the rare ones.
        missing: the share of rows without a value.
    """

    name: Any
    dtype: Any
    missing: float

    def draw(self, chances: Array, absent: Array) -> pd.Series:
        """Returns one value for each row.

        Args:
            chances: where each value lies among all of them, evenly over 0 to 1.
            absent: the same for whether it is missing.
        """
        values = self.values(chances).astype(self.dtype)
        return values.mask(absent > 1 - self.missing) if self.missing else values

    def values(self, chances: Array) -> pd.Series:
        """Returns one value for each chance."""
        raise TypeError(f"{type(self).__name__} does not say what its values are")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequencies(Column):
    """Values that may occur, in an order, and how often.

    Attributes:
        levels: the values; without any, everything is missing.
        shares: of the rows; their sum is 1.
    """

    levels: pd.Series
    shares: Array

    def values(self, chances: Array) -> pd.Series:
        if self.levels.empty:
            return pd.Series([None] * len(chances), dtype=object)
        places = np.searchsorted(np.cumsum(self.shares), chances, side="right")
        return self.levels.take(np.minimum(places, len(self.levels) - 1)).reset_index(drop=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles(Column):
    """How numbers, dates or durations spread.

    Attributes:
        edges: the counts at `GRID`.
        step: what a count of one stands for, in whole numbers, microseconds or the like.
        divisor: of decimal fractions, a power of ten; zero where numbers have no last decimal.
        rare: the counts that no row may have, in ascending order.
    """

    edges: Array
    step: int = 1
    divisor: int = 1
    rare: Array

    def values(self, chances: Array) -> pd.Series:
        drawn = np.interp(chances, GRID, self.edges)
        if not self.divisor:
            return pd.Series(_past(drawn.astype(getattr(self.dtype, "numpy_dtype", self.dtype)), self.rare))
        counts = _beside(np.rint(drawn).astype(np.int64), self.rare, self.edges)
        return _restored(counts * self.step, self.dtype) if self.divisor == 1 else pd.Series(counts / self.divisor)


def portrayed(values: pd.Series, minimum: int, others: Sequence[pd.Series]) -> tuple[Column, pd.Series]:
    """Returns what is kept of a column, and the ranks of its rows, 0 to 1, in the order in which it is drawn.

    Args:
        values: the column.
        minimum: a value in fewer rows is rare.
        others: ranks of columns that have an order: what has none is put in the one that goes best with one of these.

    Raises:
        DataFault: when the column holds lists or the like.
    """
    if has_order(values):
        return _ordered(values, minimum), values.rank(pct=True).astype(np.float64)
    try:
        return _nominal(values, minimum, others)
    except TypeError as error:
        raise errors.DataFault(f"column '{values.name}' holds what cannot be compared: leave it out") from error


def has_order(values: pd.Series) -> bool:
    """Says whether a column holds numbers, flags, dates or durations."""
    types = pd.api.types
    return bool(
        types.is_numeric_dtype(values.dtype)
        or types.is_datetime64_any_dtype(values.dtype)
        or types.is_timedelta64_dtype(values.dtype)
    )


def unseen(name: Any, dtype: Any, *, missing: float = 0.0) -> Column:
    """Returns the portrait of a column of which only the type is known.

    Raises:
        DataFault: when nothing can be made up of that type.
    """
    types = pd.api.types
    kept: dict[str, Any] = {"name": name, "dtype": dtype, "missing": missing}
    if types.is_bool_dtype(dtype):
        return Frequencies(**kept, levels=pd.Series([False, True]), shares=np.full(2, 0.5))
    if isinstance(dtype, pd.CategoricalDtype) and len(dtype.categories):
        levels = pd.Series(dtype.categories)
        return Frequencies(**kept, levels=levels, shares=np.full(len(levels), 1 / len(levels)))
    if types.is_integer_dtype(dtype):
        return Quantiles(**kept, edges=GRID * 99, rare=np.array([]))
    if types.is_float_dtype(dtype):
        return Quantiles(**kept, edges=GRID, divisor=0, rare=np.array([]))
    if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        day = pd.Timedelta(days=1) // pd.Timedelta(1, unit=_unit(dtype))
        return Quantiles(**kept, edges=GRID * 9999, step=day, rare=np.array([]))
    if types.is_string_dtype(dtype):
        return Frequencies(**kept, levels=_made_up(name, 10, set()), shares=np.full(10, 0.1))
    raise errors.DataFault(f"column '{name}': nothing can be made up of type {dtype}: leave it out")


def _ordered(values: pd.Series, minimum: int) -> Column:
    present = values.dropna()
    missing = float(values.isna().mean()) if len(values) else 0.0
    counts = present.value_counts()
    frequent = counts[counts >= minimum].sort_index()
    is_flag = bool(pd.api.types.is_bool_dtype(values.dtype))
    if len(frequent) and (is_flag or frequent.sum() >= FREQUENT_SHARE * len(present)):
        levels, shares = pd.Series(frequent.index), (frequent / frequent.sum()).to_numpy(dtype=np.float64)
        return Frequencies(name=values.name, dtype=values.dtype, missing=missing, levels=levels, shares=shares)
    counted = _counted(present)
    if is_flag or len(counted[0]) < minimum:
        return unseen(values.name, values.dtype, missing=missing)
    return _spread(values, minimum, missing, *counted)


def _spread(values: pd.Series, minimum: int, missing: float, counts: Array, step: int, divisor: int) -> Quantiles:
    """Returns the quantiles of a column; what lies outside the rows that are `minimum` from the end is drawn in."""
    ordered = np.sort(counts)
    edges = np.quantile(np.clip(ordered, ordered[minimum - 1], ordered[-minimum]), GRID)
    distinct, occurrences = np.unique(ordered, return_counts=True)
    rare = distinct[occurrences < minimum]
    kept: dict[str, Any] = {"name": values.name, "dtype": values.dtype, "missing": missing}
    return Quantiles(**kept, edges=edges, step=step, divisor=divisor, rare=rare)


def _counted(present: pd.Series) -> tuple[Array, int, int]:
    """Returns numbers, dates or durations as counts of a step, the step, and the divisor of decimals (0: none)."""
    if not pd.api.types.is_float_dtype(present.dtype):
        whole = present.astype(np.int64).to_numpy()
        step = int(np.gcd.reduce(whole)) or 1
        return whole // step, step, 1
    numbers = present.to_numpy(dtype=np.float64)
    numbers = numbers[np.isfinite(numbers)]
    for divisor in 10 ** np.arange(DECIMALS + 1):
        if not (np.abs(numbers) < 2**53 / divisor).all():
            break
        counts = np.rint(numbers * divisor)
        if np.array_equal(counts / divisor, numbers):
            return counts.astype(np.int64), 1, int(divisor)
    return numbers, 1, 0


def _past(numbers: Array, rare: Array) -> Array:
    """Moves numbers that are rare towards zero, and past it, to the next that a float can be."""
    towards = np.where(numbers > 0, -np.inf, np.inf).astype(numbers.dtype)
    while (is_rare := np.isin(numbers, rare)).any():
        numbers = np.where(is_rare, np.nextafter(numbers, towards), numbers)
    return numbers


def _beside(counts: Array, rare: Array, edges: Array) -> Array:
    """Moves counts that are rare to the nearest one that is not, or beyond all where that is far, as with keys."""
    if not len(rare):
        return counts
    places = np.searchsorted(rare, counts)
    is_rare = rare[np.minimum(places, len(rare) - 1)] == counts
    ends = np.flatnonzero(np.append(np.diff(rare) != 1, True))
    starts = np.append(0, ends[:-1] + 1)
    stretch = np.searchsorted(ends, places[is_rare])
    found, lower, upper = counts[is_rare], rare[starts[stretch]] - 1, rare[ends[stretch]] + 1
    down = np.where(lower < edges[0], np.inf, found - lower)
    up = np.where(upper > edges[-1], np.inf, upper - found)
    span = rare[-1] - rare[0] + 1
    near = np.where(down < up, lower, upper)
    moved = counts.copy()
    moved[is_rare] = np.where(np.minimum(down, up) > max(1, FAR * span), found + span, near)
    return moved


def _restored(whole: Array, dtype: Any) -> pd.Series:
    """Returns whole numbers as the dates or durations that they stand for; other types take them as they are."""
    found = pd.Series(whole)
    if isinstance(dtype, pd.DatetimeTZDtype):
        return found.astype(f"datetime64[{dtype.unit}]").dt.tz_localize("UTC").dt.tz_convert(dtype.tz)
    return found


def _unit(dtype: Any) -> str:
    return str(dtype.unit) if isinstance(dtype, pd.DatetimeTZDtype) else np.datetime_data(dtype)[0]


def _nominal(values: pd.Series, minimum: int, others: Sequence[pd.Series]) -> tuple[Column, pd.Series]:
    codes, distinct = pd.factorize(values)
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    is_rare = counts < minimum
    # All rare values are one group: what each of them has to do with other columns is nobody's business.
    groups = pd.Series(np.where(is_rare, len(distinct), np.arange(len(distinct)))[codes] if len(distinct) else codes)
    groups = groups.where(codes >= 0)
    places = _arranged(groups, others)
    known = pd.Series(distinct).astype(object)
    made_up = _made_up(values.name, int(is_rare.sum()), set(distinct)) if _is_text(known) else known.iloc[:0]
    means = places.groupby(groups).first().reindex(range(len(distinct) + 1)).to_numpy()
    levels = pd.concat([known[~is_rare], made_up], ignore_index=True)
    shares = np.append(counts[~is_rare], np.full(len(made_up), counts[is_rare].sum() / max(len(made_up), 1)))
    order = np.argsort(np.append(means[:-1][~is_rare], np.full(len(made_up), means[-1])), kind="stable")
    return _drawn_from(values, levels.iloc[order].reset_index(drop=True), shares[order]), places.rank(pct=True)


def _drawn_from(values: pd.Series, levels: pd.Series, shares: Array) -> Column:
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        known = set(dtype.categories)
        kept = dtype.categories[dtype.categories.isin(levels)]
        dtype = pd.CategoricalDtype([*kept, *(level for level in levels if level not in known)], ordered=dtype.ordered)
    missing = float(values.isna().mean()) if len(values) else 0.0
    shares = shares / max(shares.sum(), 1e-300)
    return Frequencies(name=values.name, dtype=dtype, missing=missing, levels=levels, shares=shares)


def _arranged(groups: pd.Series, others: Sequence[pd.Series]) -> pd.Series:
    """Returns for each row its group's mean rank in that column in which groups differ most; without any, the group."""
    best, most = groups.astype(np.float64), 0.0
    for other in others:
        means = other.groupby(groups).transform("mean")
        spread = float(np.nan_to_num(means.var()))
        if spread > most:
            best, most = means, spread
    return best


def _is_text(values: pd.Series) -> bool:
    return bool(pd.api.types.infer_dtype(values.astype(object), skipna=True) == "string")


def _made_up(name: Any, count: int, present: set[Any]) -> pd.Series:
    """Returns text that is none of what is present."""
    prefix = f"{name}-"
    while any(f"{prefix}{number}" in present for number in range(count)):
        prefix += "-"
    return pd.Series([f"{prefix}{number}" for number in range(count)], dtype=object)
