"""The standard workflow for forecasts."""

from __future__ import annotations

from mlpipeline.errors import DataFault
from mlpipeline.workflow.runners.standard import StandardRunner
from mlpipeline.workflow.scoring import ProblemType
from mlpipeline.workflow.types import Splits

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pandas as pd


class TimeSeriesRunner(StandardRunner):
    """Forecasts a series: process, train, deploy, predict.

    The model is fitted to the whole series before it forecasts, unless `retrain_all: false`. Without `prediction_data`
    it forecasts `forecast_period` periods after the last one.
    """

    UNASKED = "forecast"

    problem_type: ProblemType | None = "timeseries"
    time_index: str
    forecast_period: int = 12
    forecast_frequency: str | None = None
    retrain_all: bool = True

    def _unasked(self, splits: Splits) -> pd.DataFrame:
        """Returns the times after the last one."""
        return future(splits, self.time_index, self.forecast_period, self.forecast_frequency)


def future(splits: Splits, time_index: str, periods: int, frequency: str | None) -> pd.DataFrame:
    """Returns a frame with the times that follow those of all parts.

    Args:
        frequency: as pandas calls it, e.g. `MS`; None finds it out.

    Raises:
        DataFault: the times are not evenly spaced, so that nobody knows which come next.
    """
    import pandas as pd

    from mlpipeline.data.frequency import inferred

    known = pd.concat([frame[time_index] for _, frame in splits.parts()]).sort_values()
    times = pd.DatetimeIndex(pd.to_datetime(known))
    found = frequency or inferred(times)
    if found is None:
        raise DataFault(f"the times in {time_index!r} are not evenly spaced: set forecast_frequency, e.g. MS or D")
    following = pd.date_range(times[-1], periods=periods + 1, freq=found)
    return pd.DataFrame({time_index: following[following > times[-1]][:periods]})
