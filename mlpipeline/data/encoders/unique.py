"""The encoder of values as such: each that is known has a code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.encoder import Encoder
from mlpipeline.data.encoders.binned import counted
from mlpipeline.data.encoders.reading import numbers
from mlpipeline.data.encoders.vocabulary import Vocabulary, distinct_of, ordered, whole
from mlpipeline.data.given import Column, inputs_of, read


class Vocabular(Encoder):
    """An encoder with a vocabulary: 0 is padding, 1 rare or unseen, 2 … known, the last code missing.

    Equal values of different types are one: 1, 1.0 and True. Infinite numbers are values like others.
    """

    takes_text: ClassVar[bool] = True
    counts_classes: ClassVar[bool] = True
    vocabulary_: Vocabulary

    @property
    def cardinality(self) -> int:
        """Padding, rare or unseen, those known, missing."""
        self._require_fit()
        return self.vocabulary_.cardinality


class Unique(Vocabular):
    """Encodes each known value with a code of its own, from 2 on; 1 is rare or unseen, 0 is padding, n + 2 missing.

    Text is told apart by case. The inverse gives the value, `LONG_TAIL` or `MISSING_VALUE`.

    Args:
        column: a column or a Transformer.
        minimum_occurrences: values seen less often are rare.
        group_by: a column; occurrences are counted as distinct values of it, as the users that have a value.
        correlation: a column; codes are in the order of its mean for each value, by default in that of the values.
        stratify: the former name of group_by.
        name: see `Encoder`, as all others.
    """

    def __init__(
        self,
        column: Column,
        minimum_occurrences: int = 1,
        group_by: Column | None = None,
        correlation: Column | None = None,
        *,
        stratify: Column | None = None,
        name: str | None = None,
        dtype: Any = None,
        embed_scale: float = 1.0,
        tags: Sequence[str] = (),
        twin: bool = False,
    ) -> None:
        super().__init__(column, name=name, dtype=dtype, embed_scale=embed_scale, tags=tags, twin=twin)
        self.minimum_occurrences = minimum_occurrences
        self.group_by = group_by
        self.correlation = correlation
        self.stratify = stratify

    @property
    def fit_inputs(self) -> tuple[Any, ...]:
        """Those of `transform`, and the columns that count and order what is learnt."""
        more = [label for each in (self._groups, self.correlation) if each is not None for label in inputs_of(each)]
        return tuple(dict.fromkeys([*self.inputs, *more]))

    @property
    def _groups(self) -> Column | None:
        return self.stratify if self.group_by is None else self.group_by

    def _check(self) -> None:
        super()._check()
        counted(self, "minimum_occurrences", self.minimum_occurrences, 0)
        if self.group_by is not None and self.stratify is not None:
            raise errors.ParameterError(f"{self!r}: stratify is the former name of group_by: leave it out")

    def _learn(self, rows: pd.DataFrame) -> None:
        places, distinct = distinct_of(self._values(rows), self)
        counts = self._counts(places, len(distinct), rows)
        known = {value: place for place, value in enumerate(distinct) if counts[place] >= self.minimum_occurrences}
        values = ordered(known, self)
        if self.correlation is not None:
            means = self._means(places, len(distinct), rows)
            # The sort is stable: equal means leave the order of values.
            values.sort(key=lambda value: means[known[value]])
        self.vocabulary_ = Vocabulary(values)

    def _counts(self, places: np.ndarray, count: int, rows: pd.DataFrame) -> np.ndarray:
        if self._groups is None:
            return np.bincount(places[places >= 0], minlength=count)
        groups, known = distinct_of(self._beside(self._groups, rows), self)
        used = (places >= 0) & (groups >= 0)
        size = max(1, len(known))
        pairs = np.unique(places[used].astype(np.int64) * size + groups[used])
        return np.bincount(pairs // size, minlength=count)

    def _means(self, places: np.ndarray, count: int, rows: pd.DataFrame) -> np.ndarray:
        """Returns the mean of what codes are ordered by, for each distinct value; infinite where there is none."""
        assert self.correlation is not None
        found, _ = numbers(self._beside(self.correlation, rows), self)
        used = np.flatnonzero((places >= 0) & np.isfinite(found))
        # Summed in the order of their size, so that the order of rows decides nothing.
        used = used[np.argsort(found[used], kind="stable")]
        sums = np.bincount(places[used], found[used], minlength=count)
        counts = np.bincount(places[used], minlength=count)
        means: np.ndarray = np.divide(sums, counts, out=np.full(count, np.inf), where=counts > 0)
        return means

    def _beside(self, column: Column, rows: pd.DataFrame) -> pd.Series:
        values = read(column, rows)
        return pd.concat([values] * len(self._sides()), ignore_index=True)

    def _encode(self, values: pd.Series) -> np.ndarray:
        return self.vocabulary_.codes(values, self)

    def _decode(self, codes: np.ndarray) -> Any:
        return pd.Series(self.vocabulary_.values_of(whole(codes[:, 0]))).infer_objects()
