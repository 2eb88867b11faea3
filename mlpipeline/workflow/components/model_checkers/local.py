"""The checker that asks whether a model beats a baseline, its own training part, and the model before it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from mlpipeline.errors import DataFault
from mlpipeline.workflow import scoring
from mlpipeline.workflow.components.model_checkers import baselines
from mlpipeline.workflow.types.contract import TEST, TRAIN, VALIDATION, Finding, Report, Splits, Status
from mlpipeline.workflow.types.model import ModelChecker, ModelTrainer


class LocalModelChecker(ModelChecker):
    """Checks a model on the rows that report: those of the test part, else of validation, else of training.

    Attributes:
        perf_metric: what models are compared by; by default the first of `metrics`, else accuracy, or rmse.
        baseline_method: `value`, see `baseline_value`; or `column`, then that names a column that predicts.
        baseline_value: class_avg, class_most_frequent; avg, mode, max, min, median; last_value_N, lag_mean_N,
            lag_max_N, lag_min_N, lag_median_N. By default the most frequent class, the mean, or the value before.
        gap_tolerance: by how much of its value on the training part the metric may be worse on validation.
    """

    perf_metric: str | None = None
    metrics: list[str] | None = None
    problem_type: str | None = None
    baseline_method: str = baselines.VALUE
    baseline_value: str | None = None
    gap_tolerance: float = 0.2

    @classmethod
    def known_names(cls, key: str) -> Collection[str] | None:
        """Returns the methods of baselines, and the names of metrics."""
        if key == "baseline_method":
            return (baselines.COLUMN, baselines.VALUE)
        return scoring.metric_names() if key in ("perf_metric", "metrics") else None

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns what is no baseline."""
        value, method = values.get("baseline_value"), values.get("baseline_method")
        if method == baselines.COLUMN and value is None:
            return {"baseline_method": "is column: name the column in baseline_value"}
        if method == baselines.VALUE and isinstance(value, str) and (told := baselines.fault(value)):
            return {"baseline_value": told}
        return {}

    def check_model(self, data: Splits, model: ModelTrainer) -> Report:
        """Returns how a model does beside the baseline, and on validation beside training.

        It is an error where the baseline is as good, a warning where validation is much worse than training.
        """
        findings = [self._beside_baseline(data, model)]
        if data.validation is not None and len(data.validation):
            findings.append(self._gap(data, model))
        return Report(name="model_check", findings=tuple(findings))

    def compare_models(self, data: Splits, model: ModelTrainer, previous: ModelTrainer) -> Report:
        """Returns how a model does beside an earlier one on the same rows; ERROR where it is worse."""
        metric, (part, rows) = self._metric(data), _reporting(data)
        new, old = (self._value(data, rows, each) for each in (model, previous))
        is_worse = scoring.is_better(metric, old, new)
        told = "worse than" if is_worse else "as good as" if new == old else "better than"
        finding = Finding(
            name=f"previous.{metric}",
            status=Status.ERROR if is_worse else Status.PASS,
            value=new - old,
            message=f"{metric} on {len(rows):,} rows of {part} is {new:.6g}, {told} the former model's {old:.6g}",
        )
        return Report(name="model_comparison", findings=(finding,))

    def baseline(self, data: Splits, rows: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame | None]:
        """Returns what the baseline predicts for some rows, and its probabilities where it has any.

        Raises:
            DataFault: (a ValueError) the column is not there.
            ParameterError: (a ValueError) the baseline does not go with what is predicted.
        """
        is_class = scoring.is_class(data, self.problem_type)
        if self.baseline_method == baselines.COLUMN:
            if self.baseline_value not in rows.columns:
                raise DataFault(f"baseline_value: there is no column {self.baseline_value!r} to predict by")
            return rows[self.baseline_value], None
        value = self.baseline_value or self._usual(data, is_class=is_class)
        if is_class and value in ("class_avg", "class_most_frequent", "mode"):
            return baselines.of_classes(value, data, rows)
        if is_class:
            raise DataFault(f"baseline_value is {value}, and classes are predicted: take class_most_frequent")
        return baselines.of_numbers(value, data, rows), None

    def _usual(self, data: Splits, *, is_class: bool) -> str:
        if is_class:
            return "class_most_frequent"
        return "avg" if data.time_index is None and self.problem_type != "timeseries" else "last_value_1"

    def _beside_baseline(self, data: Splits, model: ModelTrainer) -> Finding:
        metric, (part, rows) = self._metric(data), _reporting(data)
        predicted, proba = self.baseline(data, rows)
        known = predicted.notna()
        rows, predicted = rows[known], predicted[known]
        if not len(rows):
            raise DataFault("the baseline knows nothing of any row: take a smaller N")
        needs = metric not in ("accuracy", "f1", "precision", "recall") and proba is not None
        classes = data.truth() if scoring.is_class(data, self.problem_type) else None
        given = proba[known.to_numpy()] if needs and proba is not None else None
        found = scoring.compare(rows[data.target], predicted, given, [metric], classes)
        if metric not in found:
            raise DataFault(
                f"{metric} needs probabilities, and the baseline has none: take class_avg, or another metric"
            )
        value, base = self._value(data, rows, model), found[metric]
        is_good = scoring.is_better(metric, value, base)
        told = "better than" if is_good else "no better than"
        return Finding(
            name=f"baseline.{metric}",
            status=Status.PASS if is_good else Status.ERROR,
            value=value - base,
            message=f"{metric} on {len(rows):,} rows of {part} is {value:.6g}, {told} the baseline's {base:.6g}",
        )

    def _gap(self, data: Splits, model: ModelTrainer) -> Finding:
        metric = self._metric(data)
        found = scoring.scores(model, data, [metric], self.problem_type)
        train, validation = found[TRAIN][metric], found[VALIDATION][metric]
        gap = train - validation if scoring.direction(metric) == "maximize" else validation - train
        share = gap / abs(train) if train else math.inf if gap > 0 else 0.0
        is_wide = share > self.gap_tolerance
        return Finding(
            name=f"gap.{metric}",
            status=Status.WARN if is_wide else Status.PASS,
            value=gap,
            message=f"{metric} is {train:.6g} on training and {validation:.6g} on validation"
            + (": the model has learnt the training part by heart" if is_wide else ""),
        )

    def _metric(self, data: Splits) -> str:
        return scoring.deciding(data, self.perf_metric, self.metrics, self.problem_type)

    def _value(self, data: Splits, rows: pd.DataFrame, model: ModelTrainer) -> float:
        metric = self._metric(data)
        return scoring.scores_of(model, data, rows, [metric], self.problem_type)[metric]


def _reporting(data: Splits) -> tuple[str, pd.DataFrame]:
    """Returns the part that reports: its name and rows."""
    parts = {name: frame for name, frame in data.parts() if len(frame)}
    for name in (TEST, VALIDATION, TRAIN):
        if name in parts:
            return name, parts[name]
    raise DataFault("there are no rows to check the model by: have the splitter make a test part")
