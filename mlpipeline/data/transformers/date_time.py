"""A part of a date or time: weekday, hour, quarter, whether a month ends."""

from __future__ import annotations

import pandas as pd

from mlpipeline import errors
from mlpipeline.data import column
from mlpipeline.data.transformer import Transformer

WEEKS = {"week", "weekofyear"}

# Python's own dates and times, also where all of them are missing.
OBJECTS = {"date", "time", "timetz"}

# Names that pandas gives up, or gave up, for longer ones.
LONGER = {
    "dayofweek": "day_of_week",
    "weekday": "day_of_week",
    "dayofyear": "day_of_year",
    "daysinmonth": "days_in_month",
}


class DateTime(Transformer):
    """Makes what pandas' accessor `dt` knows of a date: `dayofweek`, `hour`, `quarter`, `is_month_end`, `day_name` …

    Whole numbers come as float64 and flags as objects, so that a missing date stays missing. Fields are those of the
    column's own time zone. `week` is the week of ISO 8601.

    Args:
        column: holds dates, not text.
        operator: an attribute of `Series.dt`, or a method that needs no arguments.
    """

    def __init__(self, column: str | Transformer, operator: str) -> None:
        super().__init__(column)
        self.operator = operator

    @property
    def suffix(self) -> str | None:
        return self.operator

    def apply(self, values: pd.Series) -> pd.Series:
        dates = column.dates(values)
        if self.operator in WEEKS:
            return column.settled(dates.dt.isocalendar()["week"], dates.isna())
        found = (
            None if self.operator.startswith("_") else getattr(dates.dt, LONGER.get(self.operator, self.operator), None)
        )
        try:
            found = found() if callable(found) else found
        except TypeError as error:
            raise errors.UnknownOption(f"{self!r}: '{self.operator}' of Series.dt needs arguments: {error}") from error
        if not isinstance(found, pd.Series):
            raise errors.UnknownOption(
                f"{self!r}: '{self.operator}' is no column that Series.dt has: try dayofweek, hour, month or year"
            )
        found = found.astype(object) if self.operator in OBJECTS else found
        return column.settled(found, dates.isna())
