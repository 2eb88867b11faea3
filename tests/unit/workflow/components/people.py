"""Tables for trainers, as one finds them: numbers, text, flags, categories, dates, missing values."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlpipeline.workflow.types import Splits


def people(rows: int = 400) -> pd.DataFrame:
    """Returns passengers, of whom the women and the children survived, mostly."""
    chance = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": [f"p{place}" for place in range(rows)],
            "age": np.where(chance.random(rows) < 0.1, np.nan, chance.uniform(1, 80, rows).round()),
            "sex": chance.choice(["man", "woman", None], rows, p=[0.5, 0.45, 0.05]),
            "class": pd.Categorical(chance.choice(["first", "second", "third"], rows)),
            "alone": chance.random(rows) < 0.5,
            "day": pd.Timestamp("1912-04-10") + pd.to_timedelta(chance.integers(0, 5, rows), unit="D"),
            "deck": chance.integers(0, 7, rows),
        }
    )
    survived = (frame["sex"] == "woman") | (frame["age"] < 15)
    return frame.assign(survived=np.where(chance.random(rows) < 0.1, ~survived, survived).astype(int))


def split(frame: pd.DataFrame, target: str, time_index: str | None = None) -> Splits:
    """Returns splits by place: seven tenths, then one and a half each."""
    first, second = int(0.7 * len(frame)), int(0.85 * len(frame))
    parts = (frame.iloc[:first], frame.iloc[first:second], frame.iloc[second:])
    return Splits(target=target, train=parts[0], validation=parts[1], test=parts[2], time_index=time_index)
