"""Columns of numbers and of durations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.learning.serving.form import Form


class Number(Form):
    """Numbers as float64."""

    needed = "a number"
    types = frozenset((float, int, type(None)))
    _largest = float(np.finfo(np.float64).max)

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a value."""
        return {"type": ["number", "null"]}

    def is_plain(self, values: Sequence[Any]) -> bool:
        """Whether all are finite: JSON's 1e999 is infinite."""
        return all(each is None or -self._largest <= each <= self._largest for each in values)

    def array(self, values: Sequence[Any]) -> Any:
        """Returns float64, NaN where a value is missing."""
        return np.array(values, np.float64)

    def text(self, text: str) -> Any:
        """Returns a number, or the text where it is none."""
        try:
            # Digits beyond those of a float64 are kept for columns of whole numbers.
            return int(text) if text.lstrip("+-").isdecimal() and len(text) < 30 else float(text) if text else None
        except ValueError:
            return text


class Whole(Number):
    """Whole numbers as int64, or uint64; also where some are missing."""

    needed = "a whole number"
    types = frozenset((int, type(None)))

    def __init__(self, dtype: str) -> None:
        self._limits = np.iinfo(np.uint64 if dtype.startswith("uint") else np.int64)

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a value."""
        return {"type": ["integer", "null"], "minimum": self._limits.min, "maximum": self._limits.max}

    def is_plain(self, values: Sequence[Any]) -> bool:
        """Whether all are within the range of the type."""
        return all(each is None or self._limits.min <= each <= self._limits.max for each in values)

    def read(self, value: Any) -> Any:
        """Returns an int; 5.0 is whole, too."""
        is_whole = isinstance(value, float) and math.isfinite(value) and value == int(value)
        return super().read(int(value) if is_whole else value)

    def array(self, values: Sequence[Any]) -> Any:
        """Returns int64 or uint64; pandas' own such type where a value is missing."""
        if None in values:
            return pd.array(list(values), dtype="UInt64" if self._limits.min == 0 else "Int64")
        return np.array(values, self._limits.dtype)


class Duration(Number):
    """Durations, in seconds."""

    needed = "a number of seconds"
    _largest = 8.6e13  # of a timedelta

    def array(self, values: Sequence[Any]) -> Any:
        """Returns timedelta64."""
        return np.array([None if each is None else timedelta(seconds=each) for each in values], "timedelta64[us]")
