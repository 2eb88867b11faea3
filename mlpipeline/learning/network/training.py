"""Trains a network, epoch by epoch: records, stops early, makes checkpoints, and goes on from them."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from mlpipeline import errors
from mlpipeline.context import RunContext
from mlpipeline.learning.network.batches import Source, dataset
from mlpipeline.learning.network.feed import Feed
from mlpipeline.learning.network.runtime import libraries, writing
from mlpipeline.learning.network.state import Progress, recorded

CHECKPOINT_SECONDS = 5.0
"""A checkpoint costs tens of milliseconds: where epochs are shorter than this, not each of them makes one."""
_STEPS = 16
"""Batches that are trained in one go; TensorFlow is asked once for all of them."""
_VALIDATED = 256
"""Rows, at least, that are validated by at once."""


class Fit:
    """One fit of a network.

    Args:
        network: built, not compiled.
        feed: takes packed features apart.
        train: what to learn from.
        validation: what epochs are compared by; None where there is nothing.
        progress: how far it has come.
        run: where metrics and checkpoints go, and the wish to end comes from.
        seed: with the epoch's number it determines the order of rows, and what layers draw.
        batch_size: rows of a step of the optimizer.
        shuffle: whether rows come in another order each time.
    """

    def __init__(
        self,
        network: Any,
        feed: Feed,
        train: Source,
        validation: Source | None,
        progress: Progress,
        run: RunContext,
        *,
        seed: int,
        batch_size: int,
        shuffle: bool,
    ) -> None:
        self.network, self.progress, self.run, self.seed = network, progress, run, seed
        self._epoch = 0
        self._steps: Iterator[int] = iter(())
        self._faults: list[Exception] = []
        self.train = dataset(train, feed, batch_size, self._random if shuffle else _as_it_is, self._faults)
        self.validation = None
        if validation is not None:
            self.validation = dataset(validation, feed, max(batch_size, _VALIDATED), _as_it_is, self._faults)
        self.steps = max(1, min(_STEPS, -(-train.rows // batch_size)))
        self._drawing = _drawing_states(network)

    def resume(self) -> None:
        """Goes on from the run's last checkpoint; begins where there is none."""
        self.network.optimizer.build(self.network.trainable_variables)
        self.run.restore(lambda path: self.progress.load(path, self.network))

    def walk(self, epochs: int, callbacks: list[Any]) -> None:
        """Trains, and leaves the network with the weights of the best epoch, however it ends.

        Args:
            epochs: how many there are in all, those of an interrupted training among them.
            callbacks: of Keras, called before the epoch is recorded.

        Raises:
            NotFinite: a metric is NaN or infinite.
        """
        done, progress = self.progress.epochs, self.progress
        self._steps = self.run.steps(range(done, epochs), initial=done)
        try:
            if not progress.is_over and next(self._steps, None) is not None:
                self._fit(done, epochs, callbacks)
                self.run.checkpoint(self._save)
        finally:
            getattr(self._steps, "close", lambda: None)()
            if progress.weights is not None:
                self.network.set_weights(progress.weights)

    def _fit(self, done: int, epochs: int, callbacks: list[Any]) -> None:
        keras = libraries().keras
        own = keras.callbacks.LambdaCallback(on_epoch_begin=self._begin, on_epoch_end=self._end)
        options = {"verbose": 0, "shuffle": False, "initial_epoch": done, "epochs": epochs}
        try:
            with writing():  # callbacks may write weights
                self.network.fit(self.train, validation_data=self.validation, callbacks=[*callbacks, own], **options)
        except libraries().tf.errors.OpError as error:
            if self._faults:
                raise self._faults[0] from error
            raise

    def _begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        for place, state in enumerate(self._drawing):
            numbers = np.random.default_rng([self.seed, epoch, place]).integers(0, 2**31, state.shape)
            state.assign(numbers.astype(state.dtype))

    def _end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        values = {recorded(name): float(value) for name, value in (logs or {}).items()}
        self.run.record(values)
        for name, value in values.items():
            if not math.isfinite(value):
                self.run.flush()
                raise errors.NotFinite(
                    f"{name} is {value} after epoch {epoch + 1}: a smaller learning_rate may help, and features that "
                    f"are small numbers, as Norm gives them"
                )
        self.progress.take(values, self.network.get_weights)
        self.progress.is_over |= bool(self.network.stop_training)
        self.run.checkpoint(self._save, every_seconds=CHECKPOINT_SECONDS)
        if self.progress.is_over or next(self._steps, None) is None:
            self.network.stop_training = True

    def _save(self, path: Any) -> None:
        self.progress.save(path, self.network)

    def _random(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, self._epoch])


def _as_it_is() -> None:
    """Stands for the generator where nothing is shuffled."""


def tensorboard(run: RunContext) -> list[Any]:
    """Returns the callback that writes learning curves into the run's directory; none where there is no directory."""
    if run.directory is None:
        return []
    if importlib.util.find_spec("tensorboard") is None:
        run.log.info("no curves for TensorBoard: it is not installed (pip install 'mlpipeline[tensorflow-cpu]')")
        return []
    place = run.directory / "tensorboard"
    return [libraries().keras.callbacks.TensorBoard(str(place), write_graph=False, profile_batch=0)]


def _drawing_states(network: Any) -> list[Any]:
    """Returns the states of layers that draw, as dropout does: Keras keeps them beside the weights, and saves none."""
    kept = {id(each) for each in network.weights}
    return [each for each in network.variables if id(each) not in kept and "seed_generator" in each.path]
