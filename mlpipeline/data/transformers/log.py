"""Logarithms."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlpipeline.data import column
from mlpipeline.data.transformer import Transformer


class Log(Transformer):
    """Makes the natural logarithm, float64: -inf of zero, NaN of what is negative, missing or no number."""

    def apply(self, values: pd.Series) -> pd.Series:
        with np.errstate(divide="ignore", invalid="ignore"):
            return pd.Series(np.log(column.numbers(values)), index=values.index)


class LogPlusOne(Transformer):
    """Makes ln(1 + x), float64: what is negative counts as zero; NaN of what is missing or no number."""

    def apply(self, values: pd.Series) -> pd.Series:
        return pd.Series(np.log1p(np.maximum(column.numbers(values), 0)), index=values.index)
