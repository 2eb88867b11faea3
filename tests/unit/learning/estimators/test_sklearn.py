"""Estimators of scikit-learn do what all estimators do."""

from __future__ import annotations

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlpipeline.learning.estimators import SKLearn
from mlpipeline.testing import EstimatorContract

pytest.importorskip("skops", reason="skops is not installed")


class TestForests(EstimatorContract):
    kinds = ("binary", "multiclass", "one_hot")
    takes_missing = True

    @pytest.fixture
    def estimator(self) -> SKLearn:
        return SKLearn(RandomForestClassifier(20, max_depth=6, random_state=0))


class TestPipelines(EstimatorContract):
    kinds = ("regression",)
    counts_weights = False
    tolerance = 1e-3

    @pytest.fixture
    def estimator(self) -> SKLearn:
        return SKLearn(make_pipeline(StandardScaler(), Ridge()))


class TestLearnersOfBatches(EstimatorContract):
    kinds = ("binary", "multiclass", "one_hot")

    @pytest.fixture
    def estimator(self) -> SKLearn:
        return SKLearn(SGDClassifier(loss="log_loss", random_state=0), epochs=5)
