"""Gradient-boosted trees by LightGBM, which grows each tree leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.encoding import Observations
from mlpipeline.learning import intake
from mlpipeline.learning.estimator import Training
from mlpipeline.learning.estimators import resources, tables
from mlpipeline.learning.estimators.boosting import Boosting, Values
from mlpipeline.learning.target import Kind, Target

_MODEL = "model.txt"
_OBJECTIVES = {Kind.REGRESSION: "regression", Kind.BINARY: "binary", Kind.MULTICLASS: "multiclass"}
_METRICS = {Kind.REGRESSION: "rmse", Kind.BINARY: "binary_logloss", Kind.MULTICLASS: "multi_logloss"}
_OURS = {"binary_logloss": "log_loss", "multi_logloss": "log_loss"}


class LightGBM(Boosting):
    """Gradient-boosted trees; regression, binary or multi-class, by the target.

    The parameters are those of LightGBM's scikit-learn interface, with its defaults. Features that are codes, by their
    encoders, are categories. An interrupted fit goes on from its checkpoint to nearly the same model: LightGBM begins
    anew with the sums of the trees so far. Sums are made in one order, whatever the threads, so that two fits give the
    same model.

    Args:
        n_estimators: rounds of boosting at most.
        patience: the fit ends when so many rounds have not improved the validation split, and its best round is kept;
            None learns all rounds.
        num_leaves: of a tree at most.
        max_depth: of a tree; -1 for no limit.
        learning_rate: shrinks what each tree adds.
        min_child_samples: rows of a leaf at least.
        min_child_weight: the least sum of second derivatives in a leaf.
        min_split_gain: what a split must gain.
        subsample: share of rows that trees are grown on, drawn anew every `subsample_freq` rounds.
        subsample_freq: see `subsample`; 0 for never.
        colsample_bytree: share of the features that a tree sees.
        reg_alpha: L1 penalty of leaves.
        reg_lambda: L2 penalty of leaves.
        max_bin: bins that values are put into.
        scale_pos_weight: multiplies the weight of the second of two classes.
        enable_categorical: whether codes are categories.
        device: "cpu", or "gpu" or "cuda" where LightGBM was built with it.
        n_jobs: threads; by default those that the run may use, OMP_NUM_THREADS, else all.
        random_state: seed of what is drawn.
        kind: what is predicted, "regression", "binary" or "multiclass"; told by the target by default.
    """

    n_jobs: int | None
    random_state: int
    device: str
    enable_categorical: bool

    def __init__(
        self,
        *,
        n_estimators: int = 100,
        patience: int | None = 10,
        num_leaves: int = 31,
        max_depth: int = -1,
        learning_rate: float = 0.1,
        min_child_samples: int = 20,
        min_child_weight: float = 1e-3,
        min_split_gain: float = 0.0,
        subsample: float = 1.0,
        subsample_freq: int = 0,
        colsample_bytree: float = 1.0,
        reg_alpha: float = 0.0,
        reg_lambda: float = 0.0,
        max_bin: int = 255,
        scale_pos_weight: float = 1.0,
        enable_categorical: bool = True,
        device: str = "cpu",
        n_jobs: int | None = None,
        random_state: int = 0,
        kind: str | None = None,
    ) -> None:
        self._store(locals())

    def _check(self) -> None:
        errors.require("lightgbm", extra="lightgbm")
        super()._check()
        if self.device not in ("cpu", "gpu", "cuda"):
            raise errors.UnknownOption(f"LightGBM: device is {self.device!r}: it must be 'cpu', 'gpu' or 'cuda'")
        if self.device == "cuda":
            resources.require_gpu(self, self.device)

    def _fit(self, training: Training) -> None:
        with _explained():
            engine = _Engine(self, training)
            self._boost(training.run, engine, greater_is_better=False)
            self.booster_ = engine.best(self.best_iteration_)

    def _predict(self, x: pd.DataFrame) -> np.ndarray:
        found = self._raw(x)
        if self.target_.is_regression:
            return found
        return (found > 0.5).astype(np.int64) if found.ndim == 1 else np.asarray(found.argmax(axis=1))

    def _predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        found = self._raw(x)
        return np.column_stack([1.0 - found, found]) if found.ndim == 1 else found

    def _raw(self, x: pd.DataFrame) -> np.ndarray:
        tables.check_numbers(self, x)
        with _explained():
            values = x.to_numpy(dtype=np.float64, na_value=np.nan)
            return np.asarray(self.booster_.predict(values, num_threads=resources.threads(self.n_jobs) or 0))

    def _save(self, directory: Path) -> dict[str, Any]:
        self.booster_.save_model(directory / _MODEL, num_iteration=-1)
        return {"best_iteration": self.best_iteration_, "best_score": self.best_score_}

    def _load(self, directory: Path, learnt: dict[str, Any]) -> None:
        lightgbm = errors.require("lightgbm", extra="lightgbm")
        self.booster_ = lightgbm.Booster(model_file=directory / _MODEL)
        self.best_iteration_, self.best_score_ = learnt["best_iteration"], learnt["best_score"]


class _Engine:
    """A booster and what it learns from."""

    def __init__(self, estimator: LightGBM, training: Training) -> None:
        import lightgbm

        self._lightgbm, self._parameters = lightgbm, _parameters(estimator, training.target)
        codes = set(tables.code_names(training.encoding)) if estimator.enable_categorical else set()
        names = [str(name) for name in estimator.feature_names_in_]
        self._codes = [place for place, name in enumerate(names) if name in codes]
        self._train = self._dataset(estimator, training.train, training.sample_weight)
        self._validation = None
        if training.validation is not None:
            rows = training.validation
            rows = tables.known(training.target, Observations(intake.features(estimator, rows.x), rows.y))
            self._validation = self._dataset(estimator, rows, None) if len(rows.x) else None
        self._before: Path | None = None
        self._booster: Any = None

    def update(self, number: int) -> None:
        """Learns one round more."""
        if self._booster is None:
            validation = [] if self._validation is None else [self._validation]
            self._booster = self._lightgbm.train(
                self._parameters,
                self._train,
                num_boost_round=1,
                valid_sets=[self._train, *validation],
                valid_names=["train", "validation"][: 1 + len(validation)],
                init_model=self._before,
                keep_training_booster=True,
            )
        else:
            self._booster.update()

    def evaluate(self, number: int) -> Values:
        """Returns the metrics after a round."""
        found: dict[str, dict[str, float]] = {}
        told = [("train", each) for each in self._booster.eval_train()]
        told += [("validation", each) for each in self._booster.eval_valid() if self._validation is not None]
        for part, (_, metric, value, _) in told:
            found.setdefault(part, {})[_OURS.get(metric, metric)] = float(value)
        return found

    def keep(self) -> None:
        """Nothing is to be kept: the best model is the first rounds of the last."""

    def best(self, number: int) -> Any:
        """Returns a booster with the rounds up to the best one."""
        booster = self._booster or self._lightgbm.Booster(model_file=self._before)
        return self._lightgbm.Booster(model_str=booster.model_to_string(num_iteration=number + 1))

    def save(self, directory: Path) -> None:
        """Writes the booster."""
        self._booster.save_model(directory / _MODEL, num_iteration=-1)

    def restore(self, directory: Path, done: int) -> None:
        """Goes on from what `save` wrote after so many rounds."""
        self._before = directory / _MODEL

    def _dataset(self, estimator: LightGBM, rows: Observations, weight: np.ndarray | None) -> Any:
        tables.check_numbers(estimator, rows.x)
        tables.check_finite(estimator, rows.x, takes_missing=True)
        return self._lightgbm.Dataset(
            rows.x.to_numpy(dtype=np.float64, na_value=np.nan),
            rows.y,
            weight=weight,
            categorical_feature=self._codes,
            params=self._parameters,
            reference=getattr(self, "_train", None),
            free_raw_data=False,
        )


def _parameters(estimator: LightGBM, target: Target) -> dict[str, Any]:
    found = estimator.get_params(deep=False)
    for name in ("patience", "n_estimators", "n_jobs", "kind", "enable_categorical", "device", "random_state"):
        del found[name]
    found |= {"objective": _OBJECTIVES[target.kind], "metric": _METRICS[target.kind], "seed": estimator.random_state}
    found |= {"num_threads": resources.threads(estimator.n_jobs) or 0, "device_type": estimator.device, "verbosity": -1}
    found |= {"deterministic": True, "force_row_wise": True}
    if target.kind is Kind.MULTICLASS:
        found["num_class"] = len(target.classes)
    if target.kind is not Kind.BINARY:
        del found["scale_pos_weight"]
    return found


@contextmanager
def _explained() -> Iterator[None]:
    lightgbm = errors.require("lightgbm", extra="lightgbm")
    try:
        yield
    except lightgbm.basic.LightGBMError as error:
        raise errors.ParameterError(f"LightGBM cannot use its parameters or data: {error}") from error
