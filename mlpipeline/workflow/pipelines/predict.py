"""The standard pipeline that uses a model: predicts, explains, keeps and checks predictions, and looks for drift."""

from __future__ import annotations

from collections.abc import Mapping

from mlpipeline.errors import DataFault
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.pipeline import Pipeline
from mlpipeline.workflow.pipelines import keeping, telling
from mlpipeline.workflow.scoring import ProblemType
from mlpipeline.workflow.types import (
    DataChecker,
    DataConnector,
    DataProfiler,
    Kind,
    MetadataTracker,
    ModelExplainer,
    ModelTrainer,
    Notifier,
    Report,
    Resource,
    ResourceVersionControl,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

PREDICTION, PROBABILITY, EXPLANATION = "prediction", "prediction_proba", "explanation"
CLASSIFICATION = "classification"


class OfflinePredict(Pipeline):
    """Predicts rows by a model, keeps the predictions with what they come from, and compares them with former ones."""

    data_connector: DataConnector | None
    metadata_tracker: MetadataTracker
    resource_version_control: ResourceVersionControl | None
    model_explainer: ModelExplainer | None
    data_checker: DataChecker | None
    drift_checker: DataChecker | None
    data_profiler: DataProfiler | None
    notifier: Notifier | None
    problem_type: ProblemType | None = None
    skip_prediction_explanations: bool = False
    model_target: str | None = None
    local_dir: str | None = None
    predictions: str | None = None
    WRITES = Pipeline.WRITES | {"predictions"}

    @classmethod
    def default_parts(cls, config: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns what writes files, keeps predictions by content, and finds drift."""
        return {
            "data_connector": "LocalDataConnector",
            "metadata_tracker": "LedgerTracker",
            "resource_version_control": "DigestVersionControl",
            "data_checker": "LocalDataChecker",
            "drift_checker": "DriftDataChecker",
            "notifier": "LogNotifier",
        }

    @side_effects
    def compare_data(self, data: pd.DataFrame, dataset: Resource, model: Resource) -> list[Report]:
        """Compares rows with those that the model was fitted to, in the columns that both have."""
        control = self.resource_version_control
        parents = [self.metadata_tracker.get(each) for each in model.parents]
        learnt = next((each for each in parents if each.kind is Kind.DATASET), None)
        if control is None or learnt is None or learnt.digest == dataset.digest:
            return []
        return self._compared(dataset, data, control.get_data(learnt.digest))

    def get_predictions(
        self, model: ModelTrainer, data: pd.DataFrame, features: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Returns the rows with further columns.

        `prediction`; of classes `prediction_proba_<class>`, where the trainer has probabilities; and with an explainer
        `explanation_<column>`, what each value adds, unless `skip_prediction_explanations`.

        Args:
            features: of the rows, as the model reads them; by default the rows themselves.
        """
        read = data.drop(columns=self.model_target or [], errors="ignore") if features is None else features
        found = data.assign(**{PREDICTION: model.predict(read)})
        proba = self._probabilities(model, read)
        if proba is not None:
            found = found.join(proba.rename(columns=lambda name: f"{PROBABILITY}_{name}"))
        if self.model_explainer is not None and not self.skip_prediction_explanations:
            told = self.model_explainer.get_explanations(read, model)
            found = found.join(told.rename(columns=lambda name: f"{EXPLANATION}_{name}"))
        return found

    def _probabilities(self, model: ModelTrainer, data: pd.DataFrame) -> pd.DataFrame | None:
        """Returns the probability of each class; None of numbers, and of a trainer that has none."""
        if self.problem_type not in (None, CLASSIFICATION) or type(model).predict_proba is ModelTrainer.predict_proba:
            return None
        try:
            return model.predict_proba(data)
        except DataFault:  # it says itself that it has none
            return None

    @side_effects
    def track_predictions(self, predictions: pd.DataFrame, name: str, model: Resource, dataset: Resource) -> Resource:
        """Keeps predictions, and registers them as made from a model and a dataset."""
        tracker, control = self.metadata_tracker, self.resource_version_control
        return keeping.keep_data(predictions, name, Kind.PREDICTIONS, tracker, control, [model, dataset])

    @side_effects
    def analyze_prediction_drift(self, predictions: pd.DataFrame, job: Resource) -> list[Report]:
        """Compares predictions with the former ones of the same name, where there are any."""
        before, control = keeping.previous(self.metadata_tracker, job), self.resource_version_control
        if before is None or control is None or before.digest == job.digest:
            return []
        former = control.get_data(before.digest)
        columns = [each for each in _of_predictions(predictions) if each in former.columns]
        return self._compared(job, predictions[columns], former[columns])

    @side_effects
    def check_predictions(self, predictions: pd.DataFrame, job: Resource) -> Report | None:
        """Checks the rows with what was predicted in the place of the target, by its rules; None without a checker."""
        if self.data_checker is None:
            return None
        kept = [each for each in predictions.columns if each not in _of_predictions(predictions)]
        rows = predictions[kept].assign(**{self.model_target or PREDICTION: predictions[PREDICTION]})
        return self._keep(job, self.data_checker.check_data(rows))

    @side_effects
    def save_predictions(self, predictions: pd.DataFrame, name: str = "prediction") -> str:
        """Writes predictions by the connector, and returns where they lie.

        That is the key `predictions`, a file or table; else, and for rows called `eval`, `<name>_predictions.csv` where
        the run's files for people are.
        """
        beside = str(keeping.directory(self) / f"{name}_predictions.csv")
        where = self.predictions if self.predictions and name != "eval" else beside
        return telling.needed(self.data_connector, self, "data_connector").save_data(predictions, where)

    def _compared(self, resource: Resource, data: pd.DataFrame, former: pd.DataFrame) -> list[Report]:
        columns = [each for each in data.columns if each in former.columns]
        new, old = data[columns], former[columns]
        found = []
        if self.data_profiler is not None:
            found.append(self.data_profiler.compare_data(new, old))
        if self.drift_checker is not None:
            found.append(self.drift_checker.check_data(new, old))
        return [self._keep(resource, each) for each in found]

    def _keep(self, resource: Resource, report: Report) -> Report:
        return telling.keep(self, self.metadata_tracker, self.notifier, resource, report)


def _of_predictions(predictions: pd.DataFrame) -> list[str]:
    return [each for each in predictions.columns if each == PREDICTION or str(each).startswith(f"{PROBABILITY}_")]
