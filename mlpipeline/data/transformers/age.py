"""How long ago something was, at another column's moment or at one that is given: never by the clock of the machine."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data import column
from mlpipeline.data.given import name_of
from mlpipeline.data.transformer import Transformer

UNITS = {
    "microsecond": pd.Timedelta(microseconds=1),
    "millisecond": pd.Timedelta(milliseconds=1),
    "second": pd.Timedelta(seconds=1),
    "minute": pd.Timedelta(minutes=1),
    "hour": pd.Timedelta(hours=1),
    "day": pd.Timedelta(days=1),
    "week": pd.Timedelta(weeks=1),
    "month": pd.Timedelta(days=30),
    "year": pd.Timedelta(days=365),
}


class Age(Transformer):
    """Makes the time from a moment to a reference: `reference - column`, float64, negative where the moment is later.

    Days are whole ones, rounded down; every other unit has fractions. A month has 30 days and a year 365. With
    `unit="nanoseconds"` the result is a duration (timedelta64[ns]). Missing is missing. Dates without a time zone are
    taken to be in UTC; text is read as ISO 8601 and warned of, and what is no date is missing.

    Args:
        column: holds the moments.
        reference: the column to measure up to; without one it is `as_of`.
        unit: nanoseconds to years, singular or plural.
        as_of: the moment to measure up to, as a datetime or text. A dataset gives it where it is absent, once, and
            records it: what a model learned yesterday is still true when it answers tomorrow.
    """

    def __init__(
        self,
        column: str | Transformer,
        reference: str | Transformer | None = None,
        unit: str = "seconds",
        as_of: Any = None,
    ) -> None:
        super().__init__(column)
        self.reference = reference
        self.unit = unit
        self.as_of = as_of

    @property
    def columns(self) -> tuple[str | Transformer, ...]:
        return (self.column,) if self.reference is None else (self.column, self.reference)

    @property
    def suffix(self) -> str | None:
        return None if self.reference is None else name_of(self.reference)

    @property
    def needs_as_of(self) -> bool:
        return (self.reference is None and self.as_of is None) or super().needs_as_of

    def at(self, as_of: Any) -> Self:
        bound = copy.copy(super().at(as_of))
        if self.reference is None and self.as_of is None:
            bound.as_of = as_of
        return bound

    def combine(self, columns: Sequence[pd.Series]) -> pd.Series:
        is_exact = self.unit in {"nanosecond", "nanoseconds"}
        length = None if is_exact else self._length()
        unit = "ns" if is_exact else "us"
        begin, *end = [column.moments(values, unit=unit) for values in columns]
        age = (end[0] if end else self._moment(unit)) - begin
        if length is None:
            return age
        found = age // length if self.unit in {"day", "days"} else age / length
        return found.astype(np.float64)

    def _length(self) -> pd.Timedelta:
        length = UNITS.get(self.unit) or UNITS.get(self.unit.removesuffix("s"))
        if length is None:
            raise errors.UnknownOption(f"{self!r}: unit '{self.unit}' is none of nanosecond, {', '.join(UNITS)}")
        return length

    def _moment(self, unit: str) -> pd.Timestamp:
        if self.as_of is None:
            raise errors.DataFault(f"{self!r} does not say up to when: give it a column as reference, or as_of")
        try:
            moment = pd.Timestamp(self.as_of)
        except (TypeError, ValueError) as error:
            raise errors.DataFault(f"{self!r}: as_of is no date: give a datetime, or text like 2026-01-31") from error
        moment = moment.tz_localize("UTC") if moment.tz is None else moment.tz_convert("UTC")
        return moment.as_unit(unit)
