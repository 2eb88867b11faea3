"""A small saved model, and what serves it without a process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("starlette", reason="the extra `serve` is missing")

from mlpipeline.data import TrainTestSplit
from mlpipeline.data.encoders import Boolean, Norm, Pass, Unique
from mlpipeline.learning import serializers
from mlpipeline.learning.estimator import Estimator, Training
from mlpipeline.learning.serving.catalog import Offer, offer
from mlpipeline.learning.serving.served import Served
from tests.unit.learning.small_models import fitted


class Linear(Estimator):
    """Predicts by the features: each row has an answer of its own."""

    def __init__(self, *, shift: float = 0.0, kind: str | None = None) -> None:
        self.shift = shift
        self.kind = kind

    def _fit(self, training: Training) -> None:
        self.means_ = training.train.x.mean().to_numpy(np.float64)

    def _predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        # No product of matrices: its last bit depends on the number of rows.
        distances = (x.to_numpy(np.float64) - self.means_) * np.arange(1, x.shape[1] + 1)
        found = 1 / (1 + np.exp(np.clip(self.shift - distances.sum(axis=1), -50, 50)))
        return np.column_stack([1 - found, found])

    def _save(self, directory: Path) -> dict[str, Any]:
        return {"means": self.means_.tolist()}

    def _load(self, directory: Path, learnt: dict[str, Any]) -> None:
        self.means_ = np.array(learnt["means"])


class Guests(TrainTestSplit):
    """Columns of every simple kind."""

    def get_data(self) -> pd.DataFrame:
        numbers = np.arange(60)
        frame = pd.DataFrame(
            {
                "age": np.where(numbers % 7 == 0, np.nan, numbers % 50 + 10.0),
                "visits": numbers % 11,
                "town": [("Bonn", "Köln", None)[number % 3] for number in numbers],
                "is_member": numbers % 2 == 0,
                "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(numbers, unit="D"),
            }
        )
        return frame.assign(stays=numbers % 5 > 1)

    def get_encoders(self) -> Any:
        return (Norm("age"), Pass("visits"), Unique("town"), Boolean("is_member"), Norm("since"))

    def get_output_encoder(self) -> Any:
        return Boolean("stays")


ROW = {"age": 31.5, "visits": 3, "town": "Köln", "is_member": True, "since": "2020-02-01T00:00:00"}


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model."""
    path = tmp_path_factory.mktemp("models") / "guests"
    serializers.save(fitted(Guests(), Linear()), path, facts={"run": {"id": "r1", "model": "guests.py"}})
    return path


@pytest.fixture
def saved(place: Path) -> Offer:
    """What is told of it."""
    return offer(str(place))


@pytest.fixture
def load() -> Callable[[str], Any]:
    """Loads models with an estimator of the tests."""
    return lambda path: serializers.load(path, classes=[Linear])


@pytest.fixture
def served(saved: Offer, load: Callable[[str], Any]) -> Served:
    """The model in memory."""
    return Served(saved, load(saved.place), row_limit=100)
