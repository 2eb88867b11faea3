"""Prophet does what all estimators do, and forecasts what comes after a series."""

from __future__ import annotations

import pytest

from mlpipeline.learning.estimators import Prophet
from mlpipeline.testing import EstimatorContract

pytest.importorskip("prophet", reason="prophet is not installed")

# Prophet has not followed what pandas 3.1 finds old-fashioned.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class TestProphet(EstimatorContract):
    kinds = ("regression",)
    takes_weights = False
    is_deterministic = False
    tolerance = 1e-9

    @pytest.fixture
    def estimator(self) -> Prophet:
        return Prophet("first", unit="D", regressors=("first", "second"), n_changepoints=0)
