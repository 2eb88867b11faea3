"""How the distributions of columns differ between two frames: by statistical tests, and by how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors

LEAST_EXPECTED = 5.0
"""Cochran's rule: below so many expected rows in a cell the chi-square distribution does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How one column differs.

    Attributes:
        name: of the column.
        test: `KS` (two-sample Kolmogorov-Smirnov) for numbers and times, `chi-square` (homogeneity) for classes;
            `kind` where one is the one, and one the other.
        statistic: of the test.
        p_value: the chance of such a difference between samples of one distribution.
        effect: how much they differ, from 0 to 1: the statistic of KS, which is the greatest distance of the
            distributions; for classes the total variation distance, half of the sum of differences of shares.
        missing_change: the absolute difference of the shares of missing values.
    """

    name: str
    test: str
    statistic: float
    p_value: float
    effect: float
    missing_change: float


def compare(reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str] | None = None) -> list[Drift]:
    """Returns how each column differs that both frames have, in the order of the reference.

    Raises:
        MissingExtra: SciPy is not installed.
    """
    shared = [name for name in reference.columns if name in current.columns]
    return list(_each(reference, current, shared if columns is None else columns))


def is_ordered(values: pd.Series) -> bool:
    """Whether a column holds numbers or times, rather than classes."""
    types = pd.api.types
    dtype = values.dtype
    if types.is_bool_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return False
    return bool(
        types.is_numeric_dtype(dtype) or types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype)
    )


def numbers(values: pd.Series) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Returns what is not missing of numbers or times as floats; times in microseconds."""
    present = values.dropna()
    if not pd.api.types.is_numeric_dtype(present.dtype):
        present = present.dt.as_unit("us").astype("int64")
    found: np.ndarray[Any, np.dtype[np.float64]] = present.to_numpy(dtype=np.float64)
    return np.asarray(found[np.isfinite(found)])


def _each(reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str]) -> Iterator[Drift]:
    for name in columns:
        before, after = reference[name], current[name]
        change = abs(_missing(before) - _missing(after))
        is_same_kind = is_ordered(before) == is_ordered(after) or not len(after.dropna()) or not len(before.dropna())
        if not is_same_kind:
            yield Drift(name=name, test="kind", statistic=np.nan, p_value=0.0, effect=1.0, missing_change=change)
        elif is_ordered(before) and is_ordered(after):
            yield _of_numbers(name, numbers(before), numbers(after), change)
        else:
            yield _of_classes(name, before.dropna(), after.dropna(), change)


def _of_numbers(name: str, before: Any, after: Any, change: float) -> Drift:
    if min(len(before), len(after)) == 0 or len(before) + len(after) > len(before) * len(after):
        # None, or a single one: nothing can be told, and SciPy divides by zero.
        return _nothing(name, "KS", change)
    stats = errors.require("scipy.stats", extra="quality")
    found = stats.ks_2samp(before, after, method="asymp")
    statistic, p_value = float(found.statistic), float(found.pvalue)
    return Drift(name=name, test="KS", statistic=statistic, p_value=p_value, effect=statistic, missing_change=change)


def _of_classes(name: str, before: pd.Series, after: pd.Series, change: float) -> Drift:
    if not len(before) or not len(after):
        return _nothing(name, "chi-square", change)
    counts = pd.concat([_counted(before), _counted(after)], axis=1).fillna(0).to_numpy(dtype=np.float64)
    shares = counts / counts.sum(axis=0)
    effect = float(np.abs(shares[:, 0] - shares[:, 1]).sum() / 2)
    pooled = _pooled(counts)
    if len(pooled) < 2:
        return Drift(name=name, test="chi-square", statistic=0.0, p_value=1.0, effect=effect, missing_change=change)
    stats = errors.require("scipy.stats", extra="quality")
    found = stats.chi2_contingency(pooled, correction=False)
    statistic, p_value = float(found.statistic), float(found.pvalue)
    return Drift(
        name=name, test="chi-square", statistic=statistic, p_value=p_value, effect=effect, missing_change=change
    )


def _counted(values: pd.Series) -> pd.Series:
    return values.astype(str).value_counts()


def _pooled(counts: Any) -> Any:
    """Returns the table with all classes as one that are too rare to be tested by themselves."""
    totals = counts.sum(axis=0)
    expected = counts.sum(axis=1) * totals.min() / totals.sum()
    is_rare = expected < LEAST_EXPECTED
    rest = counts[is_rare].sum(axis=0)
    table = counts[~is_rare]
    return np.vstack([table, rest]) if rest.sum() else table


def _nothing(name: str, test: str, change: float) -> Drift:
    """Returns what is told of a column in which one side has no value: only that more, or fewer, are missing."""
    return Drift(name=name, test=test, statistic=0.0, p_value=1.0, effect=0.0, missing_change=change)


def _missing(values: pd.Series) -> float:
    return float(values.isna().mean()) if len(values) else 0.0
