"""Encoders of columns of lists: each element like a value of Unique, or of Norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlpipeline.data.encoders.binned import counted
from mlpipeline.data.encoders.continuous import Norm
from mlpipeline.data.encoders.reading import lists
from mlpipeline.data.encoders.sequence import Sequenced, spread
from mlpipeline.data.encoders.unique import Vocabular
from mlpipeline.data.encoders.vocabulary import Vocabulary, distinct_of, ordered, whole
from mlpipeline.data.given import Column


class NestedUnique(Sequenced, Vocabular):
    """Encodes each element of a list as Unique does a value; short lists are filled up with the missing code.

    The inverse gives lists of values, `LONG_TAIL` and `MISSING_VALUE`, all of one length.

    Args:
        column: a column of lists, tuples or arrays, or a Transformer.
        sequence_length: codes for each row, longer lists are cut; by default the longest list that was fitted.
        minimum_occurrences: elements seen less often are rare.
        name: see `Encoder`, as all others.
    """

    takes_arrays: ClassVar[bool] = False

    def __init__(
        self,
        column: Column,
        sequence_length: int | None = None,
        minimum_occurrences: int = 1,
        *,
        name: str | None = None,
        dtype: Any = None,
        embed_scale: float = 1.0,
        tags: Sequence[str] = (),
        twin: bool = False,
    ) -> None:
        super().__init__(column, name=name, dtype=dtype, embed_scale=embed_scale, tags=tags, twin=twin)
        self.sequence_length = sequence_length
        self.minimum_occurrences = minimum_occurrences

    def _check(self) -> None:
        super()._check()
        counted(self, "minimum_occurrences", self.minimum_occurrences, 0)

    def _learn(self, rows: pd.DataFrame) -> None:
        elements, lengths = lists(self._values(rows), self)
        places, distinct = distinct_of(elements, self)
        counts = np.bincount(places[places >= 0], minlength=len(distinct)).tolist()
        kept = [value for value, count in zip(distinct, counts, strict=True) if count >= self.minimum_occurrences]
        self.vocabulary_ = Vocabulary(ordered(kept, self))
        self._learn_length(lengths)

    def _encode(self, values: pd.Series) -> np.ndarray:
        elements, lengths = lists(values, self)
        codes = self.vocabulary_.codes(elements, self)
        return spread(codes, lengths, self._own_width(), self.vocabulary_.missing, self.codes_dtype)

    def _decode(self, codes: np.ndarray) -> Any:
        return _rows(self.vocabulary_.values_of(whole(codes)))


class NestedNorm(Sequenced, Norm):
    """Encodes each element of a list as Norm does a number; missing elements, and what is filled up, as the mean, 0.

    The inverse gives lists of numbers, all of one length.

    Args:
        column: a column of lists, tuples or arrays, or a Transformer.
        sequence_length: numbers for each row, longer lists are cut; by default the longest list that was fitted.
        name: see `Encoder`, as all others.
    """

    takes_arrays: ClassVar[bool] = False

    def __init__(
        self,
        column: Column,
        sequence_length: int | None = None,
        *,
        name: str | None = None,
        dtype: Any = None,
        embed_scale: float = 1.0,
        tags: Sequence[str] = (),
        twin: bool = False,
    ) -> None:
        super().__init__(column, name=name, dtype=dtype, embed_scale=embed_scale, tags=tags, twin=twin)
        self.sequence_length = sequence_length

    def _learn(self, rows: pd.DataFrame) -> None:
        elements, lengths = lists(self._values(rows), self)
        self._learn_values(elements)
        self._learn_length(lengths)

    def _encode(self, values: pd.Series) -> np.ndarray:
        elements, lengths = lists(values, self)
        return spread(super()._encode(elements), lengths, self._own_width(), 0.0, np.dtype(np.float64))

    def _decode(self, codes: np.ndarray) -> Any:
        shape = codes.shape
        return _rows(np.asarray(super()._decode(codes.reshape(-1, 1))).reshape(shape))


def _rows(values: np.ndarray) -> pd.Series:
    """Returns a column with a list for each row."""
    found = np.empty(len(values), object)
    found[:] = values.tolist()
    return pd.Series(found)
