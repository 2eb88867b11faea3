"""Features by transformers of feature-engine, one after the other."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Self

import pandas as pd

from mlpipeline import errors
from mlpipeline.workflow.components.feature_transformers import columns, specified
from mlpipeline.workflow.types.data import FeatureTransformer

_MODULES = (
    "creation", "datetime", "discretisation", "encoding", "imputation", "outliers", "scaling", "selection",
    "timeseries.forecasting", "transformation",
)  # fmt: skip


class FeatureEngineFeatureTransformer(FeatureTransformer):
    """A pipeline: each of `transformers` changes the frame that the one before it made. `pip install feature-engine`.

    Attributes:
        transformers: `[{transformer: RareLabelEncoder, transformer_columns: [town], transformer_kwargs: {...}}]`;
            without columns, those that the transformer chooses itself.
    """

    transformers: list[dict[str, Any]]

    def __init__(self) -> None:
        self.read = specified.read(_with_variables(self.transformers), known())

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns which transformers cannot be made."""
        return specified.faults("transformers", values.get("transformers"), lambda each: specified.made(each, known()))

    def fit(self, data: pd.DataFrame, target: pd.Series | None = None) -> Self:
        """Learns from features of shape (rows, columns), and the target of shape (rows,)."""
        clone = errors.require("sklearn.base", extra="sklearn").clone
        pipeline = errors.require("sklearn.pipeline", extra="sklearn").Pipeline
        made = pipeline([(f"{number}_{each.name}", clone(each.made)) for number, each in enumerate(self.read)])
        try:
            with _quiet():
                self.fitted = made.fit(data, target)
        except (ValueError, KeyError, TypeError) as error:
            raise errors.DataFault(f"{self.address or type(self).__name__}: {error}") from error
        return self

    def transform(self, data: pd.DataFrame) -> pd.DataFrame:
        """Returns features under the same index, of shape (rows, features)."""
        with _quiet():
            return columns.transformed(self, data)


def known() -> dict[str, type]:
    """Returns feature-engine's transformers by their names."""
    errors.require("feature_engine", extra="features")
    found: dict[str, type] = {}
    for name in _MODULES:
        module = import_module(f"feature_engine.{name}")
        found |= {each: getattr(module, each) for each in module.__all__ if isinstance(getattr(module, each), type)}
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides that feature-engine asks for objects where pandas 3 has text: it gets text, and warnings of pandas 4."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.Pandas4Warning)
        yield


def _with_variables(transformers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the entries with their columns as what feature-engine calls them."""
    found = []
    for entry in transformers:
        wanted = entry.get("transformer_columns")
        keywords = dict(entry.get("transformer_kwargs") or {})
        if wanted is not None:
            keywords.setdefault("variables", [wanted] if isinstance(wanted, str) else wanted)
        found.append({**entry, "transformer_kwargs": keywords})
    return found
