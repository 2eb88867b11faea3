"""The yardstick of every comparison: the mean, or how frequent the classes are, whatever the features say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.learning.estimator import Estimator, Training


class Naive(Estimator):
    """Predicts the mean of the training split, or its most frequent class; of classes equally frequent, the first.

    Args:
        kind: what is predicted, "regression", "binary" or "multiclass"; told by the target by default.
    """

    accepts_batches = True

    def __init__(self, *, kind: str | None = None) -> None:
        self.kind = kind

    def _fit(self, training: Training) -> None:
        batches = training.train if training.is_streamed else [training.train]
        self.values_ = self._shares(batches, training)

    def _shares(self, batches: Any, training: Training) -> np.ndarray:
        width = 1 if training.target.is_regression else len(training.target.classes)
        sums, rows = np.zeros(width), 0.0
        for batch in batches:
            weight = np.ones(len(batch.y)) if training.sample_weight is None else training.sample_weight
            if training.target.is_regression:
                sums += np.dot(batch.y, weight)
            else:
                sums += np.bincount(batch.y, weights=weight, minlength=width)
            rows += weight.sum()
        return sums / rows

    def _predict(self, x: pd.DataFrame) -> np.ndarray:
        if self.target_.is_regression:
            return np.full(len(x), self.values_[0])
        return np.full(len(x), self.values_.argmax())

    def _predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        return np.tile(self.values_, (len(x), 1))

    def _save(self, directory: Path) -> dict[str, Any]:
        return {"values": self.values_.tolist()}

    def _load(self, directory: Path, learnt: dict[str, Any]) -> None:
        self.values_ = np.array(learnt["values"])
