"""Scores an estimator on a part of a dataset; one that comes in batches is predicted batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpipeline import errors
from mlpipeline.learning import scores
from mlpipeline.learning.estimator import Estimator
from mlpipeline.learning.feed import Rows
from mlpipeline.learning.scores import Score

MOST_STREAMED = 1_000_000
"""Rows of a streamed part that are scored, at most: what is predicted for them is kept until the scores are known."""


def evaluate(estimator: Estimator, rows: Rows) -> dict[str, float]:
    """Returns all scores by name.

    Raises:
        DataFault: (a ValueError) there is no target, or there are no rows.
    """
    if not len(rows):
        raise errors.DataFault("there are no rows to be scored: give some")
    if not rows.is_streamed:
        x, y = rows.observations
        return estimator.evaluate(x, y, rows.weight)
    return _streamed(estimator, rows.observations)


def _streamed(estimator: Estimator, stream: Any) -> dict[str, float]:
    target, truths, predictions, probas, seen = estimator.target_, [], [], [], 0
    for x, y in stream:
        truths.append(target.learnable(y))
        if target.is_regression or not estimator.has_proba:
            predictions.append(target.learnable(estimator.predict(x)))
        else:
            probas.append(np.asarray(estimator.predict_proba(x), dtype=np.float32))
        seen += len(x)
        if seen >= MOST_STREAMED:
            break
    proba = np.concatenate(probas) if probas else None
    predicted = np.concatenate(predictions) if proba is None else proba.argmax(axis=1)
    # float32 rows sum to 1 within 1e-7 only, which scikit-learn warns of.
    exact = None if proba is None else _normalized(proba)
    return scores.evaluate(target, np.concatenate(truths), predicted, exact)


def _normalized(proba: np.ndarray) -> np.ndarray:
    wide = proba.astype(np.float64)
    normalized: np.ndarray = wide / wide.sum(axis=1, keepdims=True)
    return normalized


def score_of(name: str | None, estimator: Estimator) -> Score:
    """Returns the score that models are selected by: the one that is named, or the first of the kind of target.

    Raises:
        UnknownOption: (a ValueError) there is none of that name for what is predicted.
    """
    kind = estimator.target_.kind
    return scores.of_kind(kind)[0] if name is None else scores.find(name, kind)
