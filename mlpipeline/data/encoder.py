"""A fitted column -> numbers, and back: what all encoders share, by scikit-learn's rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import pandas as pd

from mlpipeline import errors, progress
from mlpipeline.data import given, interop
from mlpipeline.data.given import Column, inputs_of, name_of, read, smallest, underscore
from mlpipeline.data.parameters import Parameterized

TWIN = "_twin"
BLOCK_ROWS = 1 << 16
"""Rows that are encoded at once: what lies between them and their codes stays in the processor's cache."""


_Kind = TypeVar("_Kind", bound="Encoder")


class Encoder(interop.Interop, Parameterized):
    """Learns from a column, in `fit`, how to make numbers of it, in `transform`.

    It is a valid scikit-learn transformer for one column. Each row is encoded by itself: alone it gives what it gives
    within a frame. A value that was not seen, is missing, infinite or out of range has a code that the kind documents.
    A kind defines `_encode` and `_decode`, and what it learns in `_learn`.

    Args:
        column: a column's name, its position where arrays are to be encoded, or a Transformer.
        name: the feature's name; by default the kind and the column, e.g. `norm_first_name_name_age_log`.
        dtype: of the codes; by default the smallest that holds them, float32 for continuous kinds.
        embed_scale: multiplies the width of the embedding that a network gives to this feature.
        tags: any words; `tagged` picks encoders by them.
        twin: whether `<column>_twin` is encoded beside it, both by what was learnt from both.
    """

    is_continuous: ClassVar[bool] = False
    is_stateless: ClassVar[bool] = False
    takes_text: ClassVar[bool] = False
    is_invertible: ClassVar[bool] = True
    # For the kinds that have no such parameter.
    twin: bool = False

    def __init__(
        self,
        column: Column,
        *,
        name: str | None = None,
        dtype: Any = None,
        embed_scale: float = 1.0,
        tags: Sequence[str] = (),
        twin: bool = False,
    ) -> None:
        self.column = column
        self.name = name
        self.dtype = dtype
        self.embed_scale = embed_scale
        self.tags = tags
        self.twin = twin

    # A parameter and what follows from it bear the same name: the parameter lies in __dict__, the property goes first.
    @property
    def name(self) -> str:
        """The feature's name."""
        own: str | None = vars(self)["name"]
        return own or f"{underscore(type(self).__name__)}_{name_of(self.column)}"

    @name.setter
    def name(self, name: str | None) -> None:
        vars(self)["name"] = name

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The columns of a frame that `transform` reads, in order, each once."""
        return tuple(dict.fromkeys(label for side in self._sides() for column in side for label in inputs_of(column)))

    @property
    def fit_inputs(self) -> tuple[Any, ...]:
        """The columns of a frame that `fit` reads: `inputs`, and those that are not needed afterwards."""
        return self.inputs

    @property
    def cardinality(self) -> int:
        """How many codes there are, those for missing and unknown values among them.

        Raises:
            DataFault: (a ValueError) the kind is continuous.
        """
        raise errors.DataFault(f"{self!r} is continuous: it has no cardinality")

    @property
    def sequence_length(self) -> int | None:
        """How many codes a row has, of one column; None where it has one that is no sequence."""
        return None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the columns that `transform` gives: those of the column, then those of its twin."""
        own = self._own_names()
        return own + tuple(f"{name}{TWIN}" for name in own) if self.twin else own

    @property
    def width(self) -> int:
        """How many columns `transform` gives, those of a twin among them."""
        return self._own_width() * len(self._sides())

    @property
    def codes_dtype(self) -> np.dtype:
        """The type of what `transform` gives."""
        stated: np.dtype | None = None if self.dtype is None else np.dtype(self.dtype)
        if stated is not None:
            return stated
        return np.dtype(np.float32) if self.is_continuous else smallest(self.cardinality)

    def fit(self, frame: Any, y: Any = None) -> Self:
        """Learns anew from the rows of a frame; nothing of an earlier fit remains.

        Args:
            frame: with at least the columns `fit_inputs`; a column or an array, see `given.framed`.
            y: is not read.

        Raises:
            DataFault: a column is missing, or holds what this kind cannot take; there are no rows.
            ParameterError: a parameter has a value that cannot be used.
        """
        self._check()
        rows, width = given.framed(frame, self.fit_inputs, self)
        if not len(rows):
            raise errors.DataFault(f"{self!r}: 0 rows, and a minimum of 1 is required: see what the query gives")
        for name in [each for each in vars(self) if _is_learnt(each)]:
            delattr(self, name)
        self._learn(rows)
        self._check_dtype()
        self.n_features_in_ = width
        if isinstance(frame, pd.DataFrame) and all(isinstance(each, str) for each in self.inputs):
            self.feature_names_in_ = np.array(self.inputs, dtype=object)
        return self

    def transform(self, frame: Any) -> Any:
        """Returns the codes: an array with a row for each row, and `width` columns; a frame where `set_output` said so.

        Raises:
            NotFitted: nothing was learnt yet.
            DataFault: a column is missing, or of another kind than fitted.
        """
        self._require_fit()
        sides, size = self._sides(), self._block_rows()
        width = self._own_width() * len(sides)
        # A transformer must not see more than it declares; where there is none, nobody looks.
        exactly = not all(isinstance(column, str | int) for side in sides for column in side)
        rows, _ = given.framed(frame, self.inputs, self, vars(self).get("n_features_in_"), exactly=exactly)
        codes = np.empty((len(rows), width), self.codes_dtype)
        for start in self._blocks(len(rows), size):
            block = rows.iloc[start : start + size] if len(rows) > size else rows
            read_sides = [[read(column, block) for column in side] for side in sides]
            # A type that the user chose may be too narrow for a value: it becomes infinite, as everywhere in NumPy.
            with np.errstate(over="ignore"):
                self._encode_into(codes[start : start + len(block)], read_sides)
        return self._dressed(codes, rows.index)

    def codes_of(self, columns: Mapping[Any, pd.Series]) -> np.ndarray | None:
        """Returns the codes of a few rows' columns, which the caller took out of their frame once, as `transform` does.

        The caller sets `np.errstate(over="ignore")`. None where the columns are not what this encoder reads.
        """
        self._require_fit()
        sides = self._sides()
        if not all(isinstance(column, str) and column in columns for side in sides for column in side):
            return None
        found = [[columns[column] for column in side] for side in sides]
        codes = np.empty((len(found[0][0]), self._own_width() * len(sides)), self.codes_dtype)
        self._encode_into(codes, found)
        return codes

    def _encode_into(self, codes: np.ndarray, sides: Sequence[Sequence[pd.Series]]) -> None:
        rows, span = len(codes), codes.shape[1] // len(sides)
        for place, values in enumerate(sides):
            codes[:, place * span : (place + 1) * span] = self._encode(*values).reshape(rows, span)

    def inverse_transform(self, codes: Any) -> Any:
        """Returns the values that codes stand for, as far as the kind can tell: a column, with a twin a frame of two.

        Args:
            codes: `width` of them for each row; predictions will do, codes are rounded to whole ones.

        Raises:
            DataFault: the codes have another shape.
        """
        self._require_fit()
        index = codes.index if isinstance(codes, pd.DataFrame | pd.Series) else None
        array = np.asarray(codes)
        if array.ndim == 1 and self.width == 1:
            array = array.reshape(-1, 1)
        if array.ndim != 2 or array.shape[1] != self.width:
            raise errors.DataFault(f"{self!r}: codes of the shape {array.shape}: give {self.width} for each row")
        parts, own = np.split(array, 2, axis=1) if self.twin else [array], name_of(self.column)
        columns = [_column(self._decode(each), index, own + TWIN * place) for place, each in enumerate(parts)]
        return columns[0] if len(parts) == 1 else pd.DataFrame({each.name: each for each in columns})

    def state(self) -> dict[str, Any]:
        """Returns what JSON can hold, but for Arrow tables, and `from_state` makes the same encoder of."""
        from mlpipeline.data.encoders import stored

        return stored.state(self)

    @classmethod
    def from_state(cls: type[_Kind], state: Mapping[str, Any]) -> _Kind:
        """Returns the encoder that `state` described; imports no code but this package's.

        Raises:
            DataFault: its class is neither built in nor imported, or the state is damaged.
        """
        from mlpipeline.data.encoders import stored

        return stored.restored(cls, state)

    @property
    def needs_as_of(self) -> bool:
        """Whether a transformer in it measures up to a moment that nobody has given yet."""
        return bool(self._undated())

    def at(self, as_of: Any) -> Self:
        """Returns an encoder like this, unfitted, whose transformers measure up to this moment."""
        dated = {name: value.at(as_of) for name, value in self._undated().items()}
        return type(self)(**self.get_params(deep=False) | dated)

    def _undated(self) -> dict[str, Any]:
        return {
            name: value for name, value in self.get_params(deep=False).items() if getattr(value, "needs_as_of", False)
        }

    def _check(self) -> None:
        """Refuses parameters that cannot be used; constructors only store them."""
        for column in (each for side in self._sides() for each in side):
            if isinstance(column, Encoder):
                raise errors.ParameterError(f"{self!r}: {column!r} is an encoder: give a column or a transformer")
        if self.twin and not isinstance(self.column, str):
            raise errors.ParameterError(f"{self!r}: only a column that is named can have a twin: encode the two alone")

    def _learn(self, rows: pd.DataFrame) -> None:
        """Learns; whatever is learnt has a name that ends in an underscore."""

    def _encode(self, values: pd.Series) -> np.ndarray:
        """Returns the codes of a block of values."""
        raise TypeError(f"{type(self).__name__} has no _encode(self, values): define it")

    def _decode(self, codes: np.ndarray) -> Any:
        """Returns the values of codes, which come as (rows, columns of one side)."""
        raise TypeError(f"{type(self).__name__} has no _decode(self, codes): define it")

    def _sides(self) -> tuple[tuple[Any, ...], ...]:
        """Returns what is encoded, side by side; each side is what `_encode` takes."""
        return ((self.column,), (f"{self.column}{TWIN}",)) if self.twin else ((self.column,),)

    def _values(self, rows: pd.DataFrame) -> pd.Series:
        """Returns all values to learn from, those of a twin after those of the column."""
        columns = [read(column, rows) for side in self._sides() for column in side]
        return columns[0] if len(columns) == 1 else pd.concat(columns, ignore_index=True)

    def _own_names(self) -> tuple[str, ...]:
        length = self.sequence_length
        return (self.name,) if length is None else tuple(f"{self.name}_{place}" for place in range(length))

    def _own_width(self) -> int:
        return self.sequence_length or 1

    def _block_rows(self) -> int:
        return BLOCK_ROWS

    def _blocks(self, rows: int, size: int) -> Iterable[int]:
        starts = range(0, rows, size)
        return starts if len(starts) < 2 else progress.shown(starts, description=self.name)

    def _require_fit(self) -> None:
        if not ("n_features_in_" in vars(self) or self.is_stateless or any(map(_is_learnt, vars(self)))):
            raise errors.NotFitted(f"{self!r} has learnt nothing yet: call fit first")

    def _check_dtype(self) -> None:
        kind = self.codes_dtype
        if kind.kind in "iu" and not self.is_continuous and self.cardinality - 1 > np.iinfo(kind).max:
            raise errors.ParameterError(f"{self!r}: {kind} cannot hold {self.cardinality} codes: leave dtype out")


def tagged(encoders: Encoder | Iterable[Encoder], *tags: str) -> tuple[Encoder, ...]:
    """Returns those encoders that bear at least one of the tags, in their order."""
    listed: Iterator[Encoder] = iter((encoders,) if isinstance(encoders, Encoder) else encoders)
    return tuple(each for each in listed if not set(tags).isdisjoint(each.tags))


def _column(found: Any, index: pd.Index | None, name: str) -> pd.Series:
    if isinstance(found, pd.Series) and index is not None:
        found = found.set_axis(index)
    return found.rename(name) if isinstance(found, pd.Series) else pd.Series(found, index=index, name=name)


def _is_learnt(name: str) -> bool:
    return name.endswith("_") and not name.startswith("_")
