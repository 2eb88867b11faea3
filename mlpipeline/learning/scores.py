"""How good predictions are: each score has a name, and a direction in which it gets better."""

from __future__ import annotations

from collections.abc import Callable
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
            up.
    """

    name: str
    greater_is_better: bool
    kinds: tuple[Kind, ...]
    needs_proba: bool
    function: Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]

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


def _log_loss(truth: np.ndarray, proba: np.ndarray, weight: np.ndarray | None) -> float:
    # What adds up to 1 in float32, as a library computed it, does not in float64, and scikit-learn warns of that.
    exact = proba / proba.sum(axis=1, keepdims=True)
    return float(_metrics().log_loss(truth, exact, labels=np.arange(proba.shape[1]), sample_weight=weight))


def _auc(truth: np.ndarray, proba: np.ndarray, weight: np.ndarray | None) -> float:
    """Undefined where the rows that count are all of one class: NaN."""
    if len(np.unique(truth if weight is None else truth[weight > 0])) < 2:
        return float("nan")
    return float(_metrics().roc_auc_score(truth, proba[:, 1], sample_weight=weight))


SCORES = {
    each.name: each
    for each in (
        Score(name="rmse", greater_is_better=False, kinds=(Kind.REGRESSION,), needs_proba=False, function=_rmse),
        Score(name="mae", greater_is_better=False, kinds=(Kind.REGRESSION,), needs_proba=False, function=_mae),
        Score(name="r2", greater_is_better=True, kinds=(Kind.REGRESSION,), needs_proba=False, function=_r2),
        Score(name="auc", greater_is_better=True, kinds=(Kind.BINARY,), needs_proba=True, function=_auc),
        Score(name="log_loss", greater_is_better=False, kinds=_CLASSES, needs_proba=True, function=_log_loss),
        Score(name="accuracy", greater_is_better=True, kinds=_CLASSES, needs_proba=False, function=_accuracy),
        Score(name="f1", greater_is_better=True, kinds=_CLASSES, needs_proba=False, function=_f1),
    )
}
"""All scores by name, the one that models are selected by first for each kind of target: rmse, auc, log_loss."""


def of_kind(kind: Kind) -> tuple[Score, ...]:
    """Returns the scores of a kind of target; by the first one models are selected, unless the user says otherwise."""
    return tuple(each for each in SCORES.values() if kind in each.kinds)


def named(name: str) -> Score:
    """Returns a score by name, of whatever kind of target.

    Raises:
        UnknownOption: (a ValueError) there is none.
    """
    if name not in SCORES:
        raise errors.UnknownOption(f"there is no score '{name}'.{near_miss(name, SCORES)} Known: {', '.join(SCORES)}")
    return SCORES[name]


def find(name: str, kind: Kind) -> Score:
    """Returns a score by name.

    Raises:
        UnknownOption: (a ValueError) there is none, or it is not for this kind of target.
    """
    known = [each.name for each in of_kind(kind)]
    if name not in known:
        near = near_miss(name, known)
        raise errors.UnknownOption(f"there is no score '{name}' for {kind}.{near} Known: {', '.join(known)}")
    return SCORES[name]


def evaluate(
    target: Target,
    truth: np.ndarray,
    predicted: np.ndarray,
    proba: np.ndarray | None,
    weight: np.ndarray | None = None,
) -> dict[str, float]:
    """Returns all scores by name.

    Args:
        target: what is predicted.
        truth: as `target.learnable` gives it; rows of a class that the training split has not shown are wrong, and take
            part in accuracy alone.
        predicted: numbers, or positions of classes.
        proba: of shape (rows, classes); None for a number, or where the estimator has none.
        weight: a weight for each row, by default all alike.
    """
    known = np.ones(len(truth), bool) if target.is_regression else truth >= 0
    found = {}
    for score in of_kind(target.kind):
        given = proba if score.needs_proba else predicted
        if given is None:
            continue
        rows = known if score.name != "accuracy" else np.ones(len(truth), bool)
        if rows.any():
            found[score.name] = score.function(truth[rows], given[rows], None if weight is None else weight[rows])
    return found
