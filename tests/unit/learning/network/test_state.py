"""Which epoch is the best one, and when a training has gone on for long enough."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mlpipeline import errors
from mlpipeline.learning.network.state import Progress, monitored, recorded

LOSSES = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]


def walked(
    curve: Sequence[float], monitor: str = "validation_loss", patience: int | None = 2, min_delta: float = 0.0
) -> Progress:
    """Returns what is known of epochs with these values, whose weights are their numbers."""
    progress = Progress(monitor, patience=patience, min_delta=min_delta)
    for number, value in enumerate(curve, 1):
        progress.take({monitor: value}, lambda number=number: [number])
        if progress.is_over:
            break
    return progress


@pytest.mark.parametrize(
    ("curve", "best", "epochs"),
    [
        ([5, 4, 3, 2, 1], 5, 5),
        ([5, 3, 4, 4, 1], 2, 4),
        ([5, 3, 4, 2, 3, 3], 4, 6),
        ([1, 0.0, 0.5, 0.5], 2, 4),
        ([0.0, 0.0, 0.0], 1, 3),
        ([-1, -2, -1, -1], 2, 4),
    ],
)
def test_the_best_epoch_of_a_planted_curve(curve: list[float], best: int, epochs: int) -> None:
    progress = walked(curve)
    assert (progress.best_epoch, progress.epochs, progress.weights) == (best, epochs, [best])
    assert progress.best == curve[best - 1]


def test_a_metric_that_grows_is_better() -> None:
    progress = walked([0.5, 0.9, 0.8, 0.8], monitor="validation_accuracy")
    assert (progress.best_epoch, progress.best, progress.is_over) == (2, 0.9, True)
    assert walked([0.2, 0.1, 0.3], monitor="validation_rmse").best_epoch == 2


def test_small_gains_are_kept_and_yet_end_the_training() -> None:
    progress = walked([1.0, 0.99, 0.98, 0.97], min_delta=0.1)
    assert (progress.best_epoch, progress.epochs, progress.is_over) == (3, 3, True)
    assert walked([1.0, 0.96, 0.92, 0.88, 0.84], min_delta=0.06).best_epoch == 5


def test_without_patience_only_the_number_of_epochs_ends_it() -> None:
    progress = walked([1, 2, 3, 4, 5, 6], patience=None)
    assert (progress.best_epoch, progress.epochs, progress.is_over) == (1, 6, False)
    assert walked([2, 1, 1], patience=0).epochs == 3


def test_the_history_has_each_epoch() -> None:
    assert walked([3, 1, 2]).history == {"validation_loss": [3.0, 1.0, 2.0]}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (None, "validation_loss"),
        ("val_loss", "validation_loss"),
        ("val_accuracy", "validation_accuracy"),
        ("loss", "train_loss"),
        ("train_accuracy", "train_accuracy"),
    ],
)
def test_what_is_monitored_may_be_named_as_keras_does(asked: str | None, found: str) -> None:
    assert monitored(asked, LOSSES) == found


def test_without_rows_to_validate_by_the_training_loss_is_monitored() -> None:
    assert monitored(None, LOSSES[:2]) == "train_loss"
    with pytest.raises(errors.UnknownOption, match="no rows to validate by"):
        monitored("val_loss", LOSSES[:2])


def test_a_metric_that_is_not_recorded_is_refused_with_the_nearest() -> None:
    with pytest.raises(errors.UnknownOption, match="validation_accuracy"):
        monitored("validation_acuracy", LOSSES)
    assert recorded("val_auc") == "validation_auc"
