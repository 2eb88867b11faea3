"""Checkers of bias: whether a model treats groups of people alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.errors import ParameterError
from mlpipeline.workflow.components.model_checkers import groups
from mlpipeline.workflow.components.model_checkers.groups import Predicted
from mlpipeline.workflow.types.contract import Finding, Report, Splits, Status
from mlpipeline.workflow.types.model import ModelBiasChecker, ModelTrainer


class GroupBiasChecker(ModelBiasChecker):
    """Compares what is predicted for groups, on the rows that report.

    Attributes:
        sensitive_features: columns that tell people apart, be they features or not.
        favorable: the class that is good to be in; by default the last one in order.
        max_difference: more than this between two groups is a warning.
        smallest_group: groups of fewer rows are left out.
    """

    sensitive_features: list[str] | None = None
    favorable: Any = None
    problem_type: str | None = None
    max_difference: float = 0.1
    smallest_group: int = 10

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns that there are no groups to compare."""
        if values.get("sensitive_features"):
            return {}
        return {"sensitive_features": "names no column: name those that tell groups of people apart"}

    def check_model_bias(self, data: Splits, model: ModelTrainer) -> Report:
        """Returns the largest difference between two groups, for each column and measure.

        Raises:
            DataFault: (a ValueError) a column is not there, or its groups are too small.
        """
        columns = self.sensitive_features or []
        if not columns:
            raise ParameterError("sensitive_features names no column: name those that tell groups of people apart")
        found = groups.predicted(data, model, columns, self.favorable, self.problem_type, self.smallest_group)
        told = [self._finding(name, *each) for name in columns for each in self.differences(found, found.groups[name])]
        return Report(name="model_bias", findings=tuple(told))

    def _finding(self, column: str, measure: str, difference: float, by_group: pd.Series) -> Finding:
        if np.isnan(difference):
            return Finding(name=f"{column}.{measure}", message="the truth is of one kind: it cannot be measured")
        is_wide = difference > self.max_difference
        ordered = by_group.sort_values()
        ends = f"{ordered.index[0]} {ordered.iloc[0]:.3g}, {ordered.index[-1]} {ordered.iloc[-1]:.3g}"
        return Finding(
            name=f"{column}.{measure}",
            status=Status.WARN if is_wide else Status.PASS,
            value=float(difference),
            message=f"{measure} by {column}: {ends}; the difference is {difference:.3g}",
        )

    @abstractmethod
    def differences(self, found: Predicted, group: pd.Series) -> Iterator[tuple[str, float, pd.Series]]:
        """Yields for each measure its name, the largest difference between groups, and its value for each group.

        Args:
            found: what is predicted.
            group: of each row; missing for those of groups that are too small.
        """


class LocalBiasChecker(GroupBiasChecker):
    """Measures demographic parity, and equal opportunity (Hardt, Price and Srebro, 2016); of numbers, the mean error.

    Demographic parity compares how often the favorable class is predicted; equal opportunity, how often for those who
    are of it. The mean error of numbers is in standard deviations of the truth.
    """

    def differences(self, found: Predicted, group: pd.Series) -> Iterator[tuple[str, float, pd.Series]]:
        """Yields the measures; see the class."""
        if found.favorable is None:
            wrong = (found.predicted - found.truth) / (found.truth.std() or 1.0)
            yield _measure("mean_error", wrong, group, None)
            return
        yield _measure("demographic_parity", found.predicted, group, None)
        yield _measure("equal_opportunity", found.predicted, group, found.truth)


class FairlearnBiasChecker(GroupBiasChecker):
    """Measures by Fairlearn: demographic parity, equal opportunity, equalized odds; of numbers, the mean error."""

    def differences(self, found: Predicted, group: pd.Series) -> Iterator[tuple[str, float, pd.Series]]:
        """Yields the measures; see the class."""
        metrics: Any = errors.require("fairlearn.metrics", extra="explain")
        kept = group.notna().to_numpy()
        given = {"y_true": found.truth[kept], "y_pred": found.predicted[kept], "sensitive_features": group[kept]}
        if found.favorable is None:
            scale = found.truth.std() or 1.0
            frame = metrics.MetricFrame(metrics=lambda truth, said: float(np.mean(said - truth) / scale), **given)
            yield "mean_error", float(frame.difference()), frame.by_group
            return
        rates = {
            "demographic_parity": metrics.selection_rate,
            "equal_opportunity": metrics.true_positive_rate,
            "false_positives": metrics.false_positive_rate,
        }
        frame = metrics.MetricFrame(metrics=rates, **given)
        for name in rates:
            yield name, float(frame.difference()[name]), frame.by_group[name].astype("float64")
        odds = frame.difference()[["equal_opportunity", "false_positives"]]
        yield "equalized_odds", float(odds.max()), frame.by_group[str(odds.idxmax())].astype("float64")


def _measure(name: str, values: np.ndarray, group: pd.Series, among: np.ndarray | None) -> tuple[str, float, pd.Series]:
    shown = pd.Series(values.astype(np.float64), index=group.index)
    kept = group if among is None else group.where(among)
    by_group = shown.groupby(kept, observed=True).mean()
    return name, float(by_group.max() - by_group.min()) if len(by_group) > 1 else float("nan"), by_group
