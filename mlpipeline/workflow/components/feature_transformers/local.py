"""Features by a class of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import pandas as pd

from mlpipeline.errors import ConfigurationError, NotFitted, WrongType
from mlpipeline.workflow.components import user_code
from mlpipeline.workflow.types.data import FeatureTransformer


class LocalFeatureTransformer(FeatureTransformer):
    """Makes an object of a class in a Python file, and calls its methods `fit(data, target)` and `transform(data)`.

    Attributes:
        feature_transformer_path: of the file.
        transformer_class: what the class is called.
        transformer_config: the arguments of its constructor.
        fit_func, transform_func: what its methods are called.
    """

    feature_transformer_path: str
    transformer_class: str
    transformer_config: Mapping[str, Any] | None = None
    fit_func: str = "fit"
    transform_func: str = "transform"

    def __init__(self) -> None:
        kind = user_code.find(self.feature_transformer_path, self.transformer_class, self._where)
        try:
            self.made = kind(**(self.transformer_config or {}))
        except TypeError as error:
            raise ConfigurationError(f"{self._where}: {self.transformer_class} cannot be made: {error}") from error
        for key in ("fit_func", "transform_func"):
            if not callable(getattr(self.made, getattr(self, key), None)):
                told = f"{self.transformer_class} has no method {getattr(self, key)!r}"
                raise ConfigurationError(f"{self._where}: {told}: define it, or set {key}")
        self.is_fitted = False

    @property
    def _where(self) -> str:
        return self.address or type(self).__name__

    def fit(self, data: pd.DataFrame, target: pd.Series | None = None) -> Self:
        """Learns from features of shape (rows, columns), and the target of shape (rows,)."""
        getattr(self.made, self.fit_func)(data, target)
        self.is_fitted = True
        return self

    def transform(self, data: pd.DataFrame) -> pd.DataFrame:
        """Returns features under the same index, of shape (rows, features)."""
        if not self.is_fitted:
            raise NotFitted(f"{self._where}: it has learnt nothing yet: call fit first")
        found = getattr(self.made, self.transform_func)(data)
        if not isinstance(found, pd.DataFrame) or len(found) != len(data):
            shape = getattr(found, "shape", type(found).__name__)
            told = f"{self.transformer_class}.{self.transform_func} returned {shape} for {len(data)} rows"
            raise WrongType(f"{self._where}: {told}: return a pandas DataFrame with the same rows")
        return found.set_axis(data.index, axis=0)
