"""Predictions that need no model: what every model has to beat."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from mlpipeline.config_text import near_miss
from mlpipeline.errors import ParameterError
from mlpipeline.workflow.types.contract import Splits

COLUMN, VALUE = "column", "value"
_NUMBERS: dict[str, Callable[[pd.Series], Any]] = {
    "avg": lambda known: known.mean(),
    "mode": lambda known: known.mode().iloc[0],
    "max": lambda known: known.max(),
    "min": lambda known: known.min(),
    "median": lambda known: known.median(),
}
_CLASSES = ("class_avg", "class_most_frequent")
_LAGS = ("last_value", "lag_mean", "lag_max", "lag_min", "lag_median")
_LAG = re.compile(rf"({'|'.join(_LAGS)})_([1-9]\d*)")
NAMES = (*_CLASSES, *_NUMBERS, *(f"{name}_N" for name in _LAGS))


def fault(value: str) -> str:
    """Says why this names no baseline; nothing where it does."""
    if value in (*_CLASSES, *_NUMBERS) or _LAG.fullmatch(value):
        return ""
    near = near_miss(value, [*_CLASSES, *_NUMBERS, *(f"{name}_1" for name in _LAGS)])
    return f"there is no baseline {value!r}.{near} Known: {', '.join(NAMES)}, N a number of rows"


def of_classes(value: str, data: Splits, rows: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Returns what a baseline of classes predicts: always the most frequent one.

    Its probabilities are the shares of the classes for `class_avg`; with `class_most_frequent` that one is certain.

    Args:
        value: one of those two, or `mode`, which is the second.
        rows: that are predicted.
    """
    shares = data.truth().value_counts(normalize=True, sort=False).sort_index()
    first = shares.idxmax()
    if value != "class_avg":
        shares = (shares.index == first) * 1.0 + 0 * shares
    proba = pd.DataFrame([shares.to_numpy()] * len(rows), index=rows.index, columns=list(shares.index))
    return pd.Series(first, index=rows.index), proba


def of_numbers(value: str, data: Splits, rows: pd.DataFrame) -> pd.Series:
    """Returns what a baseline of numbers predicts, NaN where it knows nothing.

    `avg`, `mode`, `max`, `min` and `median` are those of the training part. `last_value_N` is the value N rows before,
    `lag_mean_N` the mean of the N rows before, in the order of time: they know the truth up to the row before.

    Raises:
        ParameterError: (a ValueError) it is a baseline of classes, or none.
    """
    if value in _NUMBERS:
        return pd.Series(float(_NUMBERS[value](data.truth())), index=rows.index)
    found = _LAG.fullmatch(value)
    if found is None:
        raise ParameterError(f"baseline_value: {fault(value) or f'{value} is a baseline of classes'}")
    kind, count = found[1], int(found[2])
    ordered = _in_time(data)
    truth = ordered[data.target].astype("float64")
    if kind == "last_value":
        lagged = truth.shift(count)
    else:
        lagged = truth.shift(1).rolling(count).agg(kind.removeprefix("lag_"))
    return lagged.loc[rows.index]


def _in_time(data: Splits) -> pd.DataFrame:
    frame = pd.concat([part for _, part in data.parts()])
    if not frame.index.is_unique:
        raise ParameterError("baseline_value: rows of the same index cannot be put in order: give each its own")
    return frame.sort_index() if data.time_index is None else frame.sort_values(data.time_index, kind="stable")
