"""Whether a value is missing."""

from __future__ import annotations

import pandas as pd

from mlpipeline.data.transformer import Transformer


class IsNull(Transformer):
    """Makes whether a value is missing (None, NaN, NaT); never missing itself. Empty text and infinity are values."""

    def apply(self, values: pd.Series) -> pd.Series:
        return values.isna()
