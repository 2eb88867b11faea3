"""Beside a loop of plain Keras over the same network."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from mlpipeline.learning.estimators import Keras

pytestmark = pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="tensorflow is not installed")


def table(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns standardised features, and a target, of a table that comes with scikit-learn."""
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]
    if name == "diabetes":
        y = y / y.std()
    return ((x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)).astype(np.float32), y


def by_hand(name: str, x: np.ndarray, y: np.ndarray, test: np.ndarray, epochs: int) -> np.ndarray:
    """Returns what a network of plain Keras predicts."""
    from mlpipeline.learning.network.runtime import libraries

    keras = libraries().keras
    keras.utils.set_random_seed(0)
    classes = len(np.unique(y))
    last: Any = {"diabetes": (1, "linear"), "breast_cancer": (1, "sigmoid")}.get(name, (classes, "softmax"))
    loss = {"diabetes": "mse", "breast_cancer": "binary_crossentropy"}.get(name, "sparse_categorical_crossentropy")
    network = keras.Sequential(
        [
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(last[0], activation=last[1]),
        ]
    )
    network.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss, jit_compile=False, steps_per_execution=8)
    network.fit(x, y, epochs=epochs, batch_size=32, verbose=0)
    found = np.asarray(network(test))
    if name == "diabetes":
        return found[:, 0]
    return found[:, 0] > 0.5 if name == "breast_cancer" else found.argmax(axis=1)


@pytest.mark.parametrize(("name", "epochs"), [("iris", 40), ("digits", 15), ("breast_cancer", 15), ("diabetes", 60)])
def test_it_is_within_a_point_of_plain_keras(name: str, epochs: int) -> None:
    from sklearn.metrics import accuracy_score, r2_score

    x, y = table(name)
    cut = len(x) * 3 // 5
    keras = Keras(hidden_width=32, hidden_layers=2, learning_rate=0.01, epochs=epochs, patience=None)
    keras.fit(x[:cut], y[:cut])
    theirs = by_hand(name, x[:cut], y[:cut], x[cut:], epochs)
    score = r2_score if name == "diabetes" else accuracy_score
    # Of so few rows each is worth half a point or more, and seeds differ.
    slack = 0.1 if name == "diabetes" else 0.01 + 2 / (len(x) - cut)
    assert keras.score(x[cut:], y[cut:]) >= score(y[cut:], theirs) - slack
