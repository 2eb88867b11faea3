"""The types of components that fit models, tune, check, explain, draw and deploy them."""

from __future__ import annotations

from abc import abstractmethod

from mlpipeline.errors import DataFault
from mlpipeline.workflow.component import Component

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any, Self

    import pandas as pd

    from mlpipeline.workflow.types.contract import Report, Resource, Splits


_CHOSEN, _PARAMETERS = "chosen_params", "training_params"


class ModelTrainer(Component):
    """Fits a model of one library, and predicts by it."""

    _is_framework = True

    @abstractmethod
    def fit(self, data: Splits) -> Self:
        """Learns from `data.train`; `data.validation` may stop it early. Returns itself."""

    @abstractmethod
    def predict(self, data: pd.DataFrame) -> pd.Series:
        """Returns a prediction for each row, of shape (rows,), under the same index."""

    def predict_proba(self, data: pd.DataFrame) -> pd.DataFrame:
        """Returns the probability of each class, of shape (rows, classes), under the same index.

        Raises:
            DataFault: (a ValueError) it predicts numbers, or no probabilities.
        """
        raise DataFault(f"{type(self).__name__} predicts no probabilities: choose a metric that needs none")

    @abstractmethod
    def save(self, directory: Path) -> None:
        """Writes the fitted model into an empty directory, in its library's own format."""

    @abstractmethod
    def load(self, directory: Path) -> Self:
        """Becomes what was saved there, and predicts the same. Returns itself."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Hyper-parameters by their flat names: the key `training_params`, and over it what a tuner has chosen."""
        return {**(self.config.get("training_params") or {}), **self.__dict__.get(_CHOSEN, {})}

    def fresh(self, parameters: Mapping[str, Any] | None = None) -> Self:
        """Returns another trainer, not fitted: with the same configuration, but for these hyper-parameters.

        Args:
            parameters: by flat name; without them, all are as here.
        """
        from mlpipeline.workflow.copies import another

        chosen = {**self.__dict__.get(_CHOSEN, {}), **(parameters or {})}
        made = another(self, {_PARAMETERS: {**self.parameters, **chosen}} if chosen else {})
        if chosen:
            made.__dict__[_CHOSEN] = chosen
        return made

    def become(self, other: ModelTrainer) -> ModelTrainer:
        """Takes over what another trainer of the same class has learnt, and its hyper-parameters. Returns itself.

        A workflow keeps the state of its own parts from step to step: so the best trial becomes the workflow's trainer.
        A trainer of another class is returned as it is.
        """
        if type(other) is not type(self):
            return other
        if other is not self:
            for name in self.__getstate__():
                self.__dict__.pop(name, None)
            self.__dict__.update(other.learnt())
        return self

    def learnt(self) -> dict[str, Any]:
        """Returns the attributes that `become` takes over."""
        return self.__getstate__()


class HyperparameterTuner(Component):
    """Searches hyper-parameters; each trial is a run of the project."""

    _is_framework = True

    @abstractmethod
    def tune(self, data: Splits, fit: Callable[[Mapping[str, Any]], tuple[ModelTrainer, float]]) -> ModelTrainer:
        """Returns the best trainer, fitted.

        Args:
            data: what all trials are fitted to.
            fit: given parameters, returns a trainer fitted with them, and the value of the metric by which trials are
                compared, on the validation part.
        """


class ModelChecker(Component):
    """Says whether a model is fit to be used."""

    _is_framework = True

    @abstractmethod
    def check_model(self, data: Splits, model: ModelTrainer) -> Report:
        """Returns what is wrong with a model: beside a baseline, between its splits."""

    @abstractmethod
    def compare_models(self, data: Splits, model: ModelTrainer, previous: ModelTrainer) -> Report:
        """Returns how a model does beside an earlier one on the same rows; ERROR where it is worse."""


class ModelBiasChecker(Component):
    """Says whether a model treats groups of people alike."""

    _is_framework = True

    @abstractmethod
    def check_model_bias(self, data: Splits, model: ModelTrainer) -> Report:
        """Returns differences between groups, on the part that reports."""


class ModelExplainer(Component):
    """Says why a model predicts what it predicts."""

    _is_framework = True

    @abstractmethod
    def get_feature_importance(self, data: Splits, model: ModelTrainer) -> Report:
        """Returns what a model rests on, a finding for each column, the greatest first; with a picture."""

    @abstractmethod
    def get_explanations(self, data: pd.DataFrame, model: ModelTrainer) -> pd.DataFrame:
        """Returns what each value of a row adds to its prediction, of shape (rows, columns), under the same index."""


class ModelVisualizer(Component):
    """Draws how good a model is."""

    _is_framework = True

    @abstractmethod
    def generate_viz(self, data: Splits, model: ModelTrainer) -> Sequence[Path]:
        """Writes pictures, and returns where they lie."""


class ModelDeployer(Component):
    """Brings a model to where it answers."""

    _is_framework = True

    @abstractmethod
    def package_model(self, model: Resource, directory: Path) -> Sequence[Path]:
        """Writes all that is needed to deploy a model, and returns the files."""

    @abstractmethod
    def deploy_model(self, model: Resource) -> str:
        """Deploys a model, and returns where it answers; what was deployed before under its name is replaced."""

    @abstractmethod
    def stop(self, model: Resource) -> None:
        """Takes a model down."""
