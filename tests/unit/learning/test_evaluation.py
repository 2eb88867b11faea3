"""Scores of parts, those that come in batches included."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data.encoding import Observations
from mlpipeline.data.streaming import Stream
from mlpipeline.errors import DataFault
from mlpipeline.learning import evaluation
from mlpipeline.learning.estimators import Naive
from mlpipeline.learning.feed import Rows

from .stand_ins import Slope

X = pd.DataFrame({"a": np.random.default_rng(0).normal(size=1000)})
Y = (X["a"] > 0.3).to_numpy().astype(np.uint8)


def streamed(y: np.ndarray = Y, batch: int = 64) -> Rows:
    pieces = [Observations(X[start : start + batch], y[start : start + batch]) for start in range(0, len(X), batch)]
    return Rows(part="test", observations=Stream(lambda: iter(pieces), len(X)))


@pytest.mark.parametrize("y", [Y, Y * 2.5], ids=["classes", "numbers"])
def test_batches_score_as_the_whole_does(y: np.ndarray) -> None:
    estimator = Slope(epochs=5).fit(X, y) if y is Y else Naive().fit(X, y)
    whole = evaluation.evaluate(estimator, Rows(part="test", observations=Observations(X, y)))
    found = evaluation.evaluate(estimator, streamed(y))
    assert found == {name: pytest.approx(value, abs=1e-6) for name, value in whole.items()}


def test_of_a_long_stream_no_more_is_kept_than_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MOST_STREAMED", 100)
    seen = []
    rows = streamed()

    class Counted(Naive):
        def after_predict_proba(self, result: np.ndarray) -> None:
            seen.append(len(result))

    evaluation.evaluate(Counted().fit(X, Y), rows)
    assert seen == [64, 64]


def test_weights_count_in_the_scores() -> None:
    estimator, weight = Naive().fit(X, Y), np.where(Y == 0, 0.0, 1.0)
    rows = Rows(part="test", observations=Observations(X, Y), weight=weight)
    found = evaluation.evaluate(estimator, rows)
    assert found["accuracy"] == 0.0
    assert np.isnan(found["auc"]), "the rows that count are all of one class"


def test_no_rows_have_no_score() -> None:
    with pytest.raises(DataFault, match="no rows to be scored"):
        evaluation.evaluate(Naive().fit(X, Y), Rows(part="test", observations=Observations(X[:0], Y[:0])))
