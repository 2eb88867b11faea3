"""A booster while it learns: a round at a time, measured, saved, gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlpipeline import errors
from mlpipeline.learning.estimators import xgboost_parameters
from mlpipeline.learning.estimators.boosting import Values

if TYPE_CHECKING:
    from mlpipeline.learning.estimators.xgboost import XGBoost

_NOW, _BEST = "model.ubj", "best.ubj"


class XGBoostEngine:
    """A booster and what it learns from.

    Args:
        estimator: whose parameters these are.
        parameters: what a Booster takes.
        train: a DMatrix.
        validation: a DMatrix, or None.
    """

    def __init__(self, estimator: XGBoost, parameters: dict[str, Any], train: Any, validation: Any) -> None:
        import xgboost

        self._xgboost, self._estimator, self._parameters = xgboost, estimator, parameters
        self._train = train
        self._parts = [(train, "train")] + ([] if validation is None else [(validation, "validation")])
        self._booster = xgboost.Booster(parameters, [matrix for matrix, _ in self._parts])
        # Later rounds change the earlier ones of these, so the best is not found again in the last.
        self._is_whole = estimator.booster in ("dart", "gblinear") and validation is not None
        self._best: bytes | None = None
        self._draws = xgboost_parameters.draws(estimator)

    def update(self, number: int) -> None:
        """Learns one round more."""
        if self._draws:
            self._forget_draws()
        self._booster.update(self._train, number)

    def _forget_draws(self) -> None:
        """Has the next round draw by its own seed alone, so that a fit can be gone on with.

        The state of what draws features is not saved with a model. It is dropped when the method changes.
        """
        method = self._estimator.tree_method
        self._booster.set_param({"tree_method": "approx" if method != "approx" else "hist"})
        self._booster.num_boosted_rounds()  # takes over the parameter
        self._booster.set_param({"tree_method": method})

    def evaluate(self, number: int) -> Values:
        """Returns the metrics after a round."""
        found: dict[str, dict[str, float]] = {}
        for told in self._booster.eval_set(self._parts, number).split("\t")[1:]:
            name, _, value = told.rpartition(":")
            part, _, metric = name.partition("-")
            found.setdefault(part, {})[xgboost_parameters.metric_name(metric)] = float(value)
        return found

    def keep(self) -> None:
        """Takes note that the model as it is now is the best so far."""
        if self._is_whole:
            self._best = bytes(self._booster.save_raw("ubj"))

    def best(self, number: int) -> Any:
        """Returns a booster with the rounds up to the best one."""
        booster = self._booster
        if self._best is not None:
            booster = self._xgboost.Booster(self._parameters)
            booster.load_model(bytearray(self._best))
        elif 0 <= number < booster.num_boosted_rounds() - 1:
            booster = booster[: number + 1]
        booster.set_attr(mlpipeline_booster=self._estimator.booster)
        # What is kept for training would be held, and saved, with it.
        return booster.reset()

    def save(self, directory: Path) -> None:
        """Writes the booster, and the best one where it is another."""
        self._booster.save_model(directory / _NOW)
        if self._best is not None:
            (directory / _BEST).write_bytes(self._best)

    def restore(self, directory: Path, done: int) -> None:
        """Goes on from what `save` wrote after so many rounds."""
        parameters = dict(self._parameters)
        booster = self._xgboost.Booster(parameters, [matrix for matrix, _ in self._parts], directory / _NOW)
        if booster.num_features() != self._train.num_col():
            raise errors.DataFault(
                f"{directory}: this checkpoint is of a fit with {booster.num_features()} features, and there are "
                f"{self._train.num_col()} now: fit into another model_dir, or have it cleared"
            )
        metrics = [("eval_metric", name) for name in parameters.pop("eval_metric")]
        booster.set_param([*parameters.items(), *metrics])  # a loaded model has forgotten some
        self._booster = booster
        if (directory / _BEST).exists():
            self._best = (directory / _BEST).read_bytes()
