"""How good any trainer's predictions are: {split: {metric: value}}, by the names of learning's scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mlpipeline import plugins
from mlpipeline.config_text import near_miss
from mlpipeline.errors import DataFault, UnknownOption
from mlpipeline.workflow.types.contract import VALIDATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

    from mlpipeline.workflow.types.contract import Splits
    from mlpipeline.workflow.types.model import ModelTrainer

Metrics = dict[str, dict[str, float]]
ProblemType = Literal["classification", "regression", "timeseries"]
CLASSES, NUMBERS = "classification", "regression"


def metric_names(problem_type: str | None = None) -> tuple[str, ...]:
    """Returns what metrics may be called, for one type of problem or for all; `known_names` may give it."""
    every: tuple[str, ...] = plugins.load("learning", "score_names")()
    if problem_type is None:
        return every
    is_class = problem_type == CLASSES
    return tuple(name for name in every if is_class != ("regression" in _score(name).kinds))


def metric_faults(metrics: Sequence[str], problem_type: str | None) -> str:
    """Says which metrics are none, or not for a type of problem; nothing where all are: see `Part.value_faults`."""
    known = metric_names(problem_type)
    kind = "" if problem_type is None else f" for {problem_type}"
    told = [f"there is no metric {name!r}{kind}.{near_miss(name, known)}" for name in metrics if name not in known]
    return " ".join(told)


def default_metrics(data: Splits, problem_type: str | None = None) -> list[str]:
    """Returns the metrics that are told where none are named; by the first one models are compared."""
    if is_class(data, problem_type):
        return ["accuracy", "f1", "precision", "recall"]
    return ["rmse", "mae", "r2"]


def deciding(
    data: Splits, perf_metric: str | None, metrics: Sequence[str] | None, problem_type: str | None = None
) -> str:
    """Returns the metric by which models are compared: `perf_metric`, else the first of `metrics`, else the usual."""
    return perf_metric or (metrics or default_metrics(data, problem_type))[0]


def is_better(metric: str, one: float, than: float) -> bool:
    """Whether a value of a metric is better than another; NaN is worse than everything."""
    found: bool = _score(metric).is_better(one, than)
    return found


def direction(metric: str) -> Literal["minimize", "maximize"]:
    """Returns in which direction a metric gets better."""
    return "maximize" if _score(metric).greater_is_better else "minimize"


def is_class(data: Splits, problem_type: str | None = None) -> bool:
    """Whether classes are predicted: as the type of problem says, else by what the target holds."""
    if problem_type is not None:
        return problem_type == CLASSES
    from mlpipeline.data.by_kind import is_number

    return not is_number(data.truth())


def scores(
    model: ModelTrainer, data: Splits, metrics: Sequence[str] | None = None, problem_type: str | None = None
) -> Metrics:
    """Returns the metrics of a trainer on every part that has rows. Nothing is changed, nothing is kept.

    Args:
        model: fitted.
        data: the rows.
        metrics: their names; by default those of `default_metrics`.
        problem_type: classification, regression or timeseries; by default told by the target.

    Raises:
        UnknownOption: (a ValueError) a metric is none, or not for this type of problem.
        DataFault: (a ValueError) a metric needs probabilities, and the model has none.
    """
    wanted = list(metrics or default_metrics(data, problem_type))
    parts = [(name, frame) for name, frame in data.parts() if len(frame)]
    return {name: scores_of(model, data, frame, wanted, problem_type) for name, frame in parts}


def scores_of(
    model: ModelTrainer, data: Splits, frame: pd.DataFrame, metrics: Sequence[str], problem_type: str | None = None
) -> dict[str, float]:
    """Returns the metrics of a trainer on some rows, which have the target."""
    rows = frame.drop(columns=data.target)
    truth, classes = frame[data.target], is_class(data, problem_type)
    check_metrics(metrics, CLASSES if classes else NUMBERS)
    needs = classes and any(_score(name).needs_proba for name in metrics)
    proba = model.predict_proba(rows) if needs else None
    predicted = model.predict(rows)
    return compare(truth, predicted, proba, metrics, known=data.truth() if classes else None)


def compare(
    truth: pd.Series,
    predicted: pd.Series,
    proba: pd.DataFrame | None,
    metrics: Sequence[str],
    known: pd.Series | None,
) -> dict[str, float]:
    """Returns the metrics of predictions.

    Args:
        truth: of shape (rows,).
        predicted: likewise.
        proba: the probability of each class, a column for each; None where there is none.
        metrics: their names.
        known: values that show the classes; None where numbers are predicted.
    """
    target, evaluate = plugins.load("learning", "target"), plugins.load("learning", "evaluate")
    if known is None:
        made = target(kind="regression")
        numbers = [np.asarray(each, dtype=np.float64) for each in (truth, predicted)]
        found: dict[str, float] = evaluate(made, *numbers, None, None, metrics)
        return found
    classes = list(proba.columns) if proba is not None else _classes(known, predicted)
    codes = [_codes(each, classes) for each in (truth, predicted)]
    kind = "binary" if len(classes) == 2 else "multiclass"
    made = target(kind=kind, classes=np.arange(len(classes)))
    # A class that nobody has learnt is wrong whatever is predicted.
    codes[1] = np.where(codes[1] < 0, len(classes), codes[1])
    found = evaluate(made, *codes, None if proba is None else proba.to_numpy(np.float64), None, metrics)
    return dict(found)


def check_metrics(metrics: Sequence[str], problem_type: str) -> None:
    """Refuses metrics that there are not for a type of problem.

    Raises:
        UnknownOption: (a ValueError) with the nearest names.
    """
    if told := metric_faults(metrics, problem_type):
        raise UnknownOption(told)


def selecting(data: Splits) -> str:
    """Returns the part that models are compared by.

    Raises:
        DataFault: (a ValueError) there are no rows to compare them by.
    """
    if data.validation is None or not len(data.validation):
        raise DataFault("there is no validation part to compare models by: have the splitter make one")
    return VALIDATION


def _score(name: str) -> Any:
    return plugins.load("learning", "score")(name)


def _classes(known: pd.Series, predicted: pd.Series) -> list[Any]:
    found = {*known.dropna().unique(), *predicted.dropna().unique()}
    return sorted(found, key=lambda each: (type(each).__name__, each))


def _codes(values: pd.Series, classes: Sequence[Any]) -> np.ndarray:
    import pandas as pd

    found: np.ndarray = pd.Index(classes, dtype=object).get_indexer(values.astype(object))
    return found
