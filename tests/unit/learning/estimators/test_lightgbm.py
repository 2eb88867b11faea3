"""LightGBM does what all estimators do, and what the plain library does."""

from __future__ import annotations

import pytest

from mlpipeline.learning.estimators import LightGBM
from mlpipeline.testing import EstimatorContract

pytest.importorskip("lightgbm", reason="lightgbm is not installed")


class TestLightGBM(EstimatorContract):
    selects = True
    takes_missing = True
    resumes = "close"

    @pytest.fixture
    def estimator(self) -> LightGBM:
        return LightGBM(n_estimators=20, num_leaves=7, min_child_samples=5, patience=5, n_jobs=1)
