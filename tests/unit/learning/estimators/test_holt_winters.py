"""Holt-Winters does what all estimators do, and forecasts what comes after a series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
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


def nothing(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"any": np.zeros(rows)})


def test_what_repeats_itself_is_repeated() -> None:
    fitted = HoltWinters(4, 4).fit(nothing(24), np.array([10.0, 20.0, 30.0, 40.0] * 6))
    np.testing.assert_allclose(fitted.forecast(), [10.0, 20.0, 30.0, 40.0], atol=1e-9)
    np.testing.assert_allclose(fitted.predict(nothing(6)), [10.0, 20.0, 30.0, 40.0, 10.0, 20.0], atol=1e-9)
    assert fitted.rmse_ == pytest.approx(0, abs=1e-9)


def test_whole_numbers_are_a_series_too() -> None:
    fitted = HoltWinters(4, 4).fit(nothing(24), np.array([10, 20, 30, 40] * 6))
    np.testing.assert_allclose(fitted.forecast(2), [10.0, 20.0], atol=1e-9)


def series(rows: int = 60) -> np.ndarray:
    time = np.arange(rows)
    noise = np.random.default_rng(0).normal(size=rows)
    values: np.ndarray = 100 + 0.5 * time + 10 * np.sin(time * 2 * np.pi / 12) + noise
    return values


def test_the_forecast_is_that_of_statsmodels() -> None:
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    y = series()
    ours = HoltWinters(12, alpha=0.4).fit(nothing(60), y)
    plain = ExponentialSmoothing(y, trend="add", seasonal="add", seasonal_periods=12).fit(smoothing_level=0.4)
    np.testing.assert_allclose(ours.forecast(30), plain.forecast(30), rtol=1e-9)
    assert ours.alpha_ == 0.4
    assert 0 <= ours.gamma_ <= 1
    kept = HoltWinters(12, alpha=0.2, beta=0.1, gamma=0.3).fit(nothing(60), y)
    assert (kept.alpha_, kept.beta_, kept.gamma_) == (0.2, 0.1, 0.3)


@pytest.mark.parametrize(
    "times",
    [
        np.arange(100.0, 190.0),
        pd.Series(pd.date_range("2026-01-01", periods=90, freq="D")),
        np.linspace(0, 1, 90, dtype=np.float32),
    ],
)
def test_a_feature_tells_which_period_a_row_is_of(times: object, tmp_path: Path) -> None:
    x, y = pd.DataFrame({"when": times}), series(90)
    ours = HoltWinters(12, time="when").fit(x.iloc[:60], y[:60], validation=(x.iloc[60:75], y[60:75]))
    np.testing.assert_allclose(ours.predict(x.iloc[75:]), ours.forecast(30)[15:])
    np.testing.assert_allclose(ours.predict(x.iloc[60:]), ours.forecast(30))
    np.testing.assert_allclose(ours.predict(x.iloc[[59, 0]]), ours.fitted_[[59, 0]])
    assert ours.score(x.iloc[75:], y[75:]) > 0.5
    loaded = HoltWinters(12, time="when").load(tmp_path, ours.save(tmp_path))
    np.testing.assert_array_equal(loaded.predict(x), ours.predict(x))


def test_times_that_tell_nothing_are_refused() -> None:
    y = series(30)
    for wrong, told in (
        (np.arange(30)[::-1], "not ascending"),
        (np.arange(30) ** 2, "even steps"),
        (np.where(np.arange(30) == 4, np.nan, np.arange(30)), "even steps"),
    ):
        with pytest.raises(errors.DataFault, match=told):
            HoltWinters(12, time="when").fit(pd.DataFrame({"when": wrong}), y)
    with pytest.raises(errors.DataFault, match="no feature 'when'"):
        HoltWinters(12, time="when").fit(nothing(30), y)
    fitted = HoltWinters(12, time="when").fit(pd.DataFrame({"when": np.arange(30)}), y)
    with pytest.raises(errors.DataFault, match="before the training split"):
        fitted.predict(pd.DataFrame({"when": [-1]}))
    with pytest.raises(errors.DataFault, match="missing"):
        fitted.predict(pd.DataFrame({"when": [np.nan]}))


def test_two_seasons_are_needed() -> None:
    with pytest.raises(errors.DataFault, match="24 rows"):
        HoltWinters(12).fit(nothing(23), series(23))
    assert len(HoltWinters(12).fit(nothing(24), series(24)).forecast()) == 12


@pytest.mark.parametrize("wrong", [{"periodicity": 1}, {"horizon": 0}, {"alpha": 2.0}, {"gamma": -0.1}])
def test_a_parameter_that_cannot_be_used_is_named(wrong: dict[str, float]) -> None:
    with pytest.raises(errors.ParameterError, match=next(iter(wrong))):
        HoltWinters(**wrong).fit(nothing(48), series(48))  # type: ignore[arg-type]
