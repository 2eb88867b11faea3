"""What the tests of this room share: rows, datasets and an estimator that learns in steps."""

from __future__ import annotations

import importlib.util
import json
import sys
import types
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data import Streaming, TrainTestSplit
from mlpipeline.data.encoders import Boolean, Norm, Unique
from mlpipeline.learning.estimator import Estimator, Training


def people(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Returns rows whose answer depends on `a`."""
    random = np.random.default_rng(seed)
    a = random.normal(size=rows)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "a": a,
            "c": random.choice(list("abc"), rows),
            "y": a + random.normal(size=rows) > 0,
            "weight": random.integers(1, 4, rows).astype(float),
        }
    )


class People(TrainTestSplit):
    frame: pd.DataFrame | None = None

    def get_data(self) -> pd.DataFrame:
        return people() if self.frame is None else self.frame

    def get_encoders(self) -> Any:
        return (Norm("a"), Unique("c"))

    def get_output_encoder(self) -> Any:
        return Boolean("y")


def dataset(frame: pd.DataFrame, output: Any = None) -> People:
    """Returns a dataset of these rows; the target is `y`, a Boolean by default."""
    made = People()
    made.frame = frame
    if output is not None:
        made.get_output_encoder = lambda: output  # type: ignore[method-assign]
    return made


class Chunks(Streaming):
    """The same rows, in chunks."""

    chunks: ClassVar[int] = 4

    def get_data(self) -> Any:
        frame = people()
        yield from (frame.iloc[start : start + 100] for start in range(0, len(frame), 100))

    def get_encoders(self) -> Any:
        return (Norm("a"), Unique("c"))

    def get_output_encoder(self) -> Any:
        return Boolean("y")


class Slope(Estimator):
    """Logistic regression, down the gradient."""

    is_resumable: ClassVar[bool] = True

    def __init__(
        self,
        *,
        epochs: int = 3,
        learning_rate: float = 1.0,
        name: str | None = None,
        random_state: int | None = None,
        kind: str | None = None,
    ) -> None:
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.name = name
        self.random_state = random_state
        self.kind = kind

    @property
    def rounds(self) -> int:
        return self.epochs

    def _fit(self, training: Training) -> None:
        run, y = training.run, training.train.y
        x = self._x(training.train.x)
        weight = np.ones(len(y)) if training.sample_weight is None else training.sample_weight
        saved, done = run.restore(lambda path: json.loads(path.read_text())), run.checkpoint_step or 0
        self.w_ = np.zeros(x.shape[1]) if saved is None else np.array(saved)
        for _ in run.steps(range(done, self.rounds), initial=done):
            p = 1 / (1 + np.exp(-x @ self.w_))
            self.w_ = self.w_ - self.learning_rate * x.T @ ((p - y) * weight) / weight.sum()
            run.record(train_loss=float(-np.log(np.where(y == 1, p, 1 - p)).mean()))
            run.checkpoint(lambda path: path.write_text(json.dumps(self.w_.tolist())))

    def _x(self, x: pd.DataFrame) -> np.ndarray:
        return np.column_stack([x.to_numpy(np.float64), np.ones(len(x))])

    def _predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        p = 1 / (1 + np.exp(-self._x(x) @ self.w_))
        return np.column_stack([1 - p, p])

    def _save(self, directory: Path) -> dict[str, Any]:
        return {"w": self.w_.tolist()}

    def _load(self, directory: Path, learnt: dict[str, Any]) -> None:
        self.w_ = np.array(learnt["w"])


@pytest.fixture
def serializers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that saves models, where the real one is not there."""
    if importlib.util.find_spec("mlpipeline.learning.serializers") is None:
        made: Any = types.ModuleType("mlpipeline.learning.serializers")
        made.save = _save
        monkeypatch.setitem(sys.modules, made.__name__, made)


def _save(model: Any, place: Path, *, facts: Any = None) -> Path:
    place.mkdir(parents=True)
    (place / "manifest.json").write_text(json.dumps({"state": model.estimator.save(place), "run": facts["run"]}))
    return place
