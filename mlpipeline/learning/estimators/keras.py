"""Networks in Keras, built from the encoders of the dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.learning.estimator import Estimator, Training
from mlpipeline.learning.network import batches, checks, drawing, files, heads, layers, runtime
from mlpipeline.learning.network.building import Buildable
from mlpipeline.learning.network.features import Feature, features_of
from mlpipeline.learning.network.feed import Feed
from mlpipeline.learning.network.state import Progress, monitored
from mlpipeline.learning.network.training import Fit, tensorboard
from mlpipeline.learning.target import Kind, Target

_PREDICT_ROWS = 8192
_WHOLE = {
    "embed_size": 1,
    "sequence_embed_size": 1,
    "hidden_width": 1,
    "hidden_layers": 0,
    "towers": 1,
    "batch_size": 1,
    "epochs": 1,
    "patience": 0,
    "seed": 0,
}
"""The least that each parameter that counts something may be."""
_OPTIONAL = ("sequence_embed_size", "patience", "seed")


class Keras(Buildable, Estimator):
    """A network: each encoder's codes are embedded, what comes of them goes through hidden layers to the prediction.

    Codes go through an embedding, numbers through a layer of their own (those of Pass and OneHot straight on),
    sequences position by position through one of these, and then through a recurrent layer that skips what fills up
    short rows. A column and its twin share all layers. Without encoders all columns go straight on. Training stops when
    epochs get no better, and the weights of the best one are kept. A subclass may override the methods `build…` and
    `callbacks`.

    Args:
        embed_size: width of the embedding of a feature, times the encoder's `embed_scale`.
        sequence_embedding: "flatten", "lstm", "gru", or "simple_rnn".
        sequence_embed_size: width of the recurrent layer of a sequence; by default `embed_size`.
        hidden_width: of the first hidden layer.
        hidden_layers: how many there are.
        layer_shrink: below 1 each hidden layer is so many times as wide as the one before; from 1 up, narrower by so
            much; None or 0: all have one width.
        hidden_activation: of hidden layers.
        output_activation: of a prediction that is a number, "softplus" say; by default none.
        kernel_initializer: of hidden layers.
        hidden_kernel_regularizer: as Keras names or configures it: "l2", {"class_name": "L2", "config": {"l2": 1e-4}}.
        hidden_bias_regularizer: likewise.
        hidden_activity_regularizer: likewise.
        dropout: share of each hidden layer's outputs that a training step leaves out.
        batch_norm: whether hidden layers are normalized.
        towers: how many networks of one kind are trained side by side; the prediction is their mean.
        optimizer: one of Keras's, as it names or configures it.
        learning_rate: overrides that of the optimizer, which for most is 0.001.
        loss: one of Keras's; by default squared errors for numbers, cross-entropy for classes.
        batch_size: rows of a step of the optimizer.
        epochs: at most so many.
        patience: so many epochs without a better one end the training; None: only `epochs` does.
        min_delta: what is better by no more than this does not count for `patience`.
        monitor: the recorded metric that tells which epoch is better; by default `validation_loss`, or `train_loss`
            where there are no rows to validate by.
        shuffle: whether each epoch has an order of rows of its own.
        seed: of weights, order, and dropout; by default that of the run.
        tensorboard: whether learning curves are written into the run's directory, where TensorBoard is installed.
        device: "cpu" or "gpu"; by default what TensorFlow chooses.
        kind: what is predicted, "regression", "binary" or "multiclass"; told by the target by default.

    Attributes:
        network_: the keras.Model that predicts.
        features_: what it reads.
        history_: the values of each recorded metric, one for each epoch.
        best_epoch_: the epoch whose weights it has, counted from 1.
    """

    accepts_batches = True
    is_resumable = True
    custom_objects: ClassVar[Mapping[str, type]] = {}
    """A subclass's own layers by class name: a saved network that has others is not loaded."""

    optimizer: Any
    learning_rate: float | None
    loss: Any
    batch_size: int
    epochs: int
    patience: int | None
    min_delta: float
    monitor: str | None
    shuffle: bool
    seed: int | None
    tensorboard: bool
    device: str | None
    network_: Any
    features_: tuple[Feature, ...]

    def __init__(
        self,
        *,
        embed_size: int = 10,
        sequence_embedding: str = "flatten",
        sequence_embed_size: int | None = None,
        hidden_width: int = 1024,
        hidden_layers: int = 4,
        layer_shrink: float | None = 0.5,
        hidden_activation: Any = "relu",
        output_activation: Any = None,
        kernel_initializer: Any = "glorot_uniform",
        hidden_kernel_regularizer: Any = None,
        hidden_bias_regularizer: Any = None,
        hidden_activity_regularizer: Any = None,
        dropout: float = 0.0,
        batch_norm: bool = False,
        towers: int = 1,
        optimizer: Any = "adam",
        learning_rate: float | None = None,
        loss: Any = None,
        batch_size: int = 32,
        epochs: int = 100,
        patience: int | None = 10,
        min_delta: float = 0.0,
        monitor: str | None = None,
        shuffle: bool = True,
        seed: int | None = None,
        tensorboard: bool = True,
        device: str | None = None,
        kind: str | None = None,
    ) -> None:
        self._store(locals())

    @property
    def rounds(self) -> int:
        """The number of epochs."""
        return self.epochs

    def callbacks(self) -> list[Any]:
        """Returns more callbacks of Keras; what they keep is not part of checkpoints."""
        return []

    @property
    def description(self) -> str:
        """The layers of the network, and how many weights each has, as a table."""
        self._fitted()
        return drawing.table(self.network_)

    def plot(self, path: str | Path) -> Path:
        """Draws the network into a file, whose ending tells the format: png, svg, pdf.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        self._fitted()
        return drawing.draw(self.network_, Path(path))

    def _fit(self, training: Training) -> None:
        self._check_target(training.target)
        columns = [str(each) for each in self.feature_names_in_]
        features = features_of(training.encoding, columns, masked=self.sequence_embedding != layers.FLATTEN)
        with runtime.placed(self.device):
            built, fit = self._prepared(training, Feed(features, columns))
            fit.resume()
            try:
                fit.walk(self.epochs, [*self.callbacks(), *(tensorboard(training.run) if self.tensorboard else ())])
            except BaseException:  # after Ctrl-C too, what was learnt so far can be used
                if fit.progress.best_epoch:
                    self._take(fit.progress, built, features)
                raise
            self._take(fit.progress, built, features)

    def _take(self, progress: Progress, built: Any, features: Sequence[Feature]) -> None:
        self.history_, self.best_epoch_ = progress.history, progress.best_epoch
        self._use(layers.mean_of(built), features)

    def _prepared(self, training: Training, feed: Feed) -> tuple[Any, Fit]:
        """Returns the network as it was built, and its training."""
        target, seed = training.target, training.run.seed if self.seed is None else self.seed
        with runtime.seeded(seed):
            built = layers.usable(self.build(feed.features, target))
        head = heads.Head(target, self.loss, len(built.outputs))
        train = batches.source(training.train, feed, head.learnable, training.sample_weight, is_whole=True)
        held_out = None
        if training.validation is not None:
            whole = target.is_regression
            held_out = batches.source(training.validation, feed, head.learnable, is_whole=whole)
            held_out = held_out if held_out.rows else None
        monitor = monitored(self.monitor, heads.recorded_of(target, with_validation=held_out is not None))
        progress = Progress(monitor, patience=self.patience, min_delta=self.min_delta)
        network = layers.trainable_of(built)
        options: dict[str, Any] = {"batch_size": self.batch_size, "shuffle": self.shuffle}
        fit = Fit(network, feed, train, held_out, progress, training.run, seed=seed, **options)
        head.compile(network, heads.optimizer_of(self.optimizer, self.learning_rate), steps=fit.steps)
        return built, fit

    def _use(self, network: Any, features: Sequence[Feature]) -> None:
        self.network_, self.features_ = network, tuple(features)
        self._feed = Feed(features, [str(each) for each in self.feature_names_in_])
        self._predictor = layers.function_of(network, self._feed)

    def _outputs(self, x: pd.DataFrame) -> np.ndarray:
        if "network_" not in vars(self):
            raise errors.NotFitted(f"{self!r} was interrupted in its first epoch: call fit again")
        parts = (
            [x] if len(x) <= _PREDICT_ROWS else [x[at : at + _PREDICT_ROWS] for at in range(0, len(x), _PREDICT_ROWS)]
        )
        with runtime.placed(self.device):
            found = [self._predictor(*self._feed.packed(part)) for part in parts]
        return np.concatenate(found).astype(np.float64)

    def _predict(self, x: pd.DataFrame) -> np.ndarray:
        if not self.target_.is_regression:
            return super()._predict(x)
        found = self._outputs(x)
        return found[:, 0] if found.shape[1] == 1 else found

    def _predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        found = self._outputs(x)
        if self.target_.kind is Kind.BINARY:
            return np.hstack([1 - found, found])
        # In float32 they add up to 1 but for the last digits.
        proba: np.ndarray = found / found.sum(axis=1, keepdims=True)
        return proba

    def _save(self, directory: Path) -> dict[str, Any]:
        files.save(self.network_, directory / files.FILE, self.custom_objects)
        return {
            "features": [each.state() for each in self.features_],
            "history": self.history_,
            "best_epoch": self.best_epoch_,
        }

    def _load(self, directory: Path, learnt: dict[str, Any]) -> None:
        self.history_, self.best_epoch_ = learnt["history"], learnt["best_epoch"]
        with runtime.placed(self.device):
            network = files.load(directory / files.FILE, self.custom_objects)
            self._use(network, [Feature.from_state(each) for each in learnt["features"]])

    def _check(self) -> None:
        for name, least in _WHOLE.items():
            if name not in _OPTIONAL or getattr(self, name) is not None:
                checks.whole(name, getattr(self, name), least)
        checks.number("dropout", self.dropout, 0, 1)
        checks.number("min_delta", self.min_delta, 0)
        checks.number("layer_shrink", self.layer_shrink or 0, 0)
        if self.learning_rate is not None:
            checks.number("learning_rate", self.learning_rate, 0, is_open=True)
        checks.choice("sequence_embedding", self.sequence_embedding, layers.SEQUENCE_EMBEDDINGS)
        if self.device is not None:
            checks.choice("device", self.device, runtime.DEVICES)

    def _check_target(self, target: Target) -> None:
        if self.output_activation is not None and not target.is_regression:
            raise errors.ParameterError("output_activation is for numbers: classes need probabilities, so leave it out")
