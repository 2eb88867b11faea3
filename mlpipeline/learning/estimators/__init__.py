"""The kinds of estimators, each imported when it is first used: each needs a library of its own."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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


def __getattr__(name: str) -> Any:
    """Imports an estimator on first use."""
    home = HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mlpipeline.learning.estimators' has no attribute {name!r}")
    from importlib import import_module

    from mlpipeline import errors

    errors.require("pandas", extra="learning")
    value = getattr(import_module(f"mlpipeline.learning.estimators.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
