"""The trainer of any estimator of scikit-learn."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Any

from mlpipeline import errors
from mlpipeline.config_text import near_miss, near_or_known
from mlpipeline.workflow.components.model_trainers.estimator_trainer import EstimatorTrainer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.data.by_kind import GivenParts

_MODULES = (
    *("ensemble", "linear_model", "tree", "svm", "neighbors", "naive_bayes", "neural_network", "discriminant_analysis"),
    *("gaussian_process", "kernel_ridge", "isotonic", "cross_decomposition", "calibration", "semi_supervised", "dummy"),
)
_DEFAULTS = {"classification": "RandomForestClassifier"}
_OTHERWISE = "RandomForestRegressor"


class SklearnTrainer(EstimatorTrainer):
    """Any classifier or regressor of scikit-learn, by its name: `estimator: LogisticRegression`.

    Attributes:
        estimator: the name of a class of scikit-learn that fits and predicts; by default a random forest.
    """

    ESTIMATOR = "sklearn"
    SCALED = True
    ONE_HOT = True

    estimator: str | None = None

    @classmethod
    def known_names(cls, key: str) -> Collection[str] | None:
        """Returns the names of scikit-learn's estimators; hyper-parameters depend on which it is: `value_faults`."""
        if key == "estimator":
            return sorted(_named())
        return None if key == "training_params" else super().known_names(key)

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns which hyper-parameters the estimator does not have."""
        name = values.get("estimator") or _DEFAULTS.get(str(values.get("problem_type")), _OTHERWISE)
        given = values.get("training_params")
        if not isinstance(given, Mapping) or not isinstance(name, str) or name not in _named():
            return {}
        told = _unknown(name, given)
        return {"training_params": told} if told else {}

    def _estimator(self, dataset: GivenParts) -> Any:
        from mlpipeline import plugins

        default = _OTHERWISE if dataset.is_regression else _DEFAULTS["classification"]
        name = self.estimator or default
        if told := _unknown(name, self.parameters):
            raise errors.ParameterError(f"training_params: {told}")
        found = plugins.load("estimator", self.ESTIMATOR)(_kind(name)(**self.parameters))
        if "random_state" in found.sklearn.get_params() and found.sklearn.random_state is None:
            found.sklearn.set_params(random_state=self.seed)
        return found


@functools.cache
def _named() -> Mapping[str, Any]:
    """Returns the classes that fit and predict, by name."""
    errors.require("sklearn", extra="sklearn")
    found: dict[str, Any] = {}
    for module in _MODULES:
        for name, kind in vars(import_module(f"sklearn.{module}")).items():
            is_own = isinstance(kind, type) and kind.__module__.startswith(f"sklearn.{module}")
            if is_own and not name.startswith(("_", "Base")) and hasattr(kind, "fit") and hasattr(kind, "predict"):
                found[name] = kind
    return found


def _kind(name: str) -> Any:
    if name not in _named():
        raise errors.UnknownOption(f"estimator: scikit-learn has no {name!r}.{near_or_known(name, _named())}")
    return _named()[name]


def _unknown(name: str, given: Mapping[str, Any]) -> str:
    known = list(inspect.signature(_kind(name)).parameters)
    wrong = [each for each in given if each not in known]
    return " ".join(f"{name} has no {each!r}.{near_miss(each, known)}" for each in wrong)
