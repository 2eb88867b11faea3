"""Scores what a model predicts, by the names of metrics that a configuration may give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mlpipeline import plugins
from mlpipeline.config_text import near_miss
from mlpipeline.errors import UnknownOption
from mlpipeline.workflow.types import ModelTrainer, Splits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    import pandas as pd

REGRESSION, BINARY, MULTICLASS = "regression", "binary", "multiclass"
CLASSIFICATION, TIME_SERIES = "classification", "timeseries"
_PROBABILITY = "prediction_proba_"
PROBLEM_TYPES = (CLASSIFICATION, REGRESSION, TIME_SERIES)
DEFAULTS = {CLASSIFICATION: ("accuracy", "f1"), REGRESSION: ("rmse", "mae", "r2"), TIME_SERIES: ("rmse", "mae", "mape")}


def known(key: str) -> Sequence[str] | None:
    """Returns what the keys `metrics`, `perf_metric` and `problem_type` may hold; None for another key."""
    if key == "problem_type":
        return PROBLEM_TYPES
    return _all() if key in ("metrics", "perf_metric") else None


def names(problem_type: str, metrics: Sequence[str] | None, perf_metric: str | None) -> list[str]:
    """Returns the metrics of a workflow: those that are named, else the usual ones; `perf_metric` among them.

    Raises:
        UnknownOption: (a ValueError) one is not for this type of problem.
    """
    found = list(dict.fromkeys([*(metrics or DEFAULTS[problem_type]), *([perf_metric] if perf_metric else [])]))
    kinds = (BINARY, MULTICLASS) if problem_type == CLASSIFICATION else (REGRESSION,)
    for name in found:
        if not any(kind in _score(name).kinds for kind in kinds):
            fitting = [each for each in _all() if any(kind in _score(each).kinds for kind in kinds)]
            near = near_miss(name, fitting)
            raise UnknownOption(
                f"metrics: {name} is not for {problem_type}.{near} Choose from {', '.join(fitting)}"
            )
    return found


def is_better(metric: str, one: float, than: float) -> bool:
    """Whether a value of a metric is better than another."""
    found: bool = _score(metric).is_better(one, than)
    return found


def of_parts(
    data: Splits, model: ModelTrainer, problem_type: str, metrics: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Returns the metrics of each part: {"train": {metric: value}, "validation": …, "test": …}."""
    classes = classes_of(data) if problem_type == CLASSIFICATION else None
    return {
        name: of_rows(frame.drop(columns=data.target), frame[data.target], model, classes, metrics)
        for name, frame in data.parts()
        if len(frame)
    }


def classes_of(data: Splits) -> list[Any]:
    """Returns the classes that the training part shows, sorted."""
    return sorted(data.truth().dropna().unique().tolist())


def of_rows(
    features: pd.DataFrame,
    truth: pd.Series,
    model: ModelTrainer,
    classes: Sequence[Any] | None,
    metrics: Iterable[str],
) -> dict[str, float]:
    """Returns the metrics of some rows.

    Args:
        features: of shape (rows, columns).
        truth: of shape (rows,), under the same index.
        classes: those that were learnt from; None for numbers.
        metrics: their names.

    Raises:
        UnknownOption: (a ValueError) one is not for so many classes.
    """
    predicted = model.predict(features)
    kind = REGRESSION if classes is None else BINARY if len(classes) == 2 else MULTICLASS
    chosen = {name: _score(name) for name in metrics}
    proba = model.predict_proba(features) if any(each.needs_proba for each in chosen.values()) else None
    found = {}
    for name, score in chosen.items():
        if kind not in score.kinds:
            raise UnknownOption(f"metrics: {name} is not for {len(classes or ())} classes: leave it out")
        given = proba if score.needs_proba else predicted
        found[name] = _value(score, truth, given, classes)
    return found


def of_predictions(rows: pd.DataFrame, target: str, problem_type: str, metrics: Iterable[str]) -> dict[str, float]:
    """Returns the metrics of rows that have their prediction and, by now, their truth.

    Those that need probabilities are left out where the rows have none.
    """
    predicted, truth = rows["prediction"], rows[target]
    if problem_type != CLASSIFICATION:
        return {name: _value(_score(name), truth, predicted, None) for name in metrics}
    marks = [name for name in rows.columns if str(name).startswith(_PROBABILITY)]
    classes = sorted({*truth.dropna().unique(), *predicted.dropna().unique()})
    by_text = {f"{_PROBABILITY}{each}": each for each in classes}
    proba = rows[[name for name in by_text if name in marks]] if marks else None
    has_all = proba is not None and len(proba.columns) == len(classes) == len(marks)
    found = {}
    for name in metrics:
        score = _score(name)
        if not score.needs_proba or has_all:
            found[name] = _value(score, truth, proba if score.needs_proba else predicted, classes)
    return found


def _score(name: str) -> Any:
    found: Any = plugins.load("learning", "score")(name)
    return found


def _value(score: Any, truth: pd.Series, given: Any, classes: Sequence[Any] | None) -> float:
    import numpy as np

    if classes is None:
        rows = truth.notna().to_numpy()
        one, two = truth.to_numpy(np.float64)[rows], given.to_numpy(np.float64)[rows]
        return float(score.function(one, two, None)) if rows.any() else float("nan")
    wanted = _positions(truth, classes)
    # Rows of a class that was not learnt are wrong, and count in accuracy alone.
    rows = np.ones(len(wanted), bool) if score.name == "accuracy" else wanted >= 0
    if not rows.any():
        return float("nan")
    values = given.to_numpy(np.float64) if score.needs_proba else _positions(given, classes)
    return float(score.function(wanted[rows], values[rows], None))


def _positions(values: pd.Series, classes: Sequence[Any]) -> np.ndarray:
    import pandas as pd

    found: np.ndarray = pd.Index(classes).get_indexer(pd.Index(values))
    return found


def _all() -> Sequence[str]:
    found: Sequence[str] = plugins.load("learning", "score_names")()
    return found
