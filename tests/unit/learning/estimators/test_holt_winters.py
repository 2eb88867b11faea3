"""Holt-Winters does what all estimators do, and forecasts what comes after a series."""

from __future__ import annotations

import pytest

from mlpipeline.learning.estimators import HoltWinters
from mlpipeline.testing import EstimatorContract

pytest.importorskip("statsmodels", reason="statsmodels is not installed")


class TestHoltWinters(EstimatorContract):
    kinds = ("regression",)
    reads_features = False
    takes_weights = False

    @pytest.fixture
    def estimator(self) -> HoltWinters:
        return HoltWinters(4, 4)
