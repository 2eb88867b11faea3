"""The rows that an explanation is made of: some of those given, or of the validation split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.errors import DataFault, NotFitted


def chosen(model: Any, frame: pd.DataFrame | None, most: int, seed: int) -> pd.DataFrame:
    """Returns at most so many rows, drawn by a seed, in their order.

    Args:
        model: is fitted.
        frame: as they are before encoding; None takes the validation split of the model's dataset.
        most: how many.
        seed: of the draw.

    Raises:
        NotFitted: the model has learnt nothing yet.
        DataFault: there are no rows.
    """
    if getattr(model, "encoding", None) is None:
        raise NotFitted("the model has learnt nothing yet, or was fitted without encoders: call fit first")
    if frame is None:
        frame = getattr(getattr(model, "dataset", None), "validation_data", None)
        if not isinstance(frame, pd.DataFrame):
            raise DataFault("there are no rows to explain by: give a frame, explain(frame)")
    if not len(frame):
        raise DataFault("the frame has no rows: give some to explain by")
    if len(frame) <= most:
        return frame
    places = np.sort(np.random.default_rng(seed).choice(len(frame), most, replace=False))
    return frame.iloc[places]
