"""Values looked up in a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pandas as pd

from mlpipeline.data import column
from mlpipeline.data.transformer import Transformer


class Map(Transformer):
    """Makes of each value what a dictionary says; NaN where it says nothing. A missing value stays missing.

    The result's type is that of the dictionary's values. Keys are equal as Python's are: 1 finds 1.0 and True.

    Args:
        column: holds the keys.
        mapping: the dictionary; a subclass may set `MAP` instead.
    """

    MAP: ClassVar[Mapping[Any, Any]] = {}

    def __init__(self, column: str | Transformer, mapping: Mapping[Any, Any] | None = None) -> None:
        super().__init__(column)
        self.mapping = mapping

    def apply(self, values: pd.Series) -> pd.Series:
        mapping = self.MAP if self.mapping is None else self.mapping
        # The type of all of them, and of a missing one: not of those which happen to occur.
        dtype = pd.Series([*mapping.values(), None]).dtype
        return column.each_distinct(values, mapping.get, dtype)
