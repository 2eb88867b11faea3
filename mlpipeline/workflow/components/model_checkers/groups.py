"""Groups of people in rows, and what is predicted for each: what checkers of bias share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.config_text import near_or_known
from mlpipeline.errors import DataFault
from mlpipeline.workflow import scoring
from mlpipeline.workflow.types.contract import TEST, TRAIN, VALIDATION, Splits
from mlpipeline.workflow.types.model import ModelTrainer

_MOST_GROUPS, _BANDS = 20, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """What is predicted for the rows that report, and what is true of them.

    Attributes:
        truth, predicted: bool for classes, whether it is the favorable one; else float64; of shape (rows,).
        groups: by the name of a column, the group of each row, as text.
        favorable: the class; None where numbers are predicted.
    """

    truth: np.ndarray
    predicted: np.ndarray
    groups: dict[str, pd.Series]
    favorable: Any


def predicted(
    data: Splits, model: ModelTrainer, columns: list[str], favorable: Any, problem_type: str | None, smallest: int
) -> Predicted:
    """Predicts the rows that report, and tells their groups.

    Args:
        columns: that tell people apart. Numbers of more than 20 values are cut into four bands of like size.
        favorable: the class that is good to be in; by default the last one in order, as 1 of 0 and 1.
        smallest: groups of fewer rows are left out: chance would say more of them than the model.

    Raises:
        DataFault: (a ValueError) a column is not there, or fewer than two groups are large enough.
    """
    rows = _reporting(data)
    for name in columns:
        if name not in rows.columns:
            raise DataFault(
                f"sensitive_features: there is no column {name!r}.{near_or_known(name, map(str, rows.columns))}"
            )
    found, truth = model.predict(rows.drop(columns=data.target)), rows[data.target]
    groups = {name: _groups(rows[name], name, smallest) for name in columns}
    if not scoring.is_class(data, problem_type):
        numbers = [np.asarray(each, dtype=np.float64) for each in (truth, found)]
        return Predicted(truth=numbers[0], predicted=numbers[1], groups=groups, favorable=None)
    classes = sorted(data.truth().dropna().unique())
    good = classes[-1] if favorable is None else favorable
    if good not in classes:
        raise DataFault(f"favorable is {good!r}, and the classes are {', '.join(map(str, classes))}")
    flags = [(each == good).to_numpy(bool) for each in (truth, found)]
    return Predicted(truth=flags[0], predicted=flags[1], groups=groups, favorable=good)


def _groups(values: pd.Series, name: str, smallest: int) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values.dtype) and values.nunique() > _MOST_GROUPS:
        values = pd.qcut(values, _BANDS, duplicates="drop")
    named = values.astype("str").where(values.notna(), "missing")
    counts = named.value_counts()
    large = named.where(named.map(counts) >= smallest)
    if large.nunique() < 2:
        raise DataFault(f"sensitive_features: {name!r} has fewer than two groups of {smallest} rows or more")
    return large


def _reporting(data: Splits) -> pd.DataFrame:
    parts = {name: frame for name, frame in data.parts() if len(frame)}
    return parts.get(TEST, parts.get(VALIDATION, parts[TRAIN]))
