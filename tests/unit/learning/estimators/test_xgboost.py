"""XGBoost does what all estimators do, and what the plain library does."""

from __future__ import annotations

import pytest

from mlpipeline.learning.estimators import XGBoost
from mlpipeline.testing import EstimatorContract

pytest.importorskip("xgboost", reason="xgboost is not installed")


class TestXGBoost(EstimatorContract):
    counts_weights = True
    selects = True
    takes_missing = True

    @pytest.fixture
    def estimator(self) -> XGBoost:
        return XGBoost(n_estimators=20, max_depth=3, patience=5, n_jobs=1)
