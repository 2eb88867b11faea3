"""CatBoost does what all estimators do, and what the plain library does."""

from __future__ import annotations

import pytest

from mlpipeline.learning.estimators import CatBoost
from mlpipeline.testing import EstimatorContract

pytest.importorskip("catboost", reason="catboost is not installed")


class TestCatBoost(EstimatorContract):
    selects = True
    takes_missing = True

    @pytest.fixture
    def estimator(self) -> CatBoost:
        return CatBoost(n_estimators=20, learning_rate=0.3, max_depth=3, patience=5, n_jobs=1)
