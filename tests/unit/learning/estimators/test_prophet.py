"""Prophet does what all estimators do, and forecasts what comes after a series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
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


def test_a_week_is_found_and_rows_may_come_in_any_order() -> None:
    x = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=140, freq="D")})
    y = 10.0 + 3.0 * (x["day"].dt.dayofweek >= 5).to_numpy()
    fitted = Prophet("day").fit(x.iloc[:112], y[:112], validation=(x.iloc[112:126], y[112:126]))
    ahead = fitted.predict(x.iloc[126:])
    np.testing.assert_allclose(ahead, y[126:], atol=0.5)
    order = np.random.default_rng(0).permutation(14)
    np.testing.assert_allclose(fitted.predict(x.iloc[126:].iloc[order]), ahead[order])
    counted = Prophet("day").fit(x.iloc[:112].assign(day=np.arange(20454, 20454 + 112)), y[:112])
    np.testing.assert_allclose(counted.predict(pd.DataFrame({"day": np.arange(20580, 20594)})), ahead, atol=0.1)


def test_what_tells_no_date_is_refused() -> None:
    x = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=10, freq="D")})
    y = np.arange(10.0)
    with pytest.raises(errors.DataFault, match="no feature 'ds'"):
        Prophet().fit(x, y)
    with pytest.raises(errors.DataFault, match="'day' is missing"):
        Prophet("day").fit(x.assign(day=x["day"].where(x.index != 3)), y)
    with pytest.raises(errors.DataFault, match="Prophet needs two"):
        Prophet("day").fit(x.iloc[:1], y[:1])
    for wrong in ({"growth": "logistic"}, {"seasonality_mode": "both"}):
        with pytest.raises(errors.UnknownOption, match=next(iter(wrong))):
            Prophet("day", **wrong).fit(x, y)  # type: ignore[arg-type]
