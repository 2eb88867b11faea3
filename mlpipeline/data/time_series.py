"""Datasets whose rows follow one another in time: the earliest train, the latest test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import numpy as np
import pandas as pd

from mlpipeline.data.dataset import Dataset
from mlpipeline.data.split import DEFAULT_FRACTIONS, fractions_of, listed, part_sizes
from mlpipeline.errors import DataFault


class TimeSeries(Dataset):
    """Rows in order of time: contiguous training, validation and test, in this order, and never shuffled.

    Attributes:
        fractions: of training, validation and test; validation and test are rounded down.
        test_size: instead of fractions, the one of the test, and of validation.
        sort_by: the column, or columns, to sort by, ascending; None leaves the rows in the order in which they come.
        gap: left out between training and validation, and between validation and test, so that what is predicted lies
            as far ahead as it will: a number of rows, or a duration of the column to sort by ("7D", a timedelta).
    """

    OPTIONS: ClassVar[tuple[str, ...]] = ("fractions", "test_size", "sort_by", "gap")

    fractions: Sequence[float] = DEFAULT_FRACTIONS
    test_size: float | None = None
    sort_by: str | Sequence[str] | None = None
    gap: int | str | timedelta = 0

    def split(self, frame: pd.DataFrame) -> Sequence[np.ndarray]:
        """Returns the positions of the rows of training, validation and test, in order of time.

        Raises:
            DataFault: there is nothing to sort by in some rows, or too little is left by the gap.
        """
        sizes = part_sizes(len(frame), fractions_of(self.fractions, self.test_size))
        training, validation, test = np.split(self._order(frame), np.cumsum(sizes)[:-1])
        after_training = validation if len(validation) else test
        parts = (self._ending(frame, training, after_training), self._ending(frame, validation, test), test)
        if min(len(kept) - bool(size) for kept, size in zip(parts, sizes, strict=True)) < 0:
            raise DataFault(f"{type(self).__name__}: a gap of {self.gap!r} leaves nothing of a part: make it smaller")
        return parts

    def _order(self, frame: pd.DataFrame) -> np.ndarray:
        columns = self._columns
        if not columns:
            return np.arange(len(frame))
        for column in columns:
            if column not in frame.columns:
                raise DataFault(f"there is no column {column!r} to sort by: the data has {listed(frame.columns)}")
            if missing := int(frame[column].isna().sum()):
                raise DataFault(
                    f"{missing} of {len(frame)} rows have no {column!r} to sort by: drop or fill them first"
                )
        ordered: np.ndarray = frame[columns].reset_index(drop=True).sort_values(columns, kind="stable").index.to_numpy()
        return ordered

    @property
    def _columns(self) -> list[str]:
        return [self.sort_by] if isinstance(self.sort_by, str) else list(self.sort_by or ())

    def _gap(self) -> int | pd.Timedelta:
        fault = DataFault(f"gap is {self.gap!r}: it must be a number of rows, 0 or more, or a duration")
        if isinstance(self.gap, int):
            if self.gap < 0:
                raise fault
            return self.gap
        try:
            duration = pd.Timedelta(self.gap)
        except (ValueError, TypeError) as error:
            raise fault from error
        if pd.isna(duration) or duration < pd.Timedelta(0):
            raise fault
        return duration

    def _ending(self, frame: pd.DataFrame, part: np.ndarray, following: np.ndarray) -> np.ndarray:
        """Returns a part without what lies in the gap before the one that follows."""
        gap = self._gap()
        if isinstance(gap, int):
            return part[: max(len(part) - gap, 0)] if len(following) else part
        if len(self._columns) != 1 or not pd.api.types.is_datetime64_any_dtype(frame[self._columns[0]].dtype):
            raise DataFault(f"gap is the duration {self.gap!r}: sort_by must name one column of times")
        if not len(following):
            return part
        times = frame[self._columns[0]]
        is_before: np.ndarray = (times.iloc[part] <= times.iloc[following[0]] - gap).to_numpy()
        return np.asarray(part[is_before])
