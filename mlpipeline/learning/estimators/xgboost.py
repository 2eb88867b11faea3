"""Gradient-boosted trees by XGBoost: early stopping, categories, streams larger than memory, checkpoints."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.learning.estimator import Training
from mlpipeline.learning.estimators import resources, tables, xgboost_matrices, xgboost_parameters
from mlpipeline.learning.estimators.boosting import Boosting
from mlpipeline.learning.estimators.xgboost_engine import XGBoostEngine

_MODEL = "model.ubj"


class XGBoost(Boosting):
    """Gradient-boosted trees; regression, binary or multi-class, by the target.

    The parameters are those of XGBoost's own scikit-learn interface, and their defaults those that it documents,
    written out, so that a newer release changes none; but for `patience`, and `enable_categorical`, which is on. With
    the same parameters the model is the same as XGBoost's; but where something is drawn, by `subsample`, `colsample_*`
    or dart, each round draws by its own seed, and so draws otherwise.

    Features that are codes, by their encoders, are categories; OneHot's columns, and frames fitted without encoders,
    are numbers; so are all with `tree_method="exact"` and the booster gblinear, which know no categories. Pandas'
    categories are categories everywhere. Missing values are learnt from; infinite ones are refused.

    A stream is walked over a few times and put into bins, which lie in memory where they are few, else on disk, in the
    directory for temporary files; beside them some dozen bytes for each row are held. It takes `tree_method` hist.

    A fit that was interrupted goes on from its checkpoint, and the model is the same, bit for bit, as without the
    interruption; the booster gblinear is not deterministic where it has several threads.

    Args:
        n_estimators: rounds of boosting at most; each grows a tree, or a tree for each of many classes.
        patience: the fit ends when so many rounds have not improved the validation split, and its best round is kept;
            None learns all rounds. XGBoost calls it early_stopping_rounds, and has none by default.
        max_depth: of a tree; 0 for no limit.
        learning_rate: shrinks what each tree adds.
        max_leaves: of a tree; 0 for no limit.
        max_bin: bins that values are put into by `tree_method` hist and approx.
        grow_policy: "depthwise", or "lossguide", which splits where it gains most.
        booster: "gbtree", "dart" or "gblinear".
        tree_method: "auto", "hist", "approx" or "exact".
        device: "cpu", or "cuda", "cuda:0" ...; where there is no GPU, that is an error.
        n_jobs: threads; by default those that the run may use, OMP_NUM_THREADS, else all.
        gamma: what a split must gain.
        min_child_weight: the least sum of second derivatives in a leaf.
        max_delta_step: the most that a leaf adds; 0 for no limit.
        subsample: share of rows that each tree is grown on.
        sampling_method: "uniform", or "gradient_based", on a GPU alone.
        colsample_bytree: share of the features that a tree sees; then of each level, and of each split.
        colsample_bylevel: see `colsample_bytree`.
        colsample_bynode: see `colsample_bytree`.
        reg_alpha: L1 penalty of leaves.
        reg_lambda: L2 penalty of leaves.
        scale_pos_weight: multiplies the weight of the second of two classes.
        base_score: the prediction before the first tree; by default the best constant.
        num_parallel_tree: trees of each round; more than 1 makes a boosted forest.
        monotone_constraints: 1 or -1 by feature: the prediction only grows, or falls, with it.
        interaction_constraints: groups of features that may be split by in one branch.
        max_cat_to_onehot: categories with fewer values are split one against the rest.
        max_cat_threshold: the most values of a category that a split looks at.
        rate_drop: of the booster dart: share of the trees that a round forgets.
        skip_drop: of the booster dart: how probable it is that a round forgets none.
        enable_categorical: whether codes are categories.
        objective: by default reg:squarederror, binary:logistic or multi:softprob, by the kind of target.
        eval_metric: what is recorded for each round, by XGBoost's names; the last selects. By default rmse or logloss.
        random_state: seed of what is drawn.
        verbosity: 0 is silent, 1 warns, 2 tells, 3 debugs.
        kind: what is predicted, "regression", "binary" or "multiclass"; told by the target by default.
    """

    accepts_batches: ClassVar[bool] = True

    booster: str
    tree_method: str
    device: str
    n_jobs: int | None
    max_bin: int
    random_state: int
    scale_pos_weight: float
    base_score: float | None
    rate_drop: float
    skip_drop: float
    enable_categorical: bool
    monotone_constraints: Mapping[str, int] | None
    interaction_constraints: Sequence[Sequence[str]] | None
    objective: str | None
    eval_metric: str | Sequence[str] | None

    def __init__(
        self,
        *,
        n_estimators: int = 100,
        patience: int | None = 10,
        max_depth: int = 6,
        learning_rate: float = 0.3,
        max_leaves: int = 0,
        max_bin: int = 256,
        grow_policy: str = "depthwise",
        booster: str = "gbtree",
        tree_method: str = "auto",
        device: str = "cpu",
        n_jobs: int | None = None,
        gamma: float = 0.0,
        min_child_weight: float = 1.0,
        max_delta_step: float = 0.0,
        subsample: float = 1.0,
        sampling_method: str = "uniform",
        colsample_bytree: float = 1.0,
        colsample_bylevel: float = 1.0,
        colsample_bynode: float = 1.0,
        reg_alpha: float = 0.0,
        reg_lambda: float = 1.0,
        scale_pos_weight: float = 1.0,
        base_score: float | None = None,
        num_parallel_tree: int = 1,
        monotone_constraints: Mapping[str, int] | None = None,
        interaction_constraints: Sequence[Sequence[str]] | None = None,
        max_cat_to_onehot: int = 4,
        max_cat_threshold: int = 64,
        rate_drop: float = 0.0,
        skip_drop: float = 0.0,
        enable_categorical: bool = True,
        objective: str | None = None,
        eval_metric: str | Sequence[str] | None = None,
        random_state: int = 0,
        verbosity: int = 1,
        kind: str | None = None,
    ) -> None:
        self._store(locals())

    @property
    def knows_categories(self) -> bool:
        """Whether this kind of model can split by categories."""
        return self.enable_categorical and self.booster != "gblinear" and self.tree_method != "exact"

    @property
    def feature_importances_(self) -> pd.Series:
        """How much splits by each feature have gained, on average; as shares that add up to 1.

        The booster gblinear has the sizes of its coefficients instead.
        """
        self._fitted()
        linear = self.booster_.attr("mlpipeline_booster") == "gblinear"
        found = self.booster_.get_score(importance_type="weight" if linear else "gain")
        gains = np.array([np.abs(found.get(f"f{place}", 0.0)).sum() for place in range(self.n_features_in_)])
        return pd.Series(gains / (gains.sum() or 1.0), index=[str(each) for each in self.feature_names_in_])

    def _check(self) -> None:
        errors.require("xgboost", extra="xgboost")
        super()._check()
        xgboost_parameters.check(self)
        if self.device.partition(":")[0] in ("cuda", "gpu"):
            resources.require_gpu(self, self.device)

    def _fit(self, training: Training) -> None:
        codes = set(tables.code_names(training.encoding)) if self.knows_categories else set()
        self.feature_types_ = ["c" if name in codes else "q" for name in map(str, self.feature_names_in_)]
        with xgboost_parameters.explained(self), tempfile.TemporaryDirectory(prefix="mlpipeline-bins-") as directory:
            self._learn(training, directory)

    def _learn(self, training: Training, directory: str) -> None:
        parameters = xgboost_parameters.build(self, training.target)
        engine = XGBoostEngine(self, parameters, *xgboost_matrices.matrices(self, training, directory))
        self._boost(training.run, engine, greater_is_better=xgboost_parameters.is_maximized(parameters))
        self.booster_ = engine.best(self.best_iteration_)

    def _predict(self, x: pd.DataFrame) -> np.ndarray:
        found = self._raw(x)
        if self.target_.is_regression:
            return found.astype(np.float64)
        return (found > 0.5).astype(np.int64) if found.ndim == 1 else np.asarray(found.argmax(axis=1))

    def _predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        found = self._raw(x).astype(np.float64)
        # What adds up to 1 in float32 does not in float64.
        return np.column_stack([1.0 - found, found]) if found.ndim == 1 else found / found.sum(axis=1, keepdims=True)

    def _raw(self, x: pd.DataFrame) -> np.ndarray:
        with xgboost_parameters.explained(self):
            found: np.ndarray = xgboost_matrices.predict(self, self.booster_, x)
        return found

    def _save(self, directory: Path) -> dict[str, Any]:
        self.booster_.save_model(directory / _MODEL)
        return {
            "feature_types": self.feature_types_,
            "best_iteration": self.best_iteration_,
            "best_score": self.best_score_,
        }

    def _load(self, directory: Path, learnt: dict[str, Any]) -> None:
        xgboost = errors.require("xgboost", extra="xgboost")
        nthread = resources.threads_to_predict(self.n_jobs) or 0
        self.booster_ = xgboost.Booster({"nthread": nthread}, model_file=directory / _MODEL)
        self.feature_types_ = learnt["feature_types"]
        self.best_iteration_, self.best_score_ = learnt["best_iteration"], learnt["best_score"]
