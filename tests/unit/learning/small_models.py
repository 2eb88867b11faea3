"""Small fitted models for tests."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.data import TrainTestSplit
from mlpipeline.data.encoders import Boolean, Norm, Pass, Unique
from mlpipeline.learning import scores
from mlpipeline.learning.estimators import Naive


def people(rows: int = 60) -> pd.DataFrame:
    """Returns rows whose target depends on `age`, and a little on `town`."""
    numbers = np.arange(rows)
    age = (numbers * 7) % 50 + 10.0
    return pd.DataFrame(
        {
            "age": age,
            "town": [("Bonn", "Köln", "Ulm")[number % 3] for number in numbers],
            "pays": age + 5.0 * (numbers % 3),
            "is_old": age > 35,
        }
    )


class People(TrainTestSplit):
    """Classes: is somebody old?"""

    def get_data(self) -> pd.DataFrame:
        return people()

    def get_encoders(self) -> Any:
        return (Norm("age"), Unique("town"))

    def get_output_encoder(self) -> Any:
        return Boolean("is_old")


class Paying(People):
    """Numbers: what does somebody pay?"""

    def get_output_encoder(self) -> Any:
        return Pass("pays")


def fitted(dataset: Any = None, estimator: Any = None, metric: str = "log_loss") -> Any:
    """Returns what `serializers.save` takes: a fitted model with metrics."""
    dataset = dataset or People()
    estimator = estimator or Naive()
    train, validation = dataset.encoded_training_data, dataset.encoded_validation_data
    estimator.fit(train.x, train.y, validation=validation, encoding=dataset.encoding)
    found = estimator.evaluate(validation.x, validation.y)
    return SimpleNamespace(
        dataset=dataset,
        estimator=estimator,
        encoding=dataset.encoding,
        metrics={"validation": found},
        metric=scores.SCORES[metric],
    )
