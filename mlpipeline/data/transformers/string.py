"""What can be made of text: pandas' operations on strings, the first match of an expression, the length."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data import column
from mlpipeline.data.transformer import Transformer

# What tells the type of a result where all text is missing.
SOME_TEXT = pd.Series(["a"], dtype=column.TEXT)


class String(Transformer):
    """Makes what a method of pandas' accessor `str` makes of text: `lower`, `slice`, `replace`, `contains` …

    What is no text, or missing, stays missing: flags come as objects (True, False, NaN), whole numbers as float64.

    Args:
        column: holds text.
        operator: a method of `Series.str` that makes one column of one.
        args: its arguments, in order.
        kwargs: its arguments, by name.
    """

    def __init__(self, column: str | Transformer, operator: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(column)
        self.operator = operator
        self.args = args
        self.kwargs = kwargs

    @property
    def suffix(self) -> str | None:
        return self.operator

    def apply(self, values: pd.Series) -> pd.Series:
        return column.each_text(values, self._made)

    def _made(self, texts: pd.Series) -> pd.Series:
        method = None if self.operator.startswith("_") else getattr(texts.str, self.operator, None)
        if not callable(method):
            raise errors.UnknownOption(
                f"{self!r}: Series.str has no method '{self.operator}': try lower, slice, contains"
            )
        try:
            found = method(*self.args, **self.kwargs)
        except (TypeError, ValueError, re.error) as error:
            raise errors.DataFault(f"{self!r}: Series.str.{self.operator} refuses its arguments: {error}") from error
        if not isinstance(found, pd.Series):
            raise errors.DataFault(f"{self!r}: Series.str.{self.operator} makes no column: use another operator")
        if texts.isna().all():
            return pd.Series(np.nan, index=texts.index, dtype=self._made(SOME_TEXT).dtype)
        return column.settled(found, texts.isna())


class Extract(Transformer):
    """Makes what the first group of a regular expression matches in text; NaN where nothing does.

    Args:
        column: holds text.
        regex: an expression of Python's `re` with at least one group; the first match counts.
    """

    def __init__(self, column: str | Transformer, regex: str | re.Pattern[str]) -> None:
        super().__init__(column)
        self.regex = regex

    @property
    def suffix(self) -> str | None:
        return "extract"

    def apply(self, values: pd.Series) -> pd.Series:
        return column.each_text(values, self._extracted)

    def _extracted(self, texts: pd.Series) -> pd.Series:
        try:
            found = texts.str.extract(self.regex, expand=True)
        except (ValueError, re.error) as error:
            raise errors.DataFault(f"{self!r}: the expression cannot be used: {error}") from error
        return found.iloc[:, 0].astype(column.TEXT)


class Length(Transformer):
    """Makes the number of characters of text, float64; NaN of what is missing or no text."""

    @property
    def suffix(self) -> str | None:
        return "len"

    def apply(self, values: pd.Series) -> pd.Series:
        return column.each_text(values, lambda texts: texts.str.len().astype("float64"))
