"""Which period of a calendar a moment lies in, as a number."""

from __future__ import annotations

import pandas as pd

from mlpipeline import errors
from mlpipeline.data import column
from mlpipeline.data.transformer import Transformer


class Period(Transformer):
    """Makes of a moment the number of its period since 1970: months, weeks, days …, so that months are evenly spaced.

    Numbers stay what they are. Periods are those of the column's own time zone; a missing moment gives NaN.

    Args:
        column: holds dates, or numbers.
        frequency: of the periods, as pandas calls them: "s", "min", "h", "D", "W", "M", "Q", "Y".
    """

    def __init__(self, column: str | Transformer, frequency: str = "D") -> None:
        super().__init__(column)
        self.frequency = frequency

    @property
    def suffix(self) -> str | None:
        return self.frequency

    def apply(self, values: pd.Series) -> pd.Series:
        if values.dtype.kind in "iuf":
            return values.astype("float64")
        dates = column.dates(values)
        naive = dates if getattr(dates.dtype, "tz", None) is None else dates.dt.tz_localize(None)
        try:
            periods = naive.dt.to_period(self.frequency)
        except ValueError as error:
            raise errors.UnknownOption(
                f"{self!r}: '{self.frequency}' is no period: it must be s, min, h, D, W, M, Q or Y"
            ) from error
        numbers = pd.Series(pd.PeriodIndex(periods).asi8, index=values.index, name=values.name)
        return numbers.astype("float64").where(dates.notna())
