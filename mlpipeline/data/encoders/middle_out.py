"""The encoder of places in a list: the first ones, the last ones, and all between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlpipeline.data.encoders.binned import counted
from mlpipeline.data.encoders.reading import lists
from mlpipeline.data.encoders.sequence import Sequenced, spread
from mlpipeline.data.encoders.vocabulary import whole
from mlpipeline.data.given import Column


class MiddleOut(Sequenced):
    """Encodes the place of each element in its list: the first from 0 up, the last up to 2 * depth, others as depth.

    A list of fewer than 2 * depth elements has half of them, rounded down, at either end. What the elements are is not
    read; places that a short row does not have count as the middle. The inverse gives places as Python counts them, -1
    the last one, None for the middle.

    Args:
        column: a column of lists, tuples or arrays, or a Transformer.
        depth: how many places at either end have codes of their own, 1 or more.
        sequence_length: codes for each row, longer lists are cut; by default the longest list that was fitted.
        name: see `Encoder`, as all others.
    """

    takes_arrays: ClassVar[bool] = False

    def __init__(
        self,
        column: Column,
        depth: int,
        sequence_length: int | None = None,
        *,
        name: str | None = None,
        dtype: Any = None,
        embed_scale: float = 1.0,
        tags: Sequence[str] = (),
        twin: bool = False,
    ) -> None:
        super().__init__(column, name=name, dtype=dtype, embed_scale=embed_scale, tags=tags, twin=twin)
        self.depth = depth
        self.sequence_length = sequence_length

    @property
    def cardinality(self) -> int:
        """The places at both ends, and the middle."""
        return 2 * self.depth + 1

    def _check(self) -> None:
        super()._check()
        counted(self, "depth", self.depth)

    def _learn(self, rows: pd.DataFrame) -> None:
        _, lengths = lists(self._values(rows), self)
        self._learn_length(lengths)

    def _encode(self, values: pd.Series) -> np.ndarray:
        _, lengths = lists(values, self)
        total = np.repeat(lengths, lengths)
        place = np.arange(len(total)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        depth = np.minimum(self.depth, total // 2)
        codes = np.full(len(total), self.depth)
        codes = np.where(place < depth, place, codes)
        codes = np.where(place >= total - depth, self.cardinality - (total - place), codes)
        return spread(codes, lengths, self._own_width(), self.depth, self.codes_dtype)

    def _decode(self, codes: np.ndarray) -> Any:
        places = whole(codes)
        signed = np.where(places > self.depth, places - self.cardinality, places).astype(object)
        signed[(places == self.depth) | (places < 0) | (places >= self.cardinality)] = None
        found = np.empty(len(codes), object)
        found[:] = signed.tolist()
        return pd.Series(found)
