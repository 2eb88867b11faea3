"""Forecasts a series by Prophet: a trend that bends, seasons of a year, a week and a day, and regressors."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.learning.estimator import Estimator, Training
from mlpipeline.learning.estimators import tables
from mlpipeline.learning.estimators.sklearn import one_step
from mlpipeline.learning.intake import features

_MODEL = "model.json"


class Prophet(Estimator):
    """A forecast by date; the parameters are Prophet's own, with its defaults.

    Args:
        time: the feature that tells a row's date: dates, or numbers that count `unit` since 1970.
        unit: of numbers in `time`: "D", "h", "min", "s" or "ms".
        regressors: features that the forecast may depend on beside the date.
        growth: "linear" or "flat".
        n_changepoints: where the trend may bend at most.
        changepoint_prior_scale: how much it may bend.
        seasonality_mode: "additive" or "multiplicative".
        seasonality_prior_scale: how strong seasons may be.
        yearly_seasonality: "auto" fits it where there are data enough; True, False, or a number of Fourier terms.
        weekly_seasonality: see `yearly_seasonality`.
        daily_seasonality: see `yearly_seasonality`.
        random_state: seed of the optimizer.
    """

    kind = "regression"

    def __init__(
        self,
        time: str = "ds",
        *,
        unit: str = "D",
        regressors: Sequence[str] = (),
        growth: str = "linear",
        n_changepoints: int = 25,
        changepoint_prior_scale: float = 0.05,
        seasonality_mode: str = "additive",
        seasonality_prior_scale: float = 10.0,
        yearly_seasonality: bool | int | str = "auto",
        weekly_seasonality: bool | int | str = "auto",
        daily_seasonality: bool | int | str = "auto",
        random_state: int = 0,
    ) -> None:
        self.time = time
        self.unit = unit
        self.regressors = regressors
        self.growth = growth
        self.n_changepoints = n_changepoints
        self.changepoint_prior_scale = changepoint_prior_scale
        self.seasonality_mode = seasonality_mode
        self.seasonality_prior_scale = seasonality_prior_scale
        self.yearly_seasonality = yearly_seasonality
        self.weekly_seasonality = weekly_seasonality
        self.daily_seasonality = daily_seasonality
        self.random_state = random_state

    def _check(self) -> None:
        errors.require("prophet", extra="prophet")
        if self.growth not in ("linear", "flat"):
            raise errors.UnknownOption(f"Prophet: growth is {self.growth!r}: it must be 'linear' or 'flat'")
        if self.seasonality_mode not in ("additive", "multiplicative"):
            mode = self.seasonality_mode
            raise errors.UnknownOption(
                f"Prophet: seasonality_mode is {mode!r}: it must be 'additive' or 'multiplicative'"
            )

    def _fit(self, training: Training) -> None:
        import prophet

        if training.sample_weight is not None:
            raise errors.DataFault(
                "the weight is of no use: Prophet takes no sample weights, each row counts once. Leave it out"
            )
        if len(training.train.y) < 2:
            raise errors.DataFault("there is 1 row: Prophet needs two, for a trend")
        names = ("growth", "n_changepoints", "changepoint_prior_scale", "seasonality_mode", "seasonality_prior_scale")
        seasons = ("yearly_seasonality", "weekly_seasonality", "daily_seasonality")
        # Intervals are sampled, and nobody asks for them.
        model = prophet.Prophet(**{name: getattr(self, name) for name in names + seasons}, uncertainty_samples=0)
        for name in self.regressors:
            model.add_regressor(name)
        table = self._table(training.train.x).assign(y=training.train.y)
        for talker in ("cmdstanpy", "prophet"):
            logging.getLogger(talker).setLevel(logging.WARNING)
        with one_step(training.run):
            model.fit(table, seed=self.random_state)
        self.model_ = model
        if training.validation is not None:
            wrong = self._predict(features(self, training.validation.x)) - training.validation.y
            training.run.record(validation_rmse=float(np.sqrt(np.mean(np.square(wrong)))))

    def _table(self, x: pd.DataFrame) -> pd.DataFrame:
        known = [str(name) for name in x.columns]
        for name in (self.time, *self.regressors):
            if name not in known:
                raise errors.DataFault(f"Prophet: there is no feature '{name}': name one of {', '.join(known)}")
        times = x[self.time]
        if not pd.api.types.is_datetime64_any_dtype(times.dtype):
            times = pd.to_datetime(times.astype("float64"), unit=self.unit)
        if times.isna().any():
            raise errors.DataFault(f"Prophet: '{self.time}' is missing in some rows: drop them in get_data()")
        found = x[list(self.regressors)].reset_index(drop=True)
        tables.check_numbers(self, found)
        tables.check_finite(self, found, takes_missing=False)
        return found.assign(ds=times.dt.tz_localize(None).to_numpy())

    def _predict(self, x: pd.DataFrame) -> np.ndarray:
        if not len(x):
            return np.empty(0)
        table = self._table(x).reset_index(names="row")
        found = self.model_.predict(table)
        # It sorts rows by date; of equal dates, regressors tell rows apart, and their order stays.
        order = table.sort_values("ds", kind="stable")["row"].to_numpy()
        predicted = np.empty(len(x))
        predicted[order] = found["yhat"].to_numpy(dtype=np.float64)
        return predicted

    def _save(self, directory: Path) -> dict[str, Any]:
        from prophet.serialize import model_to_json

        (directory / _MODEL).write_text(model_to_json(self.model_), "utf-8")
        return {}

    def _load(self, directory: Path, learnt: dict[str, Any]) -> None:
        errors.require("prophet", extra="prophet")
        from prophet.serialize import model_from_json

        self.model_ = model_from_json((directory / _MODEL).read_text("utf-8"))
