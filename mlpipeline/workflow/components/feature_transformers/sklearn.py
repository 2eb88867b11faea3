"""Features by transformers of scikit-learn, each for its own columns."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Literal, Self

import pandas as pd

from mlpipeline import errors
from mlpipeline.workflow.components.feature_transformers import columns, specified
from mlpipeline.workflow.types.data import FeatureTransformer

_MODULES = ("preprocessing", "impute", "decomposition", "feature_selection")


class SklearnFeatureTransformer(FeatureTransformer):
    """A ColumnTransformer: each of `transformers` makes features of its columns; they stand side by side.

    Attributes:
        transformers: `[{transformer: StandardScaler, transformer_columns: [age], transformer_kwargs: {...}}]`; without
            columns, all.
        remainder: what happens to columns that none of them names.
    """

    transformers: list[dict[str, Any]]
    remainder: Literal["passthrough", "drop"] = "passthrough"

    def __init__(self) -> None:
        self.read = specified.read(self.transformers, known())

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns which transformers cannot be made."""
        return specified.faults("transformers", values.get("transformers"), lambda each: specified.made(each, known()))

    def fit(self, data: pd.DataFrame, target: pd.Series | None = None) -> Self:
        """Learns from features of shape (rows, columns), and the target of shape (rows,)."""
        clone = errors.require("sklearn.base", extra="sklearn").clone
        compose = errors.require("sklearn.compose", extra="sklearn")
        columns.check(
            self.address or type(self).__name__, data, [name for each in self.read for name in each.columns or ()]
        )
        steps = [
            (f"{number}_{each.name}", clone(each.made), list(data.columns) if each.columns is None else each.columns)
            for number, each in enumerate(self.read)
        ]
        made = compose.ColumnTransformer(
            steps, remainder=self.remainder, sparse_threshold=0, verbose_feature_names_out=False
        )
        self.fitted = made.set_output(transform="pandas").fit(data, target)
        return self

    def transform(self, data: pd.DataFrame) -> pd.DataFrame:
        """Returns features under the same index, of shape (rows, features)."""
        return columns.transformed(self, data)


def known() -> dict[str, type]:
    """Returns scikit-learn's transformers by their names."""
    basis = errors.require("sklearn.base", extra="sklearn").TransformerMixin
    found: dict[str, type] = {}
    for name in _MODULES:
        module = import_module(f"sklearn.{name}")
        found |= {each: getattr(module, each) for each in module.__all__ if _is_a(getattr(module, each, None), basis)}
    return found


def _is_a(found: Any, basis: type) -> bool:
    return isinstance(found, type) and issubclass(found, basis)
