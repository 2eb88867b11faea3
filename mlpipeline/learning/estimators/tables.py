"""What estimators ask of a table of features: that it holds numbers, and which of its columns are codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.encoding import Encoding, Observations
from mlpipeline.learning.target import Target


def code_names(encoding: Encoding | None) -> list[str]:
    """Returns the features that are codes of something, so that their order means nothing; columns of 0 and 1 are not.

    Encoders tell: those that are not continuous, but for OneHot.
    """
    if encoding is None:
        return []
    from mlpipeline.data.encoders import OneHot

    coded = [
        each for each in encoding.encoders if not getattr(each, "is_continuous", True) and not isinstance(each, OneHot)
    ]
    return [str(name) for each in coded for name in each.feature_names]


def check_numbers(who: Any, frame: pd.DataFrame, *, takes_categories: bool = False) -> bool:
    """Refuses columns that no tree can be grown on. Returns whether some are categories of pandas.

    Raises:
        DataFault: a column holds text, dates or objects.
    """
    has_categories = False
    for place, dtype in enumerate(frame.dtypes.tolist()):  # for one row, the names cost more than all else
        if takes_categories and isinstance(dtype, pd.CategoricalDtype):
            has_categories = True
            continue
        if getattr(dtype, "kind", "O") not in "biuf":
            name = frame.columns[place]
            raise errors.DataFault(
                f"{type(who).__name__}: the feature '{name}' is of type {dtype}: give numbers, "
                f"or an encoder in get_encoders() that makes numbers of it"
            )
    return has_categories


def check_finite(who: Any, frame: pd.DataFrame, *, takes_missing: bool) -> None:
    """Refuses infinite values, and missing ones where the library takes none.

    Raises:
        DataFault: names the features that have some.
    """
    found = []
    for name in frame.columns:
        column = frame[name]
        if getattr(column.dtype, "kind", "O") != "f":
            if not takes_missing and column.isna().any():
                found.append(str(name))
            continue
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isinf(values).any() or (not takes_missing and np.isnan(values).any()):
            found.append(str(name))
    if found:
        what = "infinite values" if takes_missing else "missing or infinite values, which it does not take,"
        raise errors.DataFault(
            f"{type(who).__name__}: {what} in {', '.join(map(repr, found))}: an encoder such as Norm replaces them"
        )


def known(target: Target, rows: Observations) -> Observations:
    """Returns the rows whose class the training split has shown; the others cannot be selected by."""
    if target.is_regression or rows.y is None or not (rows.y < 0).any():
        return rows
    shown = rows.y >= 0
    return Observations(rows.x[shown], rows.y[shown])


def floats(frame: pd.DataFrame) -> np.ndarray:
    """Returns numbers as float32, of shape (rows, features); what is missing as NaN."""
    array: np.ndarray = frame.to_numpy(dtype=np.float32, na_value=np.nan)
    return array
