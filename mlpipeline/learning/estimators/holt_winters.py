"""Forecasts a series that has a level, a trend and a season, by exponential smoothing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.learning.estimator import Estimator, Training
from mlpipeline.learning.estimators.boosting import check_whole
from mlpipeline.learning.estimators.sklearn import one_step
from mlpipeline.learning.intake import features

_MODEL = "components.json"


class HoltWinters(Estimator):
    """Holt-Winters' method with an additive trend and an additive season, fitted by statsmodels.

    The target is a series: rows come in the order of time, a period apart, as a TimeSeries dataset gives them. Features
    are not read, but for `time`. Without it, `predict` takes its rows for the periods right after the training split,
    whatever they say: right for the validation split, and for the test split only where there is no validation split
    and no gap. With it, rows may be of any period, also of one within the training split: there, the prediction is the
    one made from the periods before.

    Of the weights alpha, beta and gamma, those that are not given are chosen so that the squared errors are least.

    Args:
        periodicity: periods of a season, 2 or more; 12 for months of a year.
        horizon: how many periods `forecast` gives when it is not told.
        alpha: weight of the newest value in the level, 0 to 1.
        beta: weight of the newest change in the trend, 0 to 1.
        gamma: weight of the newest value in the season, 0 to 1.
        time: a feature that tells a row's period: numbers or dates, evenly spaced.
    """

    kind = "regression"

    def __init__(
        self,
        periodicity: int = 12,
        horizon: int = 12,
        *,
        alpha: float | None = None,
        beta: float | None = None,
        gamma: float | None = None,
        time: str | None = None,
    ) -> None:
        self.periodicity = periodicity
        self.horizon = horizon
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.time = time

    def forecast(self, periods: int | None = None) -> np.ndarray:
        """Returns the predictions for the periods after the training split, float64, of shape (periods,).

        Args:
            periods: how many; `horizon` by default.
        """
        self._fitted()
        return self._ahead(np.arange(1, (self.horizon if periods is None else periods) + 1))

    def _check(self) -> None:
        errors.require("statsmodels", extra="forecast")
        check_whole(self, "periodicity", at_least=2)
        check_whole(self, "horizon", at_least=1)
        for name in ("alpha", "beta", "gamma"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise errors.ParameterError(f"HoltWinters: {name} is {value!r}: it must lie between 0 and 1")

    def _fit(self, training: Training) -> None:
        from statsmodels.tsa.holtwinters import ExponentialSmoothing

        if training.sample_weight is not None:
            raise errors.DataFault("HoltWinters takes no sample weights: each period counts once")
        series, least = training.train.y, 2 * self.periodicity
        if len(series) < least:
            raise errors.DataFault(
                f"HoltWinters: {len(series)} rows: two seasons of {self.periodicity} are needed, {least} rows"
            )
        self._learn_times(training.train.x, len(series))
        with one_step(training.run):
            model = ExponentialSmoothing(
                series,
                trend="add",
                seasonal="add",
                seasonal_periods=self.periodicity,
                initialization_method="estimated",
            )
            found = model.fit(smoothing_level=self.alpha, smoothing_trend=self.beta, smoothing_seasonal=self.gamma)
        self._take(found)
        self.rmse_ = math.sqrt(np.mean(np.square(self.fitted_ - series)))
        training.run.record(train_rmse=self.rmse_)
        if training.validation is not None:
            wrong = self._predict(features(self, training.validation.x)) - training.validation.y
            training.run.record(validation_rmse=math.sqrt(np.mean(np.square(wrong))))

    def _take(self, found: Any) -> None:
        self.alpha_, self.beta_, self.gamma_ = (
            float(found.params[f"smoothing_{name}"]) for name in ("level", "trend", "seasonal")
        )
        self.level_, self.trend_ = float(found.level[-1]), float(found.trend[-1])
        self.season_ = np.asarray(found.season[-self.periodicity :], dtype=np.float64)
        self.fitted_ = np.asarray(found.fittedvalues, dtype=np.float64)

    def _learn_times(self, x: pd.DataFrame, rows: int) -> None:
        self.last_time_, self.time_step_ = 0.0, 1.0
        if self.time is None:
            return
        if self.time not in map(str, x.columns):
            raise errors.DataFault(
                f"HoltWinters: there is no feature '{self.time}', which tells the time: add it, or name yours as time="
            )
        times = _seconds(x[self.time])
        steps = np.diff(times)
        if not (steps > 0).all() or not np.allclose(steps, steps[0], rtol=1e-3):
            raise errors.DataFault(f"HoltWinters: '{self.time}' is not ascending in even steps: sort_by it, fill gaps")
        self.last_time_, self.time_step_ = float(times[-1]), float((times[-1] - times[0]) / (rows - 1))

    def _predict(self, x: pd.DataFrame) -> np.ndarray:
        if self.time is None:
            return self._ahead(np.arange(1, len(x) + 1))
        periods = (_seconds(x[self.time]) - self.last_time_) / self.time_step_
        if not np.isfinite(periods).all():
            raise errors.DataFault(f"HoltWinters: '{self.time}' is missing in some rows: drop or fill them")
        ahead = np.rint(periods).astype(np.int64)
        if (ahead <= -len(self.fitted_)).any():
            raise errors.DataFault(
                f"HoltWinters: '{self.time}' lies before the training split in some rows: ask for later ones"
            )
        return np.where(ahead > 0, self._ahead(ahead), self.fitted_[np.minimum(ahead, 0) - 1])

    def _ahead(self, periods: np.ndarray) -> np.ndarray:
        """The forecast: level + h trend + the season's value of that period."""
        found: np.ndarray = self.level_ + periods * self.trend_ + self.season_[(periods - 1) % len(self.season_)]
        return found

    def _save(self, directory: Path) -> dict[str, Any]:
        names = ("alpha_", "beta_", "gamma_", "level_", "trend_", "rmse_", "last_time_", "time_step_")
        kept = {name: getattr(self, name) for name in names}
        kept |= {"season_": self.season_.tolist(), "fitted_": self.fitted_.tolist()}
        (directory / _MODEL).write_text(json.dumps(kept, allow_nan=False), "utf-8")
        return {}

    def _load(self, directory: Path, learnt: dict[str, Any]) -> None:
        kept = json.loads((directory / _MODEL).read_text("utf-8"))
        for name, value in kept.items():
            setattr(self, name, np.array(value, dtype=np.float64) if isinstance(value, list) else value)


def _seconds(times: pd.Series) -> np.ndarray:
    """Returns times as float64: dates as seconds, numbers as they are."""
    if pd.api.types.is_datetime64_any_dtype(times.dtype):
        times = times.astype("datetime64[us]").astype("int64") / 1e6
    found: np.ndarray = times.to_numpy(dtype=np.float64, na_value=np.nan)
    return found
