"""Checks whether rows are still distributed like others: by SciPy's tests, with thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mlpipeline.data import drift
from mlpipeline.errors import DataFault
from mlpipeline.workflow.types.contract import Finding, Report, Status
from mlpipeline.workflow.types.data import DataChecker

_THRESHOLDS = ("drift_p_value", "drift_effect", "drift_missing", "drift_share")


class DriftDataChecker(DataChecker):
    """Compares each column with that of a reference: by Kolmogorov and Smirnov's test for numbers and times, by the
    chi-square test for classes. A column has drifted where the difference is neither chance nor small.

    Attributes:
        drift_p_value: below this it is no chance; it is divided by the number of columns (Bonferroni), so that among
            many columns none drifts by luck.
        drift_effect: below this it is small: the distance of the distributions, from 0 to 1.
        drift_missing: a change of the share of missing values from here on is drift as well.
        drift_share: where more than this share of columns has drifted, the rows are others: an ERROR.
        drift_columns: to look at; by default all that both have.
    """

    drift_p_value: float = 0.05
    drift_effect: float = 0.1
    drift_missing: float = 0.1
    drift_share: float = 0.5
    drift_columns: list[str] | None = None

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns which thresholds are no shares."""
        given = {key: values.get(key) for key in _THRESHOLDS}
        numbers = {key: value for key, value in given.items() if isinstance(value, int | float)}
        return {key: f"is {value:g}: give 0 to 1" for key, value in numbers.items() if not 0 <= value <= 1}

    def check_data(self, data: pd.DataFrame, reference: pd.DataFrame | None = None) -> Report:
        """Returns what has drifted since `reference`; without one there is nothing to compare with."""
        if reference is None:
            return Report(name="drift", findings=(Finding(name="drift", message="there is no reference yet"),))
        for name in self.drift_columns or ():
            if name not in data.columns or name not in reference.columns:
                raise DataFault(f"drift_columns: {name!r} is not in both frames: mend its name")
        compared = drift.compare(reference, data, self.drift_columns)
        found = [self._finding(each, len(compared)) for each in compared]
        count = sum(each.status is not Status.PASS for each in found)
        share = count / len(found) if found else 0.0
        status = Status.ERROR if share > self.drift_share else Status.WARN if count else Status.PASS
        message = f"{count} of {len(found)} columns have drifted"
        whole = Finding(name="drift", status=status, value=round(share, 4), message=message)
        return Report(name="drift", findings=(whole, *found))

    def _finding(self, column: drift.Drift, count: int) -> Finding:
        is_drift = column.p_value < self.drift_p_value / count and column.effect >= self.drift_effect
        is_drift = is_drift or column.missing_change > self.drift_missing
        told = f"{column.test}: p {column.p_value:.2g}, distance {column.effect:.2f}"
        message = f"{told}, share of missing values changed by {column.missing_change:.2f}"
        status = Status.WARN if is_drift else Status.PASS
        return Finding(name=f"drift.{column.name}", status=status, value=round(column.effect, 4), message=message)
