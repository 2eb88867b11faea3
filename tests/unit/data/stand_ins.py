"""Encoders that show what they were given; small, and by the rules of the real ones."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd


class Number:
    """The difference to the mean of what was learnt, in one column, or in as many as `width` says."""

    def __init__(self, column: str, *, name: str | None = None, tags: tuple[str, ...] = (), width: int = 1) -> None:
        self.column, self.tags, self.width = column, tags, width
        self.name = name or f"number_{column}"
        self.inputs: tuple[str, ...] = (column,)
        self.fitted_on: list[pd.DataFrame] = []
        self.read: list[pd.DataFrame] = []

    @property
    def feature_names(self) -> tuple[str, ...]:
        return (self.name,) if self.width == 1 else tuple(f"{self.name}_{place}" for place in range(self.width))

    def fit(self, frame: pd.DataFrame, y: Any = None) -> Self:
        self.fitted_on.append(frame)
        self.mean_ = float(frame[self.column].mean())
        return self

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        self.read.append(frame)
        values = frame[self.column].to_numpy(np.float64) - self.mean_
        return np.repeat(values[:, None], self.width, axis=1)

    def inverse_transform(self, codes: np.ndarray) -> pd.Series:
        return pd.Series(codes[:, 0] + self.mean_, name=self.column)


class Text:
    """The place of a value among those that were learnt, from 2; 1 for others; 0 for missing."""

    def __init__(self, column: str, *, correlation: str | None = None, tags: tuple[str, ...] = ()) -> None:
        self.column, self.tags, self.name = column, tags, f"text_{column}"
        self.inputs: tuple[str, ...] = (column,)
        self.fit_inputs: tuple[str, ...] = (column,) if correlation is None else (column, correlation)
        self.feature_names = (self.name,)

    def fit(self, frame: pd.DataFrame, y: Any = None) -> Self:
        assert list(frame.columns) == list(self.fit_inputs)
        self.known_ = sorted(frame[self.column].dropna().unique())
        return self

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        assert list(frame.columns) == list(self.inputs)
        codes = frame[self.column].map({value: place + 2 for place, value in enumerate(self.known_)}).fillna(1)
        return codes.mask(frame[self.column].isna(), 0).to_numpy(np.uint8)[:, None]

    def inverse_transform(self, codes: np.ndarray) -> pd.Series:
        return pd.Series([dict(enumerate(self.known_, 2)).get(int(code)) for code in codes[:, 0]])
