"""Encoders of flags: whether a value is there and not zero, and whether two columns agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.encoder import Encoder
from mlpipeline.data.encoders.reading import Kind, numbers
from mlpipeline.data.encoders.vocabulary import whole
from mlpipeline.data.given import Column, name_of, plain, read, underscore


class Boolean(Encoder):
    """Encodes zero and False as 0, a missing value as 2, everything else as 1. Learns nothing.

    The inverse is False for 0 and True for all else, missing values included.
    """

    is_stateless: ClassVar[bool] = True
    _MISSING = 2

    @property
    def cardinality(self) -> int:
        """No, yes, missing."""
        return 3

    def _learn(self, rows: pd.DataFrame) -> None:
        self._numbers(self._values(rows))

    def _encode(self, values: pd.Series) -> np.ndarray:
        found = self._numbers(values)
        return np.where(np.isnan(found), self._MISSING, found != 0).astype(np.uint8)

    def _numbers(self, values: pd.Series) -> np.ndarray:
        found, kind = numbers(values, self)
        if kind in (Kind.MOMENT, Kind.DURATION):
            raise errors.DataFault(f"{self!r}: column '{values.name}' holds times, not flags: convert it")
        return found

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return whole(codes[:, 0]) > 0


class Equals(Encoder):
    """Encodes as 1 where two columns hold the same value, as 0 elsewhere, also where one is missing. Learns nothing.

    The inverse tells whether they were equal; the values are lost.

    Args:
        column: a column or a Transformer.
        other: what it is compared with, another one.
    """

    is_stateless: ClassVar[bool] = True
    takes_text: ClassVar[bool] = True

    def __init__(
        self,
        column: Column,
        other: Column,
        *,
        name: str | None = None,
        dtype: Any = None,
        embed_scale: float = 1.0,
        tags: Sequence[str] = (),
    ) -> None:
        super().__init__(column, name=name, dtype=dtype, embed_scale=embed_scale, tags=tags)
        self.other = other
        # Two columns have no twins: the parameter is not this kind's.
        del self.twin

    @property
    def name(self) -> str:
        """The feature's name: `equals_<column>_and_<other>`."""
        own: str | None = vars(self)["name"]
        return own or f"{underscore(type(self).__name__)}_{name_of(self.column)}_and_{name_of(self.other)}"

    @name.setter
    def name(self, name: str | None) -> None:
        vars(self)["name"] = name

    @property
    def cardinality(self) -> int:
        """Different, equal."""
        return 2

    def _sides(self) -> tuple[tuple[Any, ...], ...]:
        return ((self.column, self.other),)

    def _learn(self, rows: pd.DataFrame) -> None:
        self._encode(*(read(column, rows.iloc[:1]) for column in self._sides()[0]))

    def _encode(self, left: pd.Series, right: pd.Series) -> np.ndarray:  # type: ignore[override]
        both = left.notna().to_numpy() & right.notna().to_numpy()
        found = np.zeros(len(both), dtype=bool)
        try:
            found[both] = _same(plain(left[both]), plain(right[both]))
        except (TypeError, ValueError) as error:
            raise errors.DataFault(
                f"{self!r}: {left.dtype} and {right.dtype} cannot be compared ({error}): make them the same first"
            ) from error
        return found

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return whole(codes[:, 0]) > 0


def _same(left: pd.Series, right: pd.Series) -> np.ndarray:
    kinds = {getattr(each.dtype, "kind", "O") for each in (left, right)}
    if kinds <= set("biuf") or (left.dtype == right.dtype and not pd.api.types.is_object_dtype(left.dtype)):
        return np.asarray(left.array == right.array, dtype=bool)
    if kinds == {"M"}:
        # Refuses moments of which only one has a time zone; as objects they would all be different.
        left.array[:0] - right.array[:0]
    return np.asarray(left.to_numpy(object) == right.to_numpy(object), dtype=bool)
