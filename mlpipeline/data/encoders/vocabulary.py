"""The values that were seen, and their codes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors

MISSING_VALUE = "MISSING_VALUE"
LONG_TAIL = "LONG_TAIL"
_TAIL, _FIRST = 1, 2
# A hash table of its own is not worth it for so few values, as they come to a server.
_FEW = 4
# Equal values of different types have one code: 1, 1.0 and True. In this order values of different types are sorted.
_RANKS: tuple[tuple[type, ...], ...] = (
    (bool, int, float, Decimal),
    (str,),
    (bytes,),
    (datetime,),
    (date,),
    (timedelta,),
    (uuid.UUID,),
)


class Vocabulary:
    """Codes of values: 0 is kept for padding, 1 is rare or unseen, 2 and on are known, the last one is missing.

    Args:
        values: those that are known, in the order of their codes.
    """

    def __init__(self, values: Iterable[Any]) -> None:
        self.values = list(values)
        self._codes = {value: code for code, value in enumerate(self.values, _FIRST)}

    @property
    def missing(self) -> int:
        """The code of a missing value."""
        return len(self.values) + _FIRST

    @property
    def cardinality(self) -> int:
        """How many codes there are."""
        return self.missing + 1

    def codes(self, values: pd.Series, whose: object) -> np.ndarray:
        """Returns the code of each value, in the smallest of some types that hold them all.

        Only distinct values are looked up, so that a column costs one pass of a hash table in C.

        Raises:
            DataFault: there are lists or the like among the values.
        """
        if len(values) <= _FEW:
            found = self._codes_of_few(values)
            if found is not None:
                return found
        places, distinct = distinct_of(values, whose)
        codes: np.ndarray = self.codes_of(distinct)[places]
        return codes

    def _codes_of_few(self, values: pd.Series) -> np.ndarray | None:
        """Returns what `codes` does, for a few values in a tenth of the time; None where one has no hash."""
        try:
            found = self.codes_of(values.tolist())[:-1]
        except TypeError:
            return None
        found[values.isna().to_numpy()] = self.missing
        return found

    def codes_of(self, distinct: Sequence[Any]) -> np.ndarray:
        """Returns the codes of values of which none is missing, and after them that of a missing one."""
        kind = np.uint16 if self.missing <= np.iinfo(np.uint16).max else np.uint32
        found = np.fromiter(map(self._codes.get, distinct, repeat(_TAIL)), kind, len(distinct))
        return np.append(found, kind(self.missing))

    def values_of(self, codes: np.ndarray) -> np.ndarray:
        """Returns what each code stands for, as objects; padding and codes that are none count as missing."""
        table = np.array([MISSING_VALUE, LONG_TAIL, *self.values, MISSING_VALUE], dtype=object)
        return table[np.where((codes < 0) | (codes > self.missing), self.missing, codes)]


def distinct_of(values: pd.Series, whose: object) -> tuple[np.ndarray, list[Any]]:
    """Returns the place of each value among the distinct ones, -1 where it is missing; and the distinct ones.

    Raises:
        DataFault: a value has no hash.
    """
    try:
        places, distinct = pd.factorize(values, use_na_sentinel=True)
    except TypeError as error:
        raise errors.DataFault(
            f"{whose!r}: column '{values.name}' holds what cannot be told apart by its hash ({error}): lists are for "
            f"NestedUnique"
        ) from error
    return places, distinct.tolist()


def ordered(values: Iterable[Any], whose: object) -> list[Any]:
    """Returns values sorted; where their types cannot be compared, by type first.

    Raises:
        DataFault: there is a value that could not be kept in a file.
    """
    listed = [each.item() if isinstance(each, np.generic) else each for each in values]
    ranks = {kind: _rank(kind, whose) for kind in set(map(type, listed))}
    if len(set(ranks.values())) < 2:
        try:
            return sorted(listed)
        except TypeError:  # moments with and without a time zone
            return sorted(listed, key=lambda each: (each.tzinfo is not None, each))
    return sorted(listed, key=lambda each: (ranks[type(each)], getattr(each, "tzinfo", None) is not None, each))


def _rank(kind: type, whose: object) -> int:
    for rank, kinds in enumerate(_RANKS):
        if issubclass(kind, kinds):
            return rank
    raise errors.DataFault(
        f"{whose!r}: values of the type {kind.__name__} cannot be saved: make text or numbers of them"
    )


def whole(codes: np.ndarray) -> np.ndarray:
    """Returns codes as whole numbers, predictions rounded; what is no number is -1."""
    if codes.dtype.kind in "biu":
        return codes.astype(np.int64)
    rounded = np.rint(codes.astype(np.float64))
    return np.where(np.isfinite(rounded), np.clip(rounded, -1, 2**53), -1).astype(np.int64)
