"""Trainers that forecast a series by its time: Holt-Winters, Prophet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, ClassVar

from mlpipeline.errors import DataFault
from mlpipeline.workflow.components.model_trainers.estimator_trainer import EstimatorTrainer, ProblemType

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pandas as pd

    from mlpipeline.data.by_kind import Choice, GivenParts
    from mlpipeline.workflow.types.contract import Splits

_TIME = frozenset(("time", "unit"))


class Forecaster(EstimatorTrainer):
    """Forecasts by the column `time_index`, and reads no other one but for `regressor_cols`."""

    READS_OTHERS: ClassVar[bool] = False

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
        from mlpipeline.data.by_kind import TIME

        found = super()._estimator(dataset)
        found.time = TIME
        return found


class HoltWintersTrainer(Forecaster):
    """A level, a trend and a season of `periodicity` periods; the rows are evenly spaced."""

    ESTIMATOR = "holt_winters"

    def _period(self, frame: pd.DataFrame, time: str) -> str:
        import pandas as pd

        if self.forecast_frequency is not None:
            return _period_of(self.forecast_frequency)
        if not pd.api.types.is_datetime64_any_dtype(frame[time].dtype):
            return "s"
        times = pd.DatetimeIndex(frame[time])
        found = times.inferred_freq if len(times) > 2 else None
        return "s" if found is None else str(times.tz_localize(None).to_period().freqstr)


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


def _period_of(frequency: str) -> str:
    """Returns the period of a calendar that a frequency of dates steps by: M for MS, the first day of each month."""
    import pandas as pd

    try:
        return str(pd.date_range("1970-01-01", periods=3, freq=frequency).to_period().freqstr)
    except ValueError:  # it is a period already, or nothing: who counts by it says which
        return frequency
