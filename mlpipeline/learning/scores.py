"""How good predictions are: each score has a name, and a direction in which it gets better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlpipeline import errors
from mlpipeline.config_text import near_miss
from mlpipeline.learning.target import Kind, Target

_CLASSES = (Kind.BINARY, Kind.MULTICLASS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A measure of predictions.

    Attributes:
        name: what it is called in records, e.g. `auc`.
        greater_is_better: its direction.
        kinds: the kinds of targets that it measures.
        needs_proba: whether it takes probabilities, of shape (rows, classes), instead of predictions of shape (rows,).
        function: (truth, predictions or probabilities, sample weights or None) -> float. Classes are positions, 0 and
            up. It is pure.
        is_usual: whether every evaluation tells it; else it is told where it is asked for.
    """

    name: str
    greater_is_better: bool
    kinds: tuple[Kind, ...]
    needs_proba: bool
    function: Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
    is_usual: bool = True

    def is_better(self, one: float, than: float) -> bool:
        """Whether a value is better than another; NaN is worse than everything."""
        if np.isnan(one) or np.isnan(than):
            return bool(np.isnan(than) and not np.isnan(one))
        return one > than if self.greater_is_better else one < than


def _metrics() -> Any:
    errors.require("sklearn", extra="learning")
    from sklearn import metrics

    return metrics


def _rmse(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    return float(_metrics().root_mean_squared_error(truth, predicted, sample_weight=weight))


def _mae(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    return float(_metrics().mean_absolute_error(truth, predicted, sample_weight=weight))


def _r2(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    """Of a single row it is undefined: NaN."""
    return float("nan") if len(truth) < 2 else float(_metrics().r2_score(truth, predicted, sample_weight=weight))


def _accuracy(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    return float(np.average(truth == predicted, weights=weight))


def _f1(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    return float(_metrics().f1_score(truth, predicted, sample_weight=weight, average="macro", zero_division=0))


def _precision(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    return float(_metrics().precision_score(truth, predicted, sample_weight=weight, average="macro", zero_division=0))


def _recall(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    return float(_metrics().recall_score(truth, predicted, sample_weight=weight, average="macro", zero_division=0))


def _mse(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    return float(_metrics().mean_squared_error(truth, predicted, sample_weight=weight))


def _mape(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    """A fraction, not percent; immense where the truth is 0."""
    return float(_metrics().mean_absolute_percentage_error(truth, predicted, sample_weight=weight))


def _mdae(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    return float(_metrics().median_absolute_error(truth, predicted, sample_weight=weight))


def _smape(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    """A fraction between 0 and 2 (Makridakis, 1993); 0 for a row where both are 0."""
    size = np.abs(truth) + np.abs(predicted)
    parts = np.divide(2 * np.abs(truth - predicted), size, out=np.zeros(len(truth)), where=size > 0)
    return float(np.average(parts, weights=weight))


def _msle(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    """Of log(1 + value); NaN where a value is -1 or less, which has no logarithm."""
    if min(truth.min(), predicted.min()) <= -1:
        return float("nan")
    return float(np.average(np.square(np.log1p(truth) - np.log1p(predicted)), weights=weight))


def _rmsle(truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None) -> float:
    return float(np.sqrt(_msle(truth, predicted, weight)))


def _log_loss(truth: np.ndarray, proba: np.ndarray, weight: np.ndarray | None) -> float:
    # What adds up to 1 in float32, as a library computed it, does not in float64, and scikit-learn warns of that.
    exact = proba / proba.sum(axis=1, keepdims=True)
    return float(_metrics().log_loss(truth, exact, labels=np.arange(proba.shape[1]), sample_weight=weight))


def _auc(truth: np.ndarray, proba: np.ndarray, weight: np.ndarray | None) -> float:
    """Of more than two classes the mean of each against the rest (Provost and Domingos, 2000); NaN where all rows are
    of one class."""
    return _of_each_class(_metrics().roc_auc_score, truth, proba, weight)


def _average_precision(truth: np.ndarray, proba: np.ndarray, weight: np.ndarray | None) -> float:
    """Steps, no trapezia: those are too good (Davis and Goadrich, 2006). Of more than two classes as `_auc`."""
    return _of_each_class(_metrics().average_precision_score, truth, proba, weight)


def _of_each_class(
    function: Callable[..., float], truth: np.ndarray, proba: np.ndarray, weight: np.ndarray | None
) -> float:
    counted = truth if weight is None else truth[weight > 0]
    if len(np.unique(counted)) < 2:
        return float("nan")
    classes = [1] if proba.shape[1] == 2 else [each for each in range(proba.shape[1]) if (counted == each).any()]
    return float(np.mean([function(truth == each, proba[:, each], sample_weight=weight) for each in classes]))


def _numeric(name: str, function: Any, *, greater_is_better: bool = False, is_usual: bool = False) -> Score:
    return Score(
        name=name,
        greater_is_better=greater_is_better,
        kinds=(Kind.REGRESSION,),
        needs_proba=False,
        function=function,
        is_usual=is_usual,
    )


def _of_classes(
    name: str, function: Any, *, greater_is_better: bool = True, needs_proba: bool = False, is_usual: bool = False
) -> Score:
    return Score(
        name=name,
        greater_is_better=greater_is_better,
        kinds=_CLASSES,
        needs_proba=needs_proba,
        function=function,
        is_usual=is_usual,
    )


SCORES = {
    each.name: each
    for each in (
        _numeric("rmse", _rmse, is_usual=True),
        _numeric("mae", _mae, is_usual=True),
        _numeric("r2", _r2, greater_is_better=True, is_usual=True),
        _of_classes("auc", _auc, needs_proba=True, is_usual=True),
        _of_classes("log_loss", _log_loss, greater_is_better=False, needs_proba=True, is_usual=True),
        _of_classes("accuracy", _accuracy, is_usual=True),
        _of_classes("f1", _f1, is_usual=True),
        _of_classes("prauc", _average_precision, needs_proba=True),
        _of_classes("precision", _precision),
        _of_classes("recall", _recall),
        _numeric("mse", _mse),
        _numeric("mape", _mape),
        _numeric("mdae", _mdae),
        _numeric("smape", _smape),
        _numeric("msle", _msle),
        _numeric("rmsle", _rmsle),
    )
}
"""All scores by name. f1, precision and recall are means over the classes, each counting alike."""
ALIASES = {"rocauc": "auc"}
_SELECTING = {Kind.REGRESSION: "rmse", Kind.BINARY: "auc", Kind.MULTICLASS: "log_loss"}


def names() -> tuple[str, ...]:
    """Returns what scores may be called."""
    return (*SCORES, *ALIASES)


def of_kind(kind: Kind, *, with_unusual: bool = False) -> tuple[Score, ...]:
    """Returns the usual scores of a kind of target, or all of them; by the first one models are selected, unless the
    user says otherwise."""
    found = [each for each in SCORES.values() if kind in each.kinds and (each.is_usual or with_unusual)]
    return tuple(sorted(found, key=lambda each: each.name != _SELECTING[kind]))


def named(name: str) -> Score:
    """Returns a score by name, of whatever kind of target.

    Raises:
        UnknownOption: (a ValueError) there is none.
    """
    found = SCORES.get(ALIASES.get(name, name))
    if found is None:
        known = names()
        raise errors.UnknownOption(f"there is no score '{name}'.{near_miss(name, known)} Known: {', '.join(known)}")
    return found


def find(name: str, kind: Kind) -> Score:
    """Returns a score by name.

    Raises:
        UnknownOption: (a ValueError) there is none, or it is not for this kind of target.
    """
    known = [each.name for each in of_kind(kind, with_unusual=True)]
    known += [alias for alias, meant in ALIASES.items() if meant in known]
    if name not in known:
        near = near_miss(name, known)
        raise errors.UnknownOption(f"there is no score '{name}' for {kind}.{near} Known: {', '.join(known)}")
    return named(name)


def evaluate(
    target: Target,
    truth: np.ndarray,
    predicted: np.ndarray,
    proba: np.ndarray | None,
    weight: np.ndarray | None = None,
    wanted: Sequence[str] | None = None,
) -> dict[str, float]:
    """Returns scores by name; those that need probabilities are left out where there are none.

    Args:
        target: what is predicted.
        truth: as `target.learnable` gives it; rows of a class that the training split has not shown are wrong, and take
            part in accuracy alone.
        predicted: numbers, or positions of classes.
        proba: of shape (rows, classes); None for a number, or where the estimator has none.
        weight: a weight for each row, by default all alike.
        wanted: names of scores; by default the usual ones of the kind of target.

    Raises:
        UnknownOption: (a ValueError) a name is none, or not for this kind of target.
    """
    known = np.ones(len(truth), bool) if target.is_regression else truth >= 0
    chosen = of_kind(target.kind) if wanted is None else [find(name, target.kind) for name in wanted]
    found = {}
    for name, score in zip([each.name for each in chosen] if wanted is None else wanted, chosen, strict=True):
        given = proba if score.needs_proba else predicted
        if given is None:
            continue
        rows = known if score.name != "accuracy" else np.ones(len(truth), bool)
        if rows.any():
            found[name] = score.function(truth[rows], given[rows], None if weight is None else weight[rows])
    return found
