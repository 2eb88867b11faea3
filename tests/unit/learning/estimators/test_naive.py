"""The yardstick predicts the mean, or the most frequent class."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlpipeline.learning.estimators import Naive
from mlpipeline.testing import EstimatorContract


class TestNaive(EstimatorContract):
    reads_features = False
    counts_weights = True

    @pytest.fixture
    def estimator(self) -> Naive:
        return Naive()


def test_the_most_frequent_class_and_how_frequent_it_is() -> None:
    x = pd.DataFrame({"x": [1, 2, 3] * 1000})
    naive = Naive().fit(x, np.array([0, 1, 1] * 1000))
    assert set(naive.predict(x).tolist()) == {1}
    np.testing.assert_allclose(naive.predict_proba(x)[:, 1], 0.667, atol=0.001)


def test_the_mean_for_every_row() -> None:
    x = pd.DataFrame({"x": [1, 2, 3]})
    assert Naive().fit(x, np.array([1.0, 2.0, 6.0])).predict(x).tolist() == [3.0, 3.0, 3.0]


def test_of_classes_as_frequent_the_first() -> None:
    x = pd.DataFrame({"x": [1, 2]})
    assert Naive().fit(x, np.array([1, 0])).predict(x).tolist() == [0, 0]
