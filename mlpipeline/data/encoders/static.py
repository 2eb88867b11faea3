"""The encoder of text by vectors of words that the user has."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.encoder import BLOCK_ROWS, Encoder
from mlpipeline.data.encoders import embedding_file
from mlpipeline.data.encoders.tokens import words_of
from mlpipeline.data.encoders.vocabulary import Vocabulary
from mlpipeline.data.given import Column


class Static(Encoder):
    """Encodes a text as the mean of the vectors of its words, which a file gives; a text without known words as zeros.

    Words are read as Token does. All words of the file are kept with what was learnt, also those that were not fitted,
    so that the file is not needed any more. There is no inverse.

    Args:
        column: a column or a Transformer.
        path: a file, see `embedding_file.read`. Nothing is ever fetched.
        name: see `Encoder`, as all others.
    """

    is_continuous: ClassVar[bool] = True
    takes_text: ClassVar[bool] = True
    is_invertible: ClassVar[bool] = False
    table_: Any

    def __init__(
        self,
        column: Column,
        path: str | PathLike[str],
        *,
        name: str | None = None,
        dtype: Any = None,
        embed_scale: float = 1.0,
        tags: Sequence[str] = (),
        twin: bool = False,
    ) -> None:
        super().__init__(column, name=name, dtype=dtype, embed_scale=embed_scale, tags=tags, twin=twin)
        self.path = path

    def _learn(self, rows: pd.DataFrame) -> None:
        words_of(self._values(rows.iloc[:1]), self)
        words, vectors = embedding_file.read(Path(self.path))
        # The first of several vectors for a word, which files are in the order of.
        known = dict(zip(reversed(words), range(len(words) - 1, -1, -1), strict=True))
        places = sorted(known.values())
        self.table_ = embedding_file.as_table([words[place] for place in places], vectors[places])

    def _own_names(self) -> tuple[str, ...]:
        self._require_fit()
        return tuple(f"{self.name}_{place}" for place in range(self._dimensions))

    def _own_width(self) -> int:
        self._require_fit()
        return self._dimensions

    @property
    def _dimensions(self) -> int:
        return int(self.table_.schema.field("vector").type.list_size)

    def _block_rows(self) -> int:
        # A vector for each word of a block lies in memory at once.
        return max(256, BLOCK_ROWS // self._dimensions)

    def _encode(self, values: pd.Series) -> np.ndarray:
        vocabulary, vectors = self._known()
        words, places, lengths = words_of(values, self)
        codes = vocabulary.codes_of(words)[places].astype(np.int64) - 2
        rows = np.repeat(np.arange(len(lengths)), lengths)[codes >= 0]
        counts = np.bincount(rows, minlength=len(lengths))
        filled = np.flatnonzero(counts)
        found = np.zeros((len(lengths), vectors.shape[1]), np.float64)
        if len(filled):
            starts = (np.cumsum(counts) - counts)[filled]
            found[filled] = np.add.reduceat(vectors[codes[codes >= 0]], starts, axis=0, dtype=np.float64)
            found[filled] /= counts[filled, np.newaxis]
        return found

    def _known(self) -> tuple[Vocabulary, np.ndarray]:
        """Returns words and vectors, made once of the table that is kept."""
        kept: tuple[Any, Vocabulary, np.ndarray] | None = vars(self).get("_kept")
        if kept is None or kept[0] is not self.table_:
            words, vectors = embedding_file.of_table(self.table_)
            kept = (self.table_, Vocabulary(words), vectors)
            self._kept = kept
        return kept[1], kept[2]

    def _decode(self, codes: np.ndarray) -> Any:
        raise errors.DataFault(f"{self!r} has no inverse: many texts have one mean")
