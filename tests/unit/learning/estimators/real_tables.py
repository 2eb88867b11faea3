"""Tables that ship with the libraries, divided into rows to learn from, to select by and to score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True)
class Real:
    """A table: features and target of each part."""

    kind: str
    x: pd.DataFrame
    y: np.ndarray
    validation: tuple[pd.DataFrame, np.ndarray]
    test: tuple[pd.DataFrame, np.ndarray]


KINDS = {
    "iris": "multiclass",
    "digits": "multiclass",
    "breast_cancer": "binary",
    "diabetes": "regression",
    "affairs": "regression",
}


def real(name: str) -> Real:
    """Returns a table; of `affairs`, a survey of 6,366 rows, 2,000."""
    x, y = _affairs() if name == "affairs" else _of_sklearn(name)
    order = np.random.default_rng(0).permutation(len(x))[:2000]
    x, y = x.iloc[order].reset_index(drop=True), y[order]
    one, two = len(x) * 6 // 10, len(x) * 8 // 10
    parts = [(x.iloc[part].reset_index(drop=True), y[part]) for part in (slice(one), slice(one, two), slice(two, None))]
    return Real(KINDS[name], *parts[0], parts[1], parts[2])


def _of_sklearn(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True, as_frame=True)
    return x, y.to_numpy(np.float64 if KINDS[name] == "regression" else np.int64)


def _affairs() -> tuple[pd.DataFrame, np.ndarray]:
    import pytest

    pytest.importorskip("statsmodels", reason="statsmodels is not installed, which has this table")
    from statsmodels.datasets import fair

    found = fair.load_pandas().data
    return found.drop(columns="affairs"), np.log1p(found["affairs"].to_numpy())
