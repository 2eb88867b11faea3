"""Trainers of boosted trees: XGBoost, LightGBM, CatBoost."""

from __future__ import annotations

from mlpipeline.workflow.components.model_trainers.estimator_trainer import EstimatorTrainer


class XGBoostTrainer(EstimatorTrainer):
    """Boosted trees of XGBoost; missing values and categories are the library's own affair."""

    ESTIMATOR = "xgboost"


class LightGBMTrainer(EstimatorTrainer):
    """Boosted trees of LightGBM, grown leaf by leaf."""

    ESTIMATOR = "lightgbm"


class CatBoostTrainer(EstimatorTrainer):
    """Boosted symmetric trees of CatBoost."""

    ESTIMATOR = "catboost"
