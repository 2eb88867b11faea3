"""The encoder with a column for each level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.encoders.unique import Vocabular
from mlpipeline.data.encoders.vocabulary import Vocabulary, distinct_of, ordered
from mlpipeline.data.given import Column, name_of

MISSING = "missing"


class OneHot(Vocabular):
    """Encodes a value as a row of zeros with a 1 in the column of its level; columns are `<column>_<level>`, sorted.

    Rare, unseen and missing values are all zeros. The inverse gives the level with the largest code; for all zeros the
    level that was dropped, else a missing value.

    Args:
        column: a column or a Transformer.
        minimum_occurrences: levels seen less often get no column; needs `compressed`.
        percent_occurrences: the same as a fraction of all rows; needs `compressed`.
        drop_first: whether the first level gets no column.
        compressed: whether rare levels are left out; needs one of the two limits.
        missing: whether missing values have a column of their own, `<column>_missing`, the last one.
        name: see `Encoder`, as all others.
    """

    def __init__(
        self,
        column: Column,
        minimum_occurrences: int | None = None,
        percent_occurrences: float | None = None,
        drop_first: bool = False,
        compressed: bool = False,
        *,
        missing: bool = False,
        name: str | None = None,
        dtype: Any = None,
        embed_scale: float = 1.0,
        tags: Sequence[str] = (),
        twin: bool = False,
    ) -> None:
        super().__init__(column, name=name, dtype=dtype, embed_scale=embed_scale, tags=tags, twin=twin)
        self.minimum_occurrences = minimum_occurrences
        self.percent_occurrences = percent_occurrences
        self.drop_first = drop_first
        self.compressed = compressed
        self.missing = missing

    @property
    def cardinality(self) -> int:
        """How many columns there are for one column."""
        self._require_fit()
        return len(self._levels()) + self.missing

    @property
    def codes_dtype(self) -> np.dtype:
        """Zeros and ones fit into a byte."""
        return np.dtype(np.uint8 if self.dtype is None else self.dtype)

    def _levels(self) -> list[Any]:
        return self.vocabulary_.values[1:] if self.drop_first else self.vocabulary_.values

    def _own_names(self) -> tuple[str, ...]:
        self._require_fit()
        shown = [_text(level) for level in self._levels()] + [MISSING] * self.missing
        counts = Counter(shown)
        # The number 1 and the text "1" are two levels.
        unlike = [
            each if counts[each] == 1 else repr(level) for each, level in zip(shown, self._levels(), strict=False)
        ]
        return tuple(f"{name_of(self.column)}_{each}" for each in unlike + shown[len(unlike) :])

    def _own_width(self) -> int:
        return self.cardinality

    def _check(self) -> None:
        super()._check()
        limits = [each for each in (self.minimum_occurrences, self.percent_occurrences) if each is not None]
        if self.compressed and len(limits) != 1:
            raise errors.ParameterError(f"{self!r}: give one of minimum_occurrences and percent_occurrences")
        if limits and not self.compressed:
            raise errors.ParameterError(f"{self!r}: levels are left out with compressed=True only")

    def _check_dtype(self) -> None:
        """Every type holds 0 and 1."""

    def _learn(self, rows: pd.DataFrame) -> None:
        values = self._values(rows)
        places, distinct = distinct_of(values, self)
        counts = np.bincount(places[places >= 0], minlength=len(distinct))
        limit = self._limit(len(values))
        kept = [value for value, count in zip(distinct, counts.tolist(), strict=True) if count >= limit]
        self.vocabulary_ = Vocabulary(ordered(kept, self))

    def _limit(self, rows: int) -> float:
        if self.percent_occurrences is not None:
            return self.percent_occurrences * rows
        return 0 if self.minimum_occurrences is None else self.minimum_occurrences

    def _encode(self, values: pd.Series) -> np.ndarray:
        codes, width = self.vocabulary_.codes(values, self).astype(np.int64), self._own_width()
        # Codes of levels begin at 2; what is below the first column is nobody's.
        chosen = codes - 2 - self.drop_first
        chosen[codes == self.vocabulary_.missing] = width - 1 if self.missing else -1
        found = np.zeros((len(values), width), np.uint8)
        rows = np.flatnonzero(chosen >= 0)
        found[rows, chosen[rows]] = 1
        return found

    def _decode(self, codes: np.ndarray) -> Any:
        levels = self._levels()
        table = np.array([*levels, *[None] * self.missing, None], dtype=object)
        if self.drop_first and self.vocabulary_.values:
            table[-1] = self.vocabulary_.values[0]
        if not codes.shape[1]:
            return pd.Series(table[np.full(len(codes), -1)])
        found = np.nan_to_num(codes.astype(np.float64))
        return pd.Series(table[np.where(found.any(axis=1), found.argmax(axis=1), -1)]).infer_objects()


def _text(level: Any) -> str:
    # A column of whole numbers with a missing one among them is one of fractions for pandas.
    return str(int(level)) if isinstance(level, float) and level.is_integer() else str(level)
