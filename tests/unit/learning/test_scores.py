"""Every score is what its formula says, has a direction, and changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlpipeline.errors import UnknownOption
from mlpipeline.learning import scores
from mlpipeline.learning.target import Kind, Target

CATALOGUE = (
    *("accuracy", "f1", "rocauc", "prauc", "precision", "recall", "mse", "rmse", "mae", "mape", "mdae", "smape"),
    *("r2", "msle", "rmsle"),
)
TRUTH, SAID = np.array([1.0, 2.0, 4.0, 8.0]), np.array([1.0, 3.0, 2.0, 8.0])
BY_HAND = {
    "mse": 5 / 4,
    "rmse": np.sqrt(5 / 4),
    "mae": 3 / 4,
    "mape": (1 / 2 + 2 / 4) / 4,
    "mdae": 0.5,
    "smape": (2 / 5 + 4 / 6) / 4,
    "r2": 1 - 5 / np.square(TRUTH - TRUTH.mean()).sum(),
    "msle": (np.log(4 / 3) ** 2 + np.log(5 / 3) ** 2) / 4,
    "rmsle": np.sqrt((np.log(4 / 3) ** 2 + np.log(5 / 3) ** 2) / 4),
}
NUMBER = Target(kind=Kind.REGRESSION)
GREATER = {"accuracy", "f1", "rocauc", "prauc", "precision", "recall", "r2"}


def classes(count: int) -> Target:
    return Target(kind=Kind.BINARY if count == 2 else Kind.MULTICLASS, classes=np.arange(count))


@pytest.mark.parametrize("name", BY_HAND)
def test_scores_of_numbers_are_what_one_computes_by_hand(name: str) -> None:
    assert scores.evaluate(NUMBER, TRUTH, SAID, None, None, [name]) == {name: pytest.approx(BY_HAND[name])}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_row_of_weight_two_counts_twice(name: str) -> None:
    weight, rows = np.array([1.0, 1.0, 1.0, 2.0]), [0, 1, 2, 3, 3]
    found = scores.evaluate(NUMBER, TRUTH, SAID, None, weight, [name])
    assert found[name] == pytest.approx(scores.evaluate(NUMBER, TRUTH[rows], SAID[rows], None, None, [name])[name])


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_metric_of_the_catalogue_is_known_and_has_a_direction(name: str) -> None:
    assert scores.named(name).greater_is_better == (name in GREATER)
    assert name in scores.names()


def test_scores_of_classes_are_means_over_the_classes() -> None:
    truth, said = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    found = scores.evaluate(classes(2), truth, said, None, None, ["precision", "recall", "f1", "accuracy"])
    assert found == pytest.approx({"precision": 0.75, "recall": 5 / 6, "f1": (0.8 + 2 / 3) / 2, "accuracy": 0.75})


def test_areas_under_curves_are_of_two_classes_and_of_many() -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    chance = np.random.default_rng(0)
    for count in (2, 4):
        truth, proba = chance.integers(0, count, 200), chance.dirichlet(np.ones(count), 200)
        found = scores.evaluate(classes(count), truth, proba.argmax(axis=1), proba, None, ["rocauc", "prauc"])
        given_ = proba[:, 1] if count == 2 else proba
        assert found["rocauc"] == pytest.approx(roc_auc_score(truth, given_, multi_class="ovr"))
        assert found["prauc"] == pytest.approx(average_precision_score(truth, given_))


def test_a_class_without_rows_takes_no_part_and_one_class_alone_has_no_curve() -> None:
    proba = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.6, 0.3, 0.1]])
    found = scores.evaluate(classes(3), np.array([0, 1, 0]), proba.argmax(axis=1), proba, None, ["rocauc"])
    assert found == {"rocauc": 1.0}
    alone = scores.evaluate(classes(3), np.array([1, 1, 1]), proba.argmax(axis=1), proba, None, ["rocauc", "prauc"])
    assert all(np.isnan(value) for value in alone.values())


def test_logarithms_of_what_has_none_are_undefined() -> None:
    found = scores.evaluate(NUMBER, np.array([-2.0, 1.0]), np.array([0.0, 1.0]), None, None, ["msle", "rmsle"])
    assert all(np.isnan(value) for value in found.values())
    assert scores.evaluate(NUMBER, np.zeros(2), np.zeros(2), None, None, ["smape"]) == {"smape": 0.0}


def test_models_are_selected_by_what_they_were() -> None:
    assert [scores.of_kind(kind)[0].name for kind in Kind] == ["rmse", "auc", "log_loss"]


def test_a_score_that_there_is_not_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownOption, match="Did you mean 'rocauc'"):
        scores.named("rocaux")
    with pytest.raises(UnknownOption, match="there is no score 'accuracy' for regression"):
        scores.evaluate(NUMBER, TRUTH, SAID, None, None, ["accuracy"])


@given(arrays(float, 12, elements=st.floats(0, 1e6)), arrays(float, 12, elements=st.floats(0, 1e6)))
def test_computing_is_pure(truth: np.ndarray, said: np.ndarray) -> None:
    before = truth.copy(), said.copy()
    first = scores.evaluate(NUMBER, truth, said, None, None, list(BY_HAND))
    assert scores.evaluate(NUMBER, truth, said, None, None, list(BY_HAND)) == pytest.approx(first, nan_ok=True)
    np.testing.assert_array_equal((truth, said), before)
