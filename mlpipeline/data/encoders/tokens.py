"""The encoder of text, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlpipeline import errors, progress
from mlpipeline.data.encoder import BLOCK_ROWS
from mlpipeline.data.encoders.binned import counted
from mlpipeline.data.encoders.sequence import Sequenced, spread
from mlpipeline.data.encoders.unique import Vocabular
from mlpipeline.data.encoders.vocabulary import Vocabulary, distinct_of, whole
from mlpipeline.data.given import Column

# Letters, numbers, their marks and the underscore make a word; what else stands at its ends is cut off.
_EDGES = r"^[^\pL\pN\pM_]+|[^\pL\pN\pM_]+$"


class Token(Sequenced, Vocabular):
    """Encodes each word of a text as Unique does a value; rows with fewer words are filled up with the missing code.

    Words stand between white space, in lower case, without punctuation at their ends. What is no text is read as what
    it prints as. The inverse joins words by spaces: all rows have one length, with `LONG_TAIL` and `MISSING_VALUE`.

    Args:
        column: a column or a Transformer.
        sequence_length: words for each row, later ones are cut off; by default as many as the longest row fitted has.
        minimum_occurrences: words seen less often are rare.
        name: see `Encoder`, as all others.
    """

    counts_classes: ClassVar[bool] = False

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
        values = self._values(rows)
        seen: dict[str, int] = {}
        longest = 0
        for start in progress.shown(range(0, len(values), BLOCK_ROWS), description=self.name):
            words, places, lengths = words_of(values.iloc[start : start + BLOCK_ROWS], self)
            longest = max(longest, int(lengths.max(initial=0)))
            for word, count in zip(words, np.bincount(places, minlength=len(words)).tolist(), strict=True):
                seen[word] = seen.get(word, 0) + count
        self.longest_ = max(1, longest)
        self.vocabulary_ = Vocabulary(sorted(word for word, count in seen.items() if count >= self.minimum_occurrences))

    def _encode(self, values: pd.Series) -> np.ndarray:
        words, places, lengths = words_of(values, self)
        codes = self.vocabulary_.codes_of(words)[places]
        return spread(codes, lengths, self._own_width(), self.vocabulary_.missing, self.codes_dtype)

    def _decode(self, codes: np.ndarray) -> Any:
        words = pd.DataFrame(self.vocabulary_.values_of(whole(codes)))
        return words[0].str.cat(words.iloc[:, 1:], sep=" ")


def words_of(values: pd.Series, whose: object) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Returns the distinct words of a column, the place among them of each word in turn, and how many each row has."""
    pc = errors.require("pyarrow.compute", extra="data")
    split = pc.utf8_split_whitespace(text_of(values, whose))
    lengths = pc.fill_null(pc.list_value_length(split), 0).to_numpy(zero_copy_only=False)
    raw = split.flatten().dictionary_encode()
    clean = pc.replace_substring_regex(pc.utf8_lower(raw.dictionary), _EDGES, "").dictionary_encode()
    words = clean.dictionary.to_pylist()
    # Several spellings are one word, and some have nothing left.
    place_of = clean.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    places = place_of[raw.indices.to_numpy(zero_copy_only=False)] if len(raw) else np.empty(0, np.int64)
    if "" not in words:
        return words, places, lengths.astype(np.int64)
    kept = places != words.index("")
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return words, places[kept], np.bincount(rows[kept], minlength=len(lengths))


# Values of one of these types that are equal print alike; 1 and True, or the decimals 1.0 and 1.00, do not.
_PRINT_ALIKE = {str, int, float, bool, bytes}


def text_of(values: pd.Series, whose: object) -> Any:
    """Returns a column as Arrow's text; what is no text as what it prints as, whole numbers without a point."""
    pa = errors.require("pyarrow", extra="data")
    dtype = values.dtype
    if pd.api.types.is_string_dtype(dtype) and not pd.api.types.is_object_dtype(dtype):
        found = pa.array(values.array, pa.large_string(), from_pandas=True)
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    present = values[values.notna()]
    types = set(map(type, present)) if pd.api.types.is_object_dtype(dtype) else set()
    if len(types) > 1 or not types <= _PRINT_ALIKE:
        printed = pd.Series([*map(_printed, present)], index=np.flatnonzero(values.notna()), dtype=object)
        return pa.array(printed.reindex(range(len(values))), pa.large_string(), from_pandas=True)
    places, distinct = distinct_of(values, whose)
    words = [*map(_printed, distinct), None]
    return pa.array(words, pa.large_string()).take(pa.array(np.where(places < 0, len(distinct), places)))


def _printed(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # Half a pair of surrogates has no place in UTF-8.
    return str(value).encode("utf-8", "replace").decode("utf-8")
