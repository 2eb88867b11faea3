"""The kinds of estimators, each imported when it is first used: each needs a library of its own."""

from __future__ import annotations

from mlpipeline import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.learning.estimators.catboost import CatBoost
    from mlpipeline.learning.estimators.holt_winters import HoltWinters
    from mlpipeline.learning.estimators.keras import Keras
    from mlpipeline.learning.estimators.lightgbm import LightGBM
    from mlpipeline.learning.estimators.naive import Naive
    from mlpipeline.learning.estimators.prophet import Prophet
    from mlpipeline.learning.estimators.sklearn import SKLearn
    from mlpipeline.learning.estimators.xgboost import XGBoost

__all__ = ["CatBoost", "HoltWinters", "Keras", "LightGBM", "Naive", "Prophet", "SKLearn", "XGBoost"]

HOMES = {
    "CatBoost": "catboost",
    "HoltWinters": "holt_winters",
    "Keras": "keras",
    "LightGBM": "lightgbm",
    "Naive": "naive",
    "Prophet": "prophet",
    "SKLearn": "sklearn",
    "XGBoost": "xgboost",
}
"""The module of each, which bears the name that it is registered by."""

__getattr__, __dir__ = lazily.names(__name__, HOMES, extra="learning")
