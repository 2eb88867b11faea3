"""From rows to what estimators read, and from what they predict back to values of the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.encoding import Encoding
from mlpipeline.learning.estimator import Estimator


def encoded(encoding: Encoding, frame: Any) -> pd.DataFrame:
    """Returns the features of rows.

    Raises:
        WrongType: (a TypeError) it is no frame.
        DataFault: (a ValueError) a column is missing, or of another kind than when the encoders were fitted.
    """
    if not isinstance(frame, pd.DataFrame):
        columns = ", ".join(encoding.inputs)
        raise errors.WrongType(f"a {type(frame).__name__} was given: give a DataFrame, with {columns}")
    return encoding.encode_x(frame)


def values(encoding: Encoding, codes: np.ndarray, index: pd.Index) -> pd.Series:
    """Returns what predicted codes stand for, under an index."""
    found: pd.Series = _encoder(encoding).inverse_transform(codes)
    return found.set_axis(index)


def labels(encoding: Encoding, estimator: Estimator) -> list[Any]:
    """Returns the classes as they are called, in the order of the columns of `predict_proba`."""
    target = estimator.target_
    codes = target.codes(np.arange(len(target.classes)))
    return list(_encoder(encoding).inverse_transform(codes))


def _encoder(encoding: Encoding) -> Any:
    if encoding.output_encoder is None:
        raise errors.DataFault(
            "there is no output encoder, so predictions cannot be decoded: define get_output_encoder in the dataset"
        )
    return encoding.output_encoder
