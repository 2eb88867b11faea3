"""What feeds an EstimatorModel in the queue: the parts of the dataset as the version wants it, and their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.encoding import Encoding
from mlpipeline.data.given import read
from mlpipeline.data.split import PARTS
from mlpipeline.data.streaming import Stream, Streaming
from mlpipeline.model import DataLoader, ExecutionModeKeys

_BOOLEAN_MISSING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A part of a dataset as estimators take it.

    Attributes:
        part: "training", "validation" or "test"; "given" for rows of any other origin.
        observations: encoded; or a Stream of them.
        weight: of shape (rows,); None where all rows count alike.
    """

    part: str
    observations: Any
    weight: np.ndarray | None = None

    @property
    def is_streamed(self) -> bool:
        """Whether they come in batches."""
        return isinstance(self.observations, Stream)

    def __len__(self) -> int:
        return len(self.observations) if self.is_streamed else len(self.observations.x)


class Feed(DataLoader):
    """The data loader of every version: it gives what the model's dataset is once the version is known."""

    dataset: Any = None
    weight: str | None = None

    def get_train_input(self, mode: ExecutionModeKeys = ExecutionModeKeys.TRAIN, **kwargs: Any) -> Rows:
        """Returns the training split."""
        return self.rows("training")

    def get_validation_input(self, **kwargs: Any) -> Rows | None:
        """Returns the rows to select by; None where there are none."""
        return self.rows("validation") if self.get_validation_sample_count() else None

    def get_test_input(self, **kwargs: Any) -> Rows | None:
        """Returns the rows to report on; None where there are none."""
        return self.rows("test") if self._counts["test"] else None

    def get_train_sample_count(self) -> int:
        """Returns the number of rows to learn from."""
        return self._counts["training"]

    def get_validation_sample_count(self) -> int:
        """Returns the number of rows to select by."""
        return self._counts["validation"]

    def get_test_sample_count(self) -> int:
        """Returns the number of rows to report on, or 1 where there are none."""
        return self._counts["test"] or 1

    def get_dataloader_summery(self, **kwargs: Any) -> str:
        """Returns what the dataset says of itself."""
        return str(self.dataset.get_dataloader_summery(**kwargs))

    def rows(self, part: str) -> Rows:
        """Returns a part, encoded, its target checked.

        Raises:
            DataFault: (a ValueError) there is no target, a value of it is missing, or a weight is none.
        """
        dataset = self.dataset
        encoding = dataset.encoding
        _check_encoding(encoding, dataset)
        if isinstance(dataset, Streaming):
            if self.weight is not None:
                raise errors.DataFault(
                    f"weight={self.weight!r}: the rows of {type(dataset).__name__} come in batches, which cannot be "
                    "weighted: leave weight out, or use a TrainTestSplit"
                )
            _check_streamed_target(encoding, part)
            return Rows(part=part, observations=_checked(dataset.batches(part), encoding, part))
        frame = getattr(dataset, f"{part}_data")
        check_target(encoding, frame, f"the {part} split")
        weight = None if self.weight is None else weights(frame, self.weight, f"the {part} split")
        return Rows(part=part, observations=getattr(dataset, f"encoded_{part}_data"), weight=weight)

    @property
    def _counts(self) -> dict[str, int]:
        return {part: self.dataset.row_counts[part] for part in PARTS}


def given(encoding: Encoding, frame: pd.DataFrame, weight: str | None) -> Rows:
    """Returns rows of any origin, encoded, with their target.

    Raises:
        DataFault: (a ValueError) the target is not among the columns, or missing in a row.
    """
    absent = [name for name in encoding.output_inputs if name not in frame.columns]
    if encoding.output_encoder is None or absent:
        raise errors.DataFault(
            f"the target {', '.join(map(repr, absent))} is missing: scores compare with it, so add it"
        )
    check_target(encoding, frame, "the frame")
    used = weights(frame, weight, "the frame") if weight is not None and weight in frame.columns else None
    return Rows(part="given", observations=encoding.observations(frame), weight=used)


def check_target(encoding: Encoding, frame: pd.DataFrame, whose: str) -> None:
    """Refuses rows whose target is missing: an encoder has a code for that, which is no answer to be learnt.

    Raises:
        DataFault: (a ValueError) says in how many rows.
    """
    encoder = encoding.output_encoder
    column = getattr(encoder, "column", None)
    if column is None or hasattr(encoder, "other") or not len(frame):
        return
    missing = int(read(column, encoding.read(frame, encoding.output_inputs)).isna().sum())
    if missing:
        raise _missing(encoding, f"{missing:,} of {len(frame):,} rows of {whose}")


def weights(frame: pd.DataFrame, column: str, whose: str) -> np.ndarray:
    """Returns the weights of rows, float64 of shape (rows,).

    Raises:
        DataFault: (a ValueError) there is no such column, or it holds what is no weight.
    """
    if column not in frame.columns:
        raise errors.DataFault(f"weight={column!r}: {whose} has no such column. It has {', '.join(map(str, frame))}")
    try:
        values: np.ndarray = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise errors.DataFault(f"weight={column!r}: the column of {whose} holds no numbers ({error})") from error
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        raise errors.DataFault(
            f"weight={column!r}: {int(bad.sum()):,} of {len(values):,} rows of {whose} are missing, infinite or "
            "below 0: a weight is a number, 0 or more"
        )
    return values


def _check_encoding(encoding: Encoding, dataset: Any) -> None:
    if encoding.output_encoder is None:
        raise errors.DataFault(f"{type(dataset).__name__} has no output encoder: get_output_encoder() says the target")


def _check_streamed_target(encoding: Encoding, part: str) -> None:
    names = set(encoding.output_inputs)
    for column in encoding.schema.columns if isinstance(getattr(encoding.output_encoder, "column", None), str) else ():
        if column.name in names and column.missing:
            raise _missing(encoding, f"{column.missing:.2%} of the rows of the training split")


def _checked(stream: Stream, encoding: Encoding, part: str) -> Stream:
    if type(encoding.output_encoder).__name__ != "Boolean":
        return stream

    def walk() -> Any:
        for batch in stream:
            if (batch.y == _BOOLEAN_MISSING).any():
                raise _missing(encoding, f"rows of the {part} split")
            yield batch

    return Stream(walk, len(stream))


def _missing(encoding: Encoding, where: str) -> errors.DataFault:
    name = ", ".join(map(repr, encoding.output_inputs))
    return errors.DataFault(f"the target {name} is missing in {where}: drop these rows in get_data()")
