"""Small fitted models for tests."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.data import TrainTestSplit
from mlpipeline.data.encoders import Boolean, Discrete, Norm, Pass, Unique
from mlpipeline.learning import scores
from mlpipeline.learning.estimator import Estimator, Training
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


class Boosted(Estimator):
    """Trees of XGBoost, as plainly as can be; or lines, as its booster gblinear has them."""

    def __init__(self, *, kind: str | None = None, booster: str = "gbtree") -> None:
        self.kind = kind
        self.booster = booster

    def _fit(self, training: Training) -> None:
        import xgboost

        objectives = {"regression": "reg:squarederror", "binary": "binary:logistic", "multiclass": "multi:softprob"}
        parameters: dict[str, Any] = {"objective": objectives[training.target.kind], "booster": self.booster}
        if training.target.kind == "multiclass":
            parameters["num_class"] = len(training.target.classes)
        matrix = xgboost.DMatrix(training.train.x.to_numpy(np.float32), training.train.y)
        self.booster_ = xgboost.train(parameters | {"nthread": 1}, matrix, 5)

    def _ask(self, x: pd.DataFrame, **more: Any) -> np.ndarray:
        import xgboost

        found: np.ndarray = self.booster_.predict(xgboost.DMatrix(x.to_numpy(np.float32)), **more)
        return found

    def _predict(self, x: pd.DataFrame) -> np.ndarray:
        return self._ask(x) if self.target_.is_regression else super()._predict(x)

    def _predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        found = self._ask(x).astype(np.float64)
        return np.column_stack([1 - found, found]) if found.ndim == 1 else found / found.sum(axis=1, keepdims=True)

    def _save(self, directory: Path) -> dict[str, Any]:
        self.booster_.save_model(directory / "model.ubj")
        return {}

    def _load(self, directory: Path, learnt: dict[str, Any]) -> None:
        import xgboost

        self.booster_ = xgboost.Booster(model_file=directory / "model.ubj")


class Towns(People):
    """Many classes: where does somebody live?"""

    def get_encoders(self) -> Any:
        return (Norm("age"), Norm("pays"), Discrete("age", bins=5, name="decade"))

    def get_output_encoder(self) -> Any:
        return Unique("town")
