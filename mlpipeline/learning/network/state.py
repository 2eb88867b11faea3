"""How far a training has come: its epochs, the best one, and whether it is to go on; written and read again."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlpipeline import errors
from mlpipeline.config_text import near_miss
from mlpipeline.learning.network.heads import greater_is_better
from mlpipeline.learning.network.runtime import writing

_FACTS = "state.json"
_LAST, _BEST = "last.weights.h5", "best.weights.h5"


class Progress:
    """What is known after each epoch.

    Args:
        monitor: the metric that epochs are compared by.
        patience: how many epochs without a better one end the training; None: no number does.
        min_delta: by how much a value must be better to count as such for the patience.

    Attributes:
        epochs: how many are done.
        history: the values of each metric, one for each epoch.
        best_epoch: counted from 1; 0 where there is none.
        weights: those of the best epoch.
        is_over: whether the training has ended by itself.
    """

    def __init__(self, monitor: str, *, patience: int | None, min_delta: float = 0.0) -> None:
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self.epochs = self.best_epoch = self.waited = 0
        self.history: dict[str, list[float]] = {}
        self.best: float | None = None
        self.weights: list[np.ndarray] | None = None
        self.is_over = False
        self._mark: float | None = None

    def take(self, values: Mapping[str, float], weights: Any) -> None:
        """Adds an epoch.

        Args:
            values: its metrics by name.
            weights: called for the weights where the epoch is the best one so far.
        """
        self.epochs += 1
        for name, value in values.items():
            self.history.setdefault(name, []).append(float(value))
        value = float(values[self.monitor])
        if self._is_better(value, self.best):
            self.best, self.best_epoch, self.weights = value, self.epochs, weights()
        if self._is_better(value, self._mark, self.min_delta):
            self._mark, self.waited = value, 0
        else:
            self.waited += 1
        self.is_over = self.patience is not None and self.waited > 0 and self.waited >= self.patience

    def _is_better(self, value: float, than: float | None, by: float = 0.0) -> bool:
        if than is None:
            return True
        gain = value - than if greater_is_better(self.monitor.partition("_")[2]) else than - value
        return gain > by

    def save(self, directory: Path, network: Any) -> None:
        """Writes a checkpoint: what is known, and the weights, those of the optimizer among them."""
        directory.mkdir()
        facts = {name: value for name, value in vars(self).items() if name != "weights"}
        (directory / _FACTS).write_text(json.dumps(facts), "utf-8")
        with writing():
            self._save_weights(directory, network)

    def _save_weights(self, directory: Path, network: Any) -> None:
        network.save_weights(directory / _LAST)
        if self.weights is None or self.best_epoch == self.epochs:
            return
        last = network.get_weights()
        network.set_weights(self.weights)
        try:
            network.save_weights(directory / _BEST)
        finally:
            network.set_weights(last)

    def load(self, directory: Path, network: Any) -> None:
        """Takes over what `save` wrote, but for what the estimator says anew; the network goes on from there.

        Raises:
            ModelFault: the checkpoint is of another network, or damaged.
        """
        own = {name: getattr(self, name) for name in ("monitor", "patience", "min_delta")}
        try:
            facts = json.loads((directory / _FACTS).read_text("utf-8"))
            with warnings.catch_warnings():
                # What Keras cannot find in a file it may leave as it was, and only warn.
                warnings.simplefilter("error", UserWarning)
                self._load_weights(directory, network)
        except (OSError, ValueError, KeyError, UserWarning) as error:
            raise errors.ModelFault(
                f"{directory}: the checkpoint is not of this network ({_first_line(error)}): "
                f"clear the model's directory to begin anew"
            ) from error
        vars(self).update(facts | own)
        if self.weights is None and self.best_epoch:
            self.weights = network.get_weights()

    def _load_weights(self, directory: Path, network: Any) -> None:
        if (directory / _BEST).exists():
            network.load_weights(directory / _BEST)
            self.weights = network.get_weights()
        network.load_weights(directory / _LAST)


def monitored(asked: str | None, known: list[str]) -> str:
    """Returns the name of the metric that epochs are compared by.

    Args:
        asked: as metrics are recorded, or as Keras calls them, `val_loss`; by default the validation's loss, or the
            training's where nothing is held out.
        known: what is recorded.

    Raises:
        UnknownOption: it is not recorded.
    """
    if asked is None:
        return "validation_loss" if "validation_loss" in known else "train_loss"
    name = recorded(asked) if asked not in known else asked
    if name not in known:
        without = " There are no rows to validate by." if name.startswith("validation_") else ""
        near = near_miss(name, known)
        raise errors.UnknownOption(
            f"monitor is {asked!r}, which is not recorded.{without or near} Known: {', '.join(known)}"
        )
    return name


def recorded(name: str) -> str:
    """Returns what a metric is recorded as that Keras calls `loss` or `val_loss`."""
    return f"validation_{name[4:]}" if name.startswith("val_") else f"train_{name}"


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:200]
