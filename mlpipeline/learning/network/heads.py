"""The end of a network, and what it is trained by: activation, loss, metrics, optimizer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mlpipeline import errors
from mlpipeline.config_text import near_miss
from mlpipeline.learning import scores
from mlpipeline.learning.network.runtime import libraries
from mlpipeline.learning.target import Kind, Target

LOSSES = {
    Kind.REGRESSION: "mean_squared_error",
    Kind.BINARY: "binary_crossentropy",
    Kind.MULTICLASS: "sparse_categorical_crossentropy",
}
METRICS = {Kind.REGRESSION: ("rmse", "mae"), Kind.BINARY: ("accuracy", "auc"), Kind.MULTICLASS: ("accuracy",)}
"""What is recorded of each epoch beside the loss, by the names that scores have."""


def units(target: Target) -> int:
    """Returns how many numbers a network gives for each row."""
    if target.is_regression:
        return target.columns
    return 1 if target.kind is Kind.BINARY else len(target.classes)


def activation(target: Target) -> str:
    """Returns the function of the last layer."""
    return {Kind.REGRESSION: "linear", Kind.BINARY: "sigmoid", Kind.MULTICLASS: "softmax"}[target.kind]


def recorded_of(target: Target, *, with_validation: bool) -> list[str]:
    """Returns the names of all that is recorded of an epoch."""
    parts = ("train", "validation") if with_validation else ("train",)
    return [f"{part}_{name}" for part in parts for name in ("loss", *METRICS[target.kind])]


def greater_is_better(metric: str) -> bool:
    """Returns the direction of a metric of METRICS, or of the loss."""
    return metric in scores.SCORES and scores.SCORES[metric].greater_is_better


class Head:
    """What a network for a target is trained by.

    Args:
        target: what is predicted.
        loss: the name of one of Keras's losses, or its configuration; by default that of the kind of target.
        towers: how many predictions, side by side, a network gives. Each is trained by its own loss, and all of them
            weigh the same; metrics are those of their mean.
    """

    def __init__(self, target: Target, loss: Any = None, towers: int = 1) -> None:
        self.target, self.towers = target, towers
        self._loss = LOSSES[target.kind] if loss is None else loss
        name = self._loss if isinstance(self._loss, str) else str(dict(self._loss).get("class_name"))
        self._is_one_hot = target.kind is Kind.MULTICLASS and not name.lower().startswith("sparse")

    def learnable(self, codes: np.ndarray) -> np.ndarray:
        """Returns the target as the loss takes it: float32 of shape (rows, units); codes where it takes codes."""
        if self.target.kind is not Kind.MULTICLASS:
            shaped: np.ndarray = codes.reshape(len(codes), -1).astype(np.float32)
            return shaped
        if not self._is_one_hot:
            return codes.astype(np.int32)
        hot: np.ndarray = np.eye(len(self.target.classes), dtype=np.float32)[codes]
        return hot

    def compile(self, network: Any, optimizer: Any, *, steps: int) -> None:
        """Prepares a network for training.

        Args:
            network: gives the predictions of all towers side by side.
            optimizer: of Keras.
            steps: how many batches are trained in one go.
        """
        network.compile(
            optimizer=optimizer,
            loss=self._mean_loss(),
            # As weighted metrics they heed the weights of rows; without weights they are the plain ones.
            weighted_metrics=[self._metric(name) for name in METRICS[self.target.kind]],
            # Compiling a network for a processor takes longer than it saves.
            jit_compile="auto" if libraries().tf.config.list_physical_devices("GPU") else False,
            steps_per_execution=steps,
        )

    def _mean_loss(self) -> Any:
        keras = libraries().keras
        one = resolved("loss", self._loss, keras.losses.get, keras.losses)
        if self.towers == 1:
            return one
        of_each = one.call if isinstance(one, keras.losses.Loss) else one

        def mean_loss(truth: Any, predicted: Any) -> Any:
            parts = keras.ops.split(predicted, self.towers, axis=-1)
            return keras.ops.mean(keras.ops.stack([of_each(truth, part) for part in parts]), axis=0)

        return mean_loss

    def _metric(self, name: str) -> Any:
        metrics = libraries().keras.metrics
        binary = self.target.kind is Kind.BINARY
        categorical = metrics.CategoricalAccuracy if self._is_one_hot else metrics.SparseCategoricalAccuracy
        kinds = {
            "rmse": metrics.RootMeanSquaredError,
            "mae": metrics.MeanAbsoluteError,
            "auc": metrics.AUC,
            "accuracy": metrics.BinaryAccuracy if binary else categorical,
        }
        return (kinds[name] if self.towers == 1 else _of_mean(kinds[name], self.towers))(name=name)


def optimizer_of(given: Any, learning_rate: float | None) -> Any:
    """Returns a fresh optimizer.

    Args:
        given: the name of one of Keras's optimizers, its configuration, or an optimizer, of which a fresh one is made.
        learning_rate: overrides that of the optimizer, unless it is None.
    """
    optimizers = libraries().keras.optimizers
    found = resolved("optimizer", given, optimizers.get, optimizers)
    config = found.get_config()
    if learning_rate is not None:
        config["learning_rate"] = learning_rate
    return type(found).from_config(config)


def resolved(name: str, value: Any, get: Callable[[Any], Any], among: Any) -> Any:
    """Returns what Keras makes of a name or a configuration.

    Args:
        name: the parameter's.
        value: a name, a configuration, or the thing itself.
        get: makes the thing.
        among: the module of Keras that has them all.

    Raises:
        UnknownOption: there is no such thing.
        ParameterError: its configuration is none.
    """
    try:
        # Keras pops what it has read from a configuration.
        return get(dict(value) if isinstance(value, Mapping) else value)
    except (TypeError, ValueError) as error:
        said = str(error).strip().partition("\n")[0]
        if not isinstance(value, str):
            raise errors.ParameterError(f"{name} is {value!r}, which Keras refuses: {said}") from error
        known = sorted({each for each in dir(among) if not each.startswith("_") and each not in ("get", "serialize")})
        raise errors.UnknownOption(
            f"{name} is {value!r}: Keras knows none of that name.{near_miss(value, known)} See keras.{name}s"
        ) from error


@functools.cache
def _of_mean(kind: type, towers: int) -> type:
    """Returns a metric like another, of the mean of predictions that stand side by side."""
    ops = libraries().keras.ops

    class OfMean(kind):  # type: ignore[misc]
        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            mean = ops.mean(ops.stack(ops.split(y_pred, towers, axis=-1)), axis=0)
            return super().update_state(y_true, mean, sample_weight=sample_weight)

    return OfMean
