"""Frames -> what a network takes: codes and numbers, each in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.learning.network.features import Feature, Role

BLOCK_ROWS = 16_384
PADDED = np.float32(-1e30)
"""Stands in sequences of numbers for what fills up short rows; no number of Norm comes near."""


class Packed(NamedTuple):
    """The features of some rows.

    Attributes:
        codes: int32, of shape (rows, columns with codes); where a short sequence is filled up, 0.
        numbers: float32, of shape (rows, columns with numbers).
    """

    codes: np.ndarray
    numbers: np.ndarray


class _Slice(NamedTuple):
    """Where the columns of one input lie."""

    feature: Feature
    start: int
    stop: int

    @property
    def is_code(self) -> bool:
        return self.feature.role is Role.CODE


class Feed:
    """Packs the features of frames, and takes them apart again where the network begins.

    Args:
        features: what the network reads.
        columns: of the frames, in order.
    """

    def __init__(self, features: Sequence[Feature], columns: Sequence[str]) -> None:
        self.features, self.columns = tuple(features), list(columns)
        place_of = {name: place for place, name in enumerate(self.columns)}
        self.slices: list[_Slice] = []
        places: dict[bool, list[int]] = {True: [], False: []}
        for feature in self.features:
            for side in feature.sides:
                held = places[feature.role is Role.CODE]
                self.slices.append(_Slice(feature, len(held), len(held) + len(side)))
                held.extend(place_of[name] for name in side)
        self._code_places = np.array(places[True], dtype=np.intp)
        self._number_places = np.array(places[False], dtype=np.intp)
        self._limits = np.empty(len(self._code_places))
        for each in self.slices:
            if each.is_code:
                self._limits[each.start : each.stop] = each.feature.cardinality

    @property
    def widths(self) -> tuple[int, int]:
        """How many columns have codes, and how many have numbers."""
        return len(self._code_places), len(self._number_places)

    def packed(self, frame: pd.DataFrame) -> Packed:
        """Packs the features of a frame.

        Raises:
            DataFault: something is missing, infinite, no number, or no code of its encoder.
        """
        rows, (codes, numbers) = len(frame), self.widths
        found = Packed(np.empty((rows, codes), np.int32), np.empty((rows, numbers), np.float32))
        for start in range(0, rows, BLOCK_ROWS):
            block = frame if rows <= BLOCK_ROWS else frame.iloc[start : start + BLOCK_ROWS]
            part = slice(start, start + BLOCK_ROWS)
            self._fill(block, found.codes[part], found.numbers[part])
        return found

    def split(self, codes: Any, numbers: Any) -> tuple[Any, ...]:
        """Returns the network's inputs, of arrays or tensors as `packed` gives them."""
        return tuple((codes if each.is_code else numbers)[:, each.start : each.stop] for each in self.slices)

    def _fill(self, frame: pd.DataFrame, codes: np.ndarray, numbers: np.ndarray) -> None:
        values = _values(frame)
        if codes.shape[1]:
            found = values[:, self._code_places]
            self._check(((found >= 0) & (found < self._limits)), self._code_places, "is no code of its encoder")
            codes[:] = found
        if numbers.shape[1]:
            with np.errstate(over="ignore"):
                numbers[:] = values[:, self._number_places]
            self._check(np.isfinite(numbers), self._number_places, "is missing, or infinite as float32")
        for each in self.slices:
            if each.feature.is_sequence:
                _mark_padding(each, (codes if each.is_code else numbers)[:, each.start : each.stop])

    def _check(self, usable: np.ndarray, places: np.ndarray, what: str) -> None:
        if usable.all():
            return
        bad = [self.columns[places[place]] for place in np.flatnonzero(~usable.all(axis=0))]
        rows = int((~usable).any(axis=1).sum())
        shown = ", ".join(map(repr, bad[:5])) + (f" and {len(bad) - 5} more" if len(bad) > 5 else "")
        raise errors.DataFault(
            f"the feature {shown} {what} in {rows:,} of {len(usable):,} rows: a network needs a number everywhere; "
            f"encode the column, which gives missing values a number of their own"
        )


def _values(frame: pd.DataFrame) -> np.ndarray:
    # Doubles hold every code and every float32 exactly, whatever the columns are.
    try:
        found: np.ndarray = frame.to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        found = np.column_stack([_column(frame.iloc[:, place]) for place in range(frame.shape[1])])
    return found


def _column(values: pd.Series) -> np.ndarray:
    try:
        found: np.ndarray = values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise errors.DataFault(
            f"the feature '{values.name}' holds {values.dtype}, and a network takes numbers: encode the column"
        ) from None
    return found


def _mark_padding(where: _Slice, values: np.ndarray) -> None:
    """Sets what fills up the ends of rows to the value that the network skips; in place."""
    feature = where.feature
    padding = feature.padding if where.is_code else 0.0
    if padding is None or not (where.is_code or feature.is_masked):
        return
    ends = np.logical_and.accumulate((values == padding)[:, ::-1], axis=1)[:, ::-1]
    values[ends] = 0 if where.is_code else PADDED
