"""Rows that are split and encoded, with nothing learnt outside the training split; what feeds a model in the queue."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlpipeline.config_text import near_miss
from mlpipeline.data.encoding import Encoding, Observations
from mlpipeline.data.schema import NOTHING, Schema, check_columns, check_frame
from mlpipeline.data.split import PARTS
from mlpipeline.errors import DataFault
from mlpipeline.model import DataLoader, ExecutionModeKeys

_log = logging.getLogger(__name__)


class Dataset(DataLoader):
    """Rows, how they are divided, and how they become numbers.

    A subclass defines `get_data`, `get_encoders`, `get_output_encoder`, and, by the class that it extends, how rows
    are divided. All is read, split and encoded when it is first asked for, and then kept. The options below may be set
    in the class, or given to its constructor by name.

    Attributes:
        index: columns that become the index of encoded frames, so that predictions can be told whose they are.
        evaluate_on: the part that `get_test_input` gives: "test", or "validation".
        workers: how many threads fit and apply encoders.
        as_of: the moment up to which ages are measured, in training and when predicting, where transformers have no
            other.

    Raises:
        DataFault: an option is unknown; the message names the nearest.
    """

    OPTIONS: ClassVar[tuple[str, ...]] = ("index", "evaluate_on", "workers", "as_of")

    index: str | Sequence[str] = ()
    evaluate_on: str = "test"
    workers: int = 1
    as_of: Any = None

    def __init__(self, **options: Any) -> None:
        known = sorted({name for kind in type(self).__mro__ for name in vars(kind).get("OPTIONS", ())})
        for name, value in options.items():
            if name not in known:
                near = near_miss(name, known)
                raise DataFault(f"{type(self).__name__} has no option {name!r}.{near} Known: {', '.join(known)}")
            setattr(self, name, value)

    def get_data(self) -> Any:
        """Returns all rows."""
        raise self._undefined("get_data(self)")

    def get_encoders(self) -> Any:
        """Returns the encoders of the features, or a single one."""
        raise self._undefined("get_encoders(self)")

    def get_output_encoder(self) -> Any:
        """Returns the encoder of the target; None where there is none."""
        raise self._undefined("get_output_encoder(self)")

    def split(self, frame: pd.DataFrame) -> Sequence[np.ndarray]:
        """Returns the positions of the rows of training, validation and test; rows may be left out."""
        raise self._undefined("split(self, frame)")

    def read_columns(self, frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
        """Returns exactly the columns that are named. Who extends it changes what encoders see, always and everywhere.

        Args:
            frame: rows of the data, or rows to be predicted.
            names: what the encoders have declared to read.
        """
        return frame[list(names)]

    @property
    def training_data(self) -> Any:
        """The rows to learn from, numbered from 0."""
        return self._frames[0]

    @property
    def validation_data(self) -> Any:
        """The rows to select by, numbered from 0."""
        return self._frames[1]

    @property
    def test_data(self) -> Any:
        """The rows to report on, numbered from 0."""
        return self._frames[2]

    @cached_property
    def encoded_training_data(self) -> Any:
        """The observations to learn from."""
        return self._encoded("training")

    @cached_property
    def encoded_validation_data(self) -> Any:
        """The observations to select by."""
        return self._encoded("validation")

    @cached_property
    def encoded_test_data(self) -> Any:
        """The observations to report on."""
        return self._encoded("test")

    @property
    def encoders(self) -> tuple[Any, ...]:
        """The encoders of the features, fitted."""
        return self.encoding.encoders

    @property
    def output_encoder(self) -> Any:
        """The encoder of the target, fitted."""
        return self.encoding.output_encoder

    @property
    def schema(self) -> Schema:
        """What the columns of the training split were that encoders were fitted on."""
        return self.encoding.schema

    @property
    def columns(self) -> list[str]:
        """The columns of the data."""
        return list(self.training_data.columns)

    @property
    def row_counts(self) -> dict[str, int]:
        """The number of rows of each part."""
        return {part: len(frame) for part, frame in zip(PARTS, self._frames, strict=True)}

    def __len__(self) -> int:
        return sum(self.row_counts.values())

    def __bool__(self) -> bool:
        return True

    def encode_x(self, frame: pd.DataFrame, tags: Iterable[str] = ()) -> pd.DataFrame:
        """Encodes the features of rows of any origin: a column for each, sequences and twins expanded.

        Args:
            frame: rows with the columns that encoders read; others do not matter.
            tags: use only encoders that have one of these; all by default.

        Raises:
            DataFault: a column is missing, or holds another kind of values than those that encoders were fitted on.
        """
        return self.encoding.encode_x(frame, tags)

    def encode_y(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Encodes the target; None where the frame has none of its columns."""
        return self.encoding.encode_y(frame)

    def observations(self, frame: pd.DataFrame, tags: Iterable[str] = ()) -> Observations:
        """Encodes features and target of rows."""
        return self.encoding.observations(frame, tags)

    def decode(self, encoded: pd.DataFrame) -> pd.DataFrame:
        """Returns what encoded features stand for: a column for each encoder, called as it is."""
        return self.encoding.decode(encoded)

    @cached_property
    def encoding(self) -> Encoding:
        """The encoders, fitted on the training split alone, and the schema of what they read."""
        encoding = self._unfitted()
        training = self.training_data
        check_columns(training, (*encoding.fit_inputs, *encoding.index), self._whose)
        encoding.fit(lambda names: training)
        self._look_at(encoding)
        return encoding

    def get_train_input(self, mode: ExecutionModeKeys = ExecutionModeKeys.TRAIN, **kwargs: Any) -> Any:
        """Returns the encoded training split."""
        return self.encoded_training_data

    def get_test_input(self, **kwargs: Any) -> Any:
        """Returns the encoded part that `evaluate_on` names."""
        return getattr(self, f"encoded_{self._evaluated}_data")

    def get_train_sample_count(self) -> int:
        """Returns the number of rows to learn from."""
        return self.row_counts["training"]

    def get_test_sample_count(self) -> int:
        """Returns the number of rows in the part that `evaluate_on` names."""
        return self.row_counts[self._evaluated]

    def get_dataloader_summery(self, **kwargs: Any) -> str:
        """Returns the counts of rows and features, and what was added to the summary."""
        counts = ", ".join(f"{count:,} {part}" for part, count in self.row_counts.items())
        said = f"{type(self).__name__}: {len(self):,} rows ({counts}), {len(self.encoding.feature_names)} features"
        return f"{said}\n{self.summary or ''}".rstrip("\n")

    def __getstate__(self) -> dict[str, Any]:
        """Keeps encoders and options, and drops the rows."""
        return {name: value for name, value in vars(self).items() if not _is_data(name)}

    @cached_property
    def _frames(self) -> tuple[Any, ...]:
        frame = self.get_data()
        check_frame(frame, self._whose)
        return tuple(frame.iloc[places].reset_index(drop=True) for places in self.split(frame))

    def _encoded(self, part: str) -> Any:
        return self.observations(self._frames[PARTS.index(part)])

    def _unfitted(self) -> Encoding:
        encoders = self.get_encoders()
        listed = tuple(encoders) if isinstance(encoders, Iterable) else (encoders,)
        return Encoding(
            listed,
            self.get_output_encoder(),
            index=(self.index,) if isinstance(self.index, str) else self.index,
            workers=self.workers,
            read=None if type(self).read_columns is Dataset.read_columns else self.read_columns,
            as_of=self.as_of,
        )

    def _look_at(self, encoding: Encoding) -> None:
        """Says what may be meant, but seldom is."""
        for column in encoding.schema.columns:
            if column.kind == NOTHING:
                _log.warning("%s: column %r is missing in every row for training", self._whose, column.name)
            elif column.missing and column.name in encoding.output_inputs:
                share = f"{column.missing:.1%}"
                _log.warning("%s: the target %r is missing in %s of rows for training", self._whose, column.name, share)
        for name in set(encoding.output_inputs) & set(encoding.inputs):
            _log.warning("%s: the target %r is a feature too, and not known when predicting", self._whose, name)

    @property
    def _whose(self) -> str:
        return f"{type(self).__name__}.get_data()"

    @property
    def _evaluated(self) -> str:
        if self.evaluate_on not in PARTS[1:]:
            raise DataFault(f"evaluate_on is {self.evaluate_on!r}: it must be 'test' or 'validation'")
        return self.evaluate_on


def _is_data(name: str) -> bool:
    return name in ("_frames", "spool", "_kept") or (name.startswith("encoded_") and name.endswith("_data"))
