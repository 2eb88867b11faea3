"""Trainers that forecast a series by its time: Holt-Winters, Prophet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from mlpipeline.errors import DataFault
from mlpipeline.workflow.components.model_trainers.estimator_trainer import EstimatorTrainer
from mlpipeline.workflow.scoring import ProblemType

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pandas as pd

    from mlpipeline.data.by_kind import Choice, GivenParts
    from mlpipeline.workflow.types.contract import Splits

_TIME = frozenset(("time", "unit"))


class Forecaster(EstimatorTrainer):
    """Forecasts by the column `time_index`, and reads no other one but for `regressor_cols`."""

    problem_type: ProblemType | None = "timeseries"
    regressor_cols: list[str] | None = None

    @classmethod
    def _parameter_names(cls) -> Collection[str]:
        return set(super()._parameter_names()) - _TIME - {"regressors"}

    def _choice(self, data: Splits) -> Choice:
        found = super()._choice(data)
        if found.time is None:
            raise DataFault(f"{type(self).__name__} needs a time: set time_index to the column of dates")
        read = {found.time, *(self.regressor_cols or ())}
        return replace(found, leave_out=frozenset(map(str, data.train.columns)) - read)

    def _estimator(self, dataset: GivenParts) -> Any:
        found = super()._estimator(dataset)
        found.time = dataset.choice.time
        return found


class HoltWintersTrainer(Forecaster):
    """A level, a trend and a season of `periodicity` periods; the rows are evenly spaced."""

    ESTIMATOR = "holt_winters"

    def _period(self, frame: pd.DataFrame, time: str) -> str:
        import pandas as pd

        from mlpipeline.data import frequency

        if self.forecast_frequency is not None:
            return frequency.period_of(self.forecast_frequency)
        if not pd.api.types.is_datetime64_any_dtype(frame[time].dtype):
            return "s"
        found = frequency.inferred(pd.DatetimeIndex(frame[time]))
        return "s" if found is None else frequency.period_of(found)


class ProphetTrainer(Forecaster):
    """A trend that bends, and seasons of a year, a week and a day; `regressor_cols` may matter too."""

    ESTIMATOR = "prophet"

    def _period(self, frame: pd.DataFrame, time: str) -> str:
        return "s"

    def _estimator(self, dataset: GivenParts) -> Any:
        found = super()._estimator(dataset)
        found.unit = "s"
        found.regressors = tuple(self.regressor_cols or ())
        return found
