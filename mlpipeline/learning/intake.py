"""Makes of what `fit` and `predict` are given what estimators learn from, and refuses what cannot be."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.context import RunContext
from mlpipeline.data.encoding import Encoding, Observations
from mlpipeline.learning.estimator import Estimator, Training
from mlpipeline.learning.target import Target

_log = logging.getLogger(__name__)


def training(
    estimator: Estimator,
    x: Any,
    y: Any,
    validation: Any,
    sample_weight: Any,
    encoding: Encoding | None,
    run: RunContext,
) -> Training:
    """Returns all that an estimator is fitted with, checked."""
    output = None if encoding is None else encoding.output_encoder
    is_continuous = None if output is None else bool(output.is_continuous)
    if _is_stream(x):
        if not estimator.accepts_batches:
            raise errors.DataFault(
                f"{estimator!r} reads all rows at once, and cannot learn from a stream: use XGBoost or Keras, "
                f"or a TrainTestSplit that fits into memory"
            )
        if sample_weight is not None:
            raise errors.DataFault(
                f"{estimator!r}: sample_weight goes with a table, and x is a stream, of which all rows count alike: "
                f"leave it out, or give a table"
            )
        target = Target.of(_all_targets(x), estimator.kind, is_continuous=is_continuous)
        return Training(
            train=_Learnable(x, target),
            validation=_Learnable(validation, target) if _is_stream(validation) else _pair(validation, target),
            sample_weight=None,
            target=target,
            encoding=encoding,
            run=run,
        )
    if y is None:
        raise errors.DataFault(f"{type(estimator).__name__}.fit: there is no target: give y, or an output encoder")
    frame, values = framed(x), np.asarray(y)
    _check_rows(frame, values, "x", "y")
    target = Target.of(values, estimator.kind, is_continuous=is_continuous)
    return Training(
        train=Observations(frame, target.learnable(values)),
        validation=_pair(validation, target),
        sample_weight=weights(sample_weight, len(frame)),
        target=target,
        encoding=encoding,
        run=run,
    )


def features(estimator: Estimator, x: Any) -> pd.DataFrame:
    """Returns the features in the order of the fit.

    Raises:
        DataFault: one is missing, or an array has another width.
    """
    names = list(map(str, estimator.feature_names_in_.tolist()))
    if isinstance(x, pd.DataFrame) and list(x.columns) == names:
        return x
    frame = framed(x)
    if not isinstance(x, pd.DataFrame):
        if frame.shape[1] != len(names):
            raise errors.DataFault(f"{frame.shape[1]} features: {estimator!r} was fitted on {len(names)}")
        return frame.set_axis(names, axis=1)
    if frame.columns.tolist() == names:
        return frame
    frame = frame.set_axis([str(each) for each in frame.columns], axis=1)
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise errors.DataFault(
            f"the feature {', '.join(map(repr, missing))} is missing: {estimator!r} was fitted with it"
        )
    return frame if list(frame.columns) == names else frame[names]


def framed(x: Any) -> pd.DataFrame:
    """Returns features as a frame; columns of an array are named by their place: `x0`, `x1`."""
    if isinstance(x, pd.DataFrame):
        return x
    array = np.asarray(x)
    if array.ndim != 2:
        raise errors.DataFault(f"features of the shape {array.shape}: give a frame, or an array of (rows, features)")
    return pd.DataFrame(array, columns=[f"x{place}" for place in range(array.shape[1])], copy=False)


def weights(sample_weight: Any, rows: int) -> np.ndarray | None:
    """Returns weights of rows as float64; None where there are none."""
    if sample_weight is None:
        return None
    values = np.asarray(sample_weight, dtype=np.float64)
    if values.shape != (rows,) or not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise errors.DataFault(
            f"sample_weight has the shape {values.shape}: give {rows} finite numbers, 0 or more, not all of them 0"
        )
    return values


class _Learnable:
    """A stream whose target is as estimators learn it."""

    def __init__(self, stream: Any, target: Target) -> None:
        self._stream, self._target = stream, target

    def __iter__(self) -> Iterator[Observations]:
        for batch in self._stream:
            found = _known(batch.x, self._target.learnable(batch.y), self._target)
            if len(found.x):
                yield found

    def __len__(self) -> int:
        return len(self._stream)


def _is_stream(x: Any) -> bool:
    """Whether batches of observations come, again and again: what can be walked over, and is no table."""
    return (
        hasattr(x, "__iter__") and hasattr(x, "__len__") and not hasattr(x, "shape") and not isinstance(x, list | tuple)
    )


def _all_targets(stream: Any) -> np.ndarray:
    found = [batch.y for batch in stream]
    if not found or any(each is None for each in found):
        raise errors.DataFault(
            "the stream has no rows, or no target: give an output encoder whose column is in the data"
        )
    return np.concatenate(found)


def _pair(validation: Any, target: Target) -> Observations | None:
    if validation is None:
        return None
    x, y = validation
    frame = framed(x)
    if y is None:
        raise errors.DataFault("the rows to select by have no target: give validation_y")
    values = np.asarray(y)
    _check_rows(frame, values, "validation x", "validation y")
    found = _known(frame, target.learnable(values), target)
    if len(found.x) < len(frame):
        unknown = len(frame) - len(found.x)
        _log.warning("%d of %d rows to select by have a class that no row for training has", unknown, len(frame))
    return found if len(found.x) else None


def _known(x: pd.DataFrame, y: np.ndarray, target: Target) -> Observations:
    """Leaves out rows of a class that the training split has not shown: no estimator has a place for it."""
    if target.is_regression or (y >= 0).all():
        return Observations(x, y)
    return Observations(x[y >= 0], y[y >= 0])


def _check_rows(frame: pd.DataFrame, values: np.ndarray, one: str, other: str) -> None:
    if len(frame) != len(values):
        raise errors.DataFault(f"{one} has {len(frame):,} rows, and {other} {len(values):,}: give the same number")
