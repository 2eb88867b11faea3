"""Fitted encoders and the schema of what they read: one path for fitting, for training and for serving."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from mlpipeline.data import encoding_checks
from mlpipeline.data.bars import Bar, bar
from mlpipeline.data.encoder import Encoder
from mlpipeline.data.schema import Column, Schema, check_columns, check_rows
from mlpipeline.errors import DataFault

Source = Callable[[Sequence[str]], pd.DataFrame]
"""Gives rows of the training split, with the columns that are named; others may be there."""
Read = Callable[[pd.DataFrame, Sequence[str]], pd.DataFrame]
"""Gives exactly the columns of a frame that are named."""

TWIN = "_twin"
_FEW = 1_000


class Observations(NamedTuple):
    """What a model learns from.

    Attributes:
        x: a column for each feature, a row for each observation.
        y: the target, of shape (rows,), or (rows, width) where its encoder is wider than one; None where there is
            none.
    """

    x: pd.DataFrame
    y: np.ndarray | None


class Encoding:
    """Encoders for the features and one for the target.

    Args:
        encoders: for the features, in order.
        output_encoder: for the target.
        index: columns that become the index of encoded frames that have them.
        workers: how many threads fit and encode; each takes an encoder at a time.
        read: how columns are taken from any frame, by default as they are.
        as_of: the moment up to which transformers measure that need one.

    Raises:
        DataFault: something is no encoder, two have one name, or a moment is needed and there is none.
    """

    def __init__(
        self,
        encoders: Sequence[Any],
        output_encoder: Any,
        *,
        index: Sequence[str] = (),
        workers: int = 1,
        read: Read | None = None,
        as_of: Any = None,
    ) -> None:
        encoding_checks.check_encoders(encoders, output_encoder)
        encoding_checks.check_workers(workers)
        self.encoders = tuple(encoding_checks.dated(encoder, as_of) for encoder in encoders)
        self.output_encoder = None if output_encoder is None else encoding_checks.dated(output_encoder, as_of)
        self.index = tuple(index)
        self.workers = workers
        self.read = read or _plainly
        self.as_of = as_of
        self.schema = Schema()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that the features are made of."""
        return _union(encoder.inputs for encoder in self.encoders)

    @property
    def output_inputs(self) -> tuple[str, ...]:
        """The columns that the target is made of."""
        return tuple(self.output_encoder.inputs) if self.output_encoder is not None else ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns of an encoded frame."""
        return tuple(name for encoder in self.encoders for name in encoder.feature_names)

    @property
    def fit_inputs(self) -> tuple[str, ...]:
        """All columns that are read when encoders are fitted."""
        return _union(_fit_inputs(encoder) for encoder in self._everyone())

    @property
    def own_read(self) -> str | None:
        """What takes columns out of frames; None where they are taken as they are."""
        if self.read is _plainly:
            return None
        return f"{self.read.__module__}.{getattr(self.read, '__qualname__', type(self.read).__qualname__)}"

    def state(self, tables: MutableMapping[str, Any] | None = None) -> dict[str, Any]:
        """Returns all that is needed to encode and to decode, as JSON can hold it; see `encoding_state.state`."""
        from mlpipeline.data import encoding_state

        return encoding_state.state(self, tables)

    @classmethod
    def from_state(
        cls,
        state: Mapping[str, Any],
        tables: Mapping[str, Any] | None = None,
        *,
        read: Read | None = None,
        workers: int = 1,
    ) -> Self:
        """Returns the fitted encoding that `state` described. Runs no code but that of classes which are known already.

        Args:
            state: as `state` gave it, be it through JSON.
            tables: those that `state` put aside.
            read: how columns are taken from any frame, where that was not as they are; it is not saved.
            workers: how many threads encode.

        Raises:
            DataFault: the state is damaged, of another format, or of classes that are not known.
        """
        from mlpipeline.data import encoding_state

        parts = encoding_state.parts(state, tables, read)
        schema = parts.pop("schema")
        found = cls(**parts, read=read, workers=workers)
        found.schema = schema
        return found

    def fit(self, source: Source) -> None:
        """Fits all encoders, and captures the schema of what they read.

        Args:
            source: gives rows of the training split, and of nothing else; it is asked once for each encoder.
        """
        everyone = self._everyone()
        with bar("encoders fitted", total=len(everyone), unit="") as shown:
            captured = self._each(lambda encoder: self._fitted(encoder, source, shown), everyone)
        columns = {column.name: column for found in captured for column in found}
        self.schema = Schema(tuple(columns[name] for name in self.fit_inputs))
        encoding_checks.check_names(self.feature_names)

    def names_tagged(self, tags: Iterable[str] = ()) -> tuple[str, ...]:
        """Returns the features of the encoders that have one of the tags; without tags, all."""
        return tuple(name for encoder in self.tagged(tags) for name in encoder.feature_names)

    def encode_x(self, frame: pd.DataFrame, tags: Iterable[str] = ()) -> pd.DataFrame:
        """Encodes features.

        Args:
            frame: rows with the inputs of the encoders; other columns do not matter.
            tags: use only encoders that have one of these; all encoders by default.

        Raises:
            WrongType: these are no rows of a frame.
            DataFault: a column is missing, or of another kind than when the encoders were fitted.
        """
        check_rows(frame)
        encoders = self.tagged(tags)
        columns = self.schema.check(frame, _union(encoder.inputs for encoder in encoders))
        if len(frame) <= _FEW:  # threads would wait for one another longer than they work
            with np.errstate(over="ignore"):
                parts = [list(self._features(encoder, frame, columns)) for encoder in encoders]
        else:
            parts = self._each(lambda encoder: list(self._features(encoder, frame, columns)), encoders)
        pairs = dict(pair for part in parts for pair in part)
        arrays, index, labels = list(pairs.values()), self._index(frame), _labels(tuple(pairs))
        if len(frame) <= _FEW and len({array.dtype for array in arrays}) == 1:
            # One block is made, and read, in a fraction of the time; with many rows it would take their memory twice.
            return pd.DataFrame(np.column_stack(arrays), index=index, columns=labels, copy=False)
        return pd.DataFrame(dict(enumerate(arrays)), index=index, copy=False).set_axis(labels, axis=1)

    def features(self, encoder: Any, frame: pd.DataFrame) -> pd.DataFrame:
        """Encodes the features of one encoder."""
        columns = self.schema.check(frame, encoder.inputs)
        with np.errstate(over="ignore"):
            features = dict(self._features(encoder, frame, columns))
        return pd.DataFrame(features, index=frame.index, copy=False)

    def encode_y(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Encodes the target; None where the frame has none of its columns."""
        check_rows(frame)
        names, encoder = self.output_inputs, self.output_encoder
        if encoder is None or not any(name in frame.columns for name in names):
            return None
        self.schema.check(frame, names)
        codes: np.ndarray = encoder.transform(self._inputs(encoder, frame))
        return codes[:, 0] if codes.shape[1] == 1 else codes

    def observations(self, frame: pd.DataFrame, tags: Iterable[str] = ()) -> Observations:
        """Encodes features and target."""
        return Observations(self.encode_x(frame, tags), self.encode_y(frame))

    def decode(self, encoded: pd.DataFrame) -> pd.DataFrame:
        """Returns what features stand for, as far as encoders keep it: a column for each encoder, called as it is.

        Encoders that lack a feature in the frame are left out, so what was encoded with tags can be decoded; and so are
        those that have no inverse.
        """
        known = [each for each in self.encoders if set(each.feature_names) <= set(encoded.columns)]
        if not known:
            check_columns(encoded, self.feature_names, "what is to be decoded")
        decoded = [_decoded(encoder, encoded) for encoder in known if getattr(encoder, "is_invertible", True)]
        return pd.concat(decoded, axis=1) if decoded else pd.DataFrame(index=encoded.index)

    def tagged(self, tags: Iterable[str] = ()) -> tuple[Any, ...]:
        """Returns the encoders that have one of the tags; without tags, all.

        Raises:
            DataFault: no encoder has one of them.
        """
        wanted = {tags} if isinstance(tags, str) else set(tags)
        if not wanted:
            return self.encoders
        known = {tag for encoder in self.encoders for tag in encoder.tags}
        if wanted - known:
            unknown, tell = ", ".join(sorted(wanted - known)), ", ".join(sorted(known)) or "none"
            raise DataFault(f"no encoder has the tag {unknown}: known are {tell}")
        return tuple(encoder for encoder in self.encoders if wanted & set(encoder.tags))

    def _everyone(self) -> tuple[Any, ...]:
        return (*self.encoders, *([] if self.output_encoder is None else [self.output_encoder]))

    def _index(self, frame: pd.DataFrame) -> pd.Index:
        names = [name for name in self.index if name in frame.columns]
        return frame.set_index(names).index if names else frame.index

    def _codes(self, encoder: Any, frame: pd.DataFrame, columns: Mapping[str, pd.Series]) -> np.ndarray:
        if self._reads_by_itself(encoder) and len(frame) <= _FEW:
            codes: np.ndarray | None = encoder.codes_of(columns)
            if codes is not None:
                return codes
        found: np.ndarray = encoder.transform(self._inputs(encoder, frame))
        return found

    def _inputs(self, encoder: Any, frame: pd.DataFrame) -> pd.DataFrame:
        # For a single row, a frame of its own costs more than its codes.
        return frame if self._reads_by_itself(encoder) else self.read(frame, tuple(encoder.inputs))

    def _reads_by_itself(self, encoder: Any) -> bool:
        """Whether an encoder takes its columns out of any frame, as they are."""
        return self.read is _plainly and getattr(type(encoder), "transform", None) is Encoder.transform

    def _fitted(self, encoder: Any, source: Source, shown: Bar) -> list[Column]:
        names = _fit_inputs(encoder)
        frame = self.read(source(names), names)
        if not len(frame):
            raise DataFault(f"{encoder.name}: the training split has no rows, and an encoder learns from nothing else")
        encoder.fit(frame)
        shown.update(1)
        return [Column.captured(frame[name]) for name in names]

    def _features(
        self, encoder: Any, frame: pd.DataFrame, columns: Mapping[str, pd.Series]
    ) -> Iterator[tuple[str, np.ndarray]]:
        codes = self._codes(encoder, frame, columns)
        for place, name in enumerate(encoder.feature_names):
            yield name, codes[:, place]

    def _each(self, work: Callable[[Any], Any], encoders: Sequence[Any]) -> list[Any]:
        if self.workers <= 1 or len(encoders) <= 1:
            return [work(encoder) for encoder in encoders]
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(work, encoders))


@lru_cache(maxsize=64)
def _labels(names: tuple[str, ...]) -> pd.Index:
    """Returns names of columns, made once: for a single row that takes as long as all else."""
    return pd.DataFrame(columns=list(names)).columns


def _plainly(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    return frame[list(names)]


def _fit_inputs(encoder: Any) -> tuple[str, ...]:
    """Returns the columns that an encoder reads when it is fitted; a few read more then than they do afterwards."""
    return tuple(getattr(encoder, "fit_inputs", None) or encoder.inputs)


def _decoded(encoder: Any, encoded: pd.DataFrame) -> pd.DataFrame:
    found = encoder.inverse_transform(encoded[list(encoder.feature_names)].to_numpy())
    found.index = encoded.index
    if isinstance(found, pd.Series):
        return found.to_frame(encoder.name)
    return found.set_axis([f"{encoder.name}{suffix}" for suffix in ("", TWIN)], axis=1)


def _union(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))
