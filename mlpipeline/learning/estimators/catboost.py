"""Gradient-boosted symmetric trees by CatBoost, which encodes categories by the target as it goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.context import RunContext
from mlpipeline.data.encoding import Observations
from mlpipeline.learning import intake
from mlpipeline.learning.estimator import Estimator, Training
from mlpipeline.learning.estimators import resources, tables
from mlpipeline.learning.estimators.boosting import check_numbers, check_whole
from mlpipeline.learning.target import Kind

_MODEL = "model.cbm"
_LOSSES = {Kind.REGRESSION: "RMSE", Kind.BINARY: "Logloss", Kind.MULTICLASS: "MultiClass"}
_OURS = {"RMSE": "rmse", "Logloss": "log_loss", "MultiClass": "log_loss"}
_PARTS = {"learn": "train", "validation": "validation"}


class CatBoost(Estimator):
    """Gradient-boosted symmetric trees; regression, binary or multi-class, by the target.

    The parameters are CatBoost's own, by the names that its scikit-learn interface shares with others, and with its
    defaults; but for `n_estimators`, which is 1000 there. Features that are codes, by their encoders, are categories.
    An interrupted fit begins anew: the library has its own loop.

    Args:
        n_estimators: rounds of boosting at most.
        patience: the fit ends when so many rounds have not improved the validation split, and its best round is kept;
            None learns all rounds.
        learning_rate: shrinks what each tree adds; by default CatBoost chooses it by rows and rounds.
        max_depth: of a tree, 1 to 16.
        reg_lambda: L2 penalty of leaves.
        random_strength: how much chance there is in the choice of splits.
        subsample: share of rows that trees are grown on; by default CatBoost's.
        colsample_bylevel: share of the features that each level of a tree sees.
        max_bin: borders that values are put between; by default CatBoost's.
        scale_pos_weight: multiplies the weight of the second of two classes.
        enable_categorical: whether codes are categories.
        device: "cpu" or "cuda"; on a GPU, metrics come at the end, and a fit cannot be ended early from outside.
        n_jobs: threads; by default those that the run may use, OMP_NUM_THREADS, else all.
        random_state: seed of what is drawn.
        kind: what is predicted, "regression", "binary" or "multiclass"; told by the target by default.
    """

    def __init__(
        self,
        *,
        n_estimators: int = 100,
        patience: int | None = 10,
        learning_rate: float | None = None,
        max_depth: int = 6,
        reg_lambda: float = 3.0,
        random_strength: float = 1.0,
        subsample: float | None = None,
        colsample_bylevel: float = 1.0,
        max_bin: int | None = None,
        scale_pos_weight: float = 1.0,
        enable_categorical: bool = True,
        device: str = "cpu",
        n_jobs: int | None = None,
        random_state: int = 0,
        kind: str | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.patience = patience
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.reg_lambda = reg_lambda
        self.random_strength = random_strength
        self.subsample = subsample
        self.colsample_bylevel = colsample_bylevel
        self.max_bin = max_bin
        self.scale_pos_weight = scale_pos_weight
        self.enable_categorical = enable_categorical
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.kind = kind

    @property
    def rounds(self) -> int:
        """The rounds of a fit that is not ended early."""
        return int(self.n_estimators)

    def _check(self) -> None:
        errors.require("catboost", extra="catboost")
        check_numbers(self)
        check_whole(self, "n_estimators", at_least=1)
        if self.patience is not None:
            check_whole(self, "patience", at_least=0)
        if self.device not in ("cpu", "cuda"):
            raise errors.UnknownOption(f"CatBoost: device is {self.device!r}: it must be 'cpu' or 'cuda'")
        if self.device == "cuda":
            resources.require_gpu(self, self.device)

    def _fit(self, training: Training) -> None:
        codes = set(tables.code_names(training.encoding)) if self.enable_categorical else set()
        self.codes_ = [name for name in map(str, self.feature_names_in_) if name in codes]
        with _explained():
            train, validation = self._pools(training)
            import catboost

            model = catboost.CatBoost(self._parameters(training, has_validation=validation is not None))
            loop = _Loop(training.run, self.rounds)
            callbacks = [loop] if self.device == "cpu" else None
            model.fit(train, eval_set=validation, callbacks=callbacks, verbose=False)
            loop.close()
        self.model_ = model
        self.best_iteration_ = int(model.tree_count_) - 1

    def _parameters(self, training: Training, *, has_validation: bool) -> dict[str, Any]:
        target = training.target
        found = {
            "iterations": self.n_estimators,
            "learning_rate": self.learning_rate,
            "depth": self.max_depth,
            "l2_leaf_reg": self.reg_lambda,
            "random_strength": self.random_strength,
            "subsample": self.subsample,
            "rsm": self.colsample_bylevel if self.device == "cpu" else None,
            "border_count": self.max_bin,
            "scale_pos_weight": self.scale_pos_weight if target.kind is Kind.BINARY else None,
            "loss_function": _LOSSES[target.kind],
            "classes_count": len(target.classes) if target.kind is Kind.MULTICLASS else None,
            "task_type": "CPU" if self.device == "cpu" else "GPU",
            "thread_count": resources.threads(self.n_jobs),
            "random_seed": self.random_state,
            "use_best_model": has_validation,
            "allow_writing_files": False,
        }
        if has_validation and self.patience is not None:
            found |= {"od_type": "Iter", "od_wait": max(1, self.patience)}
        return {name: value for name, value in found.items() if value is not None}

    def _pools(self, training: Training) -> tuple[Any, Any]:
        import catboost

        def pool(rows: Observations, weight: np.ndarray | None) -> Any:
            tables.check_numbers(self, rows.x)
            tables.check_finite(self, rows.x, takes_missing=True)
            return catboost.Pool(rows.x, rows.y, weight=weight, cat_features=self.codes_)

        train = pool(training.train, training.sample_weight)
        if training.validation is None:
            return train, None
        rows = training.validation
        rows = tables.known(training.target, Observations(intake.features(self, rows.x), rows.y))
        return train, pool(rows, None) if len(rows.x) else None

    def _predict(self, x: pd.DataFrame) -> np.ndarray:
        if self.target_.is_regression:
            return self._raw(x, "RawFormulaVal")
        return np.asarray(self._raw(x, "Probability").argmax(axis=1))

    def _predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        return self._raw(x, "Probability")

    def _raw(self, x: pd.DataFrame, form: str) -> np.ndarray:
        tables.check_numbers(self, x)
        with _explained():
            threads = resources.threads(self.n_jobs) or -1
            found = self.model_.predict(x, prediction_type=form, thread_count=threads)
        return np.asarray(found, dtype=np.float64)

    def _save(self, directory: Path) -> dict[str, Any]:
        self.model_.save_model(str(directory / _MODEL), format="cbm")
        return {"best_iteration": self.best_iteration_, "codes": self.codes_}

    def _load(self, directory: Path, learnt: dict[str, Any]) -> None:
        catboost = errors.require("catboost", extra="catboost")
        self.model_ = catboost.CatBoost()
        self.model_.load_model(str(directory / _MODEL), format="cbm")
        self.best_iteration_, self.codes_ = learnt["best_iteration"], learnt["codes"]


class _Loop:
    """CatBoost's own loop, seen as that of the run: CatBoost calls `after_iteration` by its name."""

    def __init__(self, run: RunContext, rounds: int) -> None:
        self._run = run
        self._steps = run.steps(range(rounds), initial=0)
        next(self._steps, None)

    def after_iteration(self, info: Any) -> bool:
        """Records a round, and returns whether there is to be another."""
        for part, found in (info.metrics or {}).items():
            known = {_OURS[name]: told[-1] for name, told in found.items() if name in _OURS}
            self._run.record({f"{_PARTS.get(part, part)}_{name}": value for name, value in known.items()})
        return next(self._steps, None) is not None

    def close(self) -> None:
        """Ends the loop where patience has ended the fit."""
        self._steps.close()  # type: ignore[attr-defined]


@contextmanager
def _explained() -> Iterator[None]:
    catboost = errors.require("catboost", extra="catboost")
    try:
        yield
    except catboost.CatBoostError as error:
        raise errors.ParameterError(f"CatBoost cannot use its parameters or data: {error}") from error
