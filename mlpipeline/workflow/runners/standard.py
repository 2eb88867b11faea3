"""What the runners of standard workflows share: process, train, deploy, predict, end to end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from mlpipeline.errors import MlpipelineError, UsageError
from mlpipeline.workflow.pipeline import Pipeline
from mlpipeline.workflow.pipelines import keeping, measuring
from mlpipeline.workflow.runner import Runner
from mlpipeline.workflow.runners import outcome
from mlpipeline.workflow.runners.training import Training
from mlpipeline.workflow.scoring import ProblemType
from mlpipeline.workflow.types import (
    DataSplitter,
    Kind,
    MetadataTracker,
    MetricsTracker,
    ModelTrainer,
    Resource,
    ResourceVersionControl,
    Splits,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

_SOURCES = ("train", "eval", "prediction")


class StandardRunner(Runner):
    """Brings rows, trains a model, makes it the champion where it is better, and predicts.

    Pipelines may be other classes than the standard ones, with methods of the same names: `train` needs no more than
    `train_model(data)`, which takes Splits and returns a ModelTrainer. What a pipeline does not offer is left out.
    """

    UNASKED: ClassVar[str] = "test"
    """What is predicted where the configuration names nothing."""

    process: Pipeline
    train: Pipeline
    deploy: Pipeline | None
    predict: Pipeline | None
    data_splitter: DataSplitter | None
    metadata_tracker: MetadataTracker
    metrics_tracker: MetricsTracker | None
    resource_version_control: ResourceVersionControl | None
    train_data: str
    eval_data: str | None = None
    prediction_data: str | None = None
    model_name: str | None = None
    model_target: str
    problem_type: ProblemType | None = None
    metrics: list[str] | None = None
    perf_metric: str | None = None
    retrain_all: bool = False
    local_dir: str | None = None

    @classmethod
    def default_parts(cls, config: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns the standard pipelines, and trackers in the project's own files."""
        return {
            "process": "OfflineProcess",
            "train": "OfflineTrain",
            "deploy": "OfflineDeploy",
            "predict": "OfflinePredict",
            "metadata_tracker": "LedgerTracker",
            "metrics_tracker": "LedgerMetricsTracker",
            "resource_version_control": "DigestVersionControl",
        }

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns which names are empty, and which metrics are none, or not for the type of problem."""
        named = {f"{source}_data": "a file or table" for source in _SOURCES} | {"model_target": "a column"}
        given = {name: values.get(name) for name in named}
        empty = [name for name, value in given.items() if isinstance(value, str) and not value.strip()]
        return {name: f"is empty: name {named[name]}" for name in empty} | measuring.faults(values)

    @property
    def resource_name(self) -> str:
        """What the model is called in all records: `model_name`, else as the workflow's file, else as its class."""
        files = self.document.files
        return self.model_name or (Path(files[0]).stem if files else type(self).__name__)

    def main(self) -> dict[str, dict[str, float]]:
        """Runs the workflow end to end: see `build_all`."""
        return self.build_all()

    def build_all(self) -> dict[str, dict[str, float]]:
        """Processes, trains, deploys, predicts; says how good the model is, and where everything lies.

        Rows of `eval_data` are predicted and compared with their truth, those of `prediction_data` are predicted; where
        neither is set, those of the part that reports are.

        Returns:
            the metrics of the model by part, e.g. {"train": {"f1": 0.9}, "test": {"f1": 0.8}, "ground_truth": …}.
        """
        done = outcome.Outcome()
        data, dataset = self.process_data("train")
        resource, model, is_better = self._train(data, dataset, done)
        if not is_better:
            done.standing = "worse than the one before: not promoted"
        elif self.deploy is not None:
            done.answers_at = self.deploy_model(resource, model)
            done.standing = "the champion" if self._is_champion(resource) else "promoted, and waits for approval"
        self._predict_all(model, data, dataset, done)
        self.log(outcome.text(done, self))
        self.has_told_metrics = True
        return done.metrics

    def process_data(self, source: str = "train") -> tuple[pd.DataFrame, Resource]:
        """Returns the rows of a source, and the version of the dataset that they are.

        Args:
            source: `train`, `eval` or `prediction`: the rows of the key `<source>_data`.

        Raises:
            UsageError: there is no such key, or it is not set.
        """
        place = self.config.get(f"{source}_data") if source in _SOURCES else None
        if place is None:
            raise UsageError(f"there are no {source} data: set {source}_data; sources are {', '.join(_SOURCES)}")
        process: Any = self.process
        data = process.transform_data(place)
        name = f"{self.resource_name}/{source}"
        if not hasattr(process, "track_data"):
            control = self.resource_version_control
            return data, keeping.keep_data(data, name, Kind.DATASET, self.metadata_tracker, control)
        dataset = process.track_data(data, name, place)
        for step in ("profile_data", "check_data", "compare_data"):
            if hasattr(process, step):
                getattr(process, step)(data, dataset)
        return data, dataset

    def train_model(self, data: Any = None, dataset: Any = 1) -> Any:
        """Fits a model, says how good it is, keeps it, checks it, and compares it with the one before.

        The queue calls it without rows: then the whole workflow is run.

        Args:
            data: rows, as `process_data` returns them.
            dataset: the version that they are.

        Returns:
            the model's version, the fitted trainer, and whether it is at least as good as the champion; without a
            champion, as the version before.
        """
        if data is None:
            return super().train_model(data, dataset)
        return self._train(data, dataset, outcome.Outcome())

    def _train(
        self, data: pd.DataFrame, dataset: Resource, done: outcome.Outcome
    ) -> tuple[Resource, ModelTrainer, bool]:
        training = Training(self.train, self)
        splits = training.split(data)
        model = training.fit(splits)
        metrics = training.evaluate(splits, model)
        resource = training.track(model, self.resource_name, dataset, metrics)
        training.examine(splits, model, resource)
        is_better = training.compare(splits, model, resource, self._rival(resource))
        if self.retrain_all and is_better:
            model, resource = training.retrain(splits, model, resource, dataset)
        done.metrics, done.model, done.splits = metrics, resource, splits
        return resource, model, is_better

    def _rival(self, resource: Resource) -> Resource | None:
        """Returns the model that a new one has to beat: the champion, else the version before."""
        return self._champion(resource.name) or keeping.previous(self.metadata_tracker, resource)

    def deploy_model(self, resource: Resource, model: ModelTrainer) -> str | None:
        """Promotes a model, approves it where `auto_approve_models` says so, and deploys it.

        Returns:
            where it answers; None where it is not approved, or nobody deploys.
        """
        deploy: Any = self.deploy
        if deploy is None:
            return None
        promoted = deploy.promote_model(resource)
        if not deploy.approve_model(promoted):
            self.log(
                f"{resource.id} is promoted, and waits for approval; auto_approve_models: true approves it here, "
                "mlpipeline deployment approve afterwards"
            )
            return None
        answers: str | None = deploy.deploy_model(promoted)
        return answers

    def _is_champion(self, resource: Resource) -> bool:
        champion = self._champion(resource.name)
        return champion is not None and champion.id == resource.id

    def _champion(self, name: str) -> Resource | None:
        deploy: Any = self.deploy
        found: Resource | None = deploy.champion(name) if hasattr(deploy, "champion") else None
        return found

    def predict_data(
        self,
        resource: Resource,
        model: ModelTrainer,
        data: pd.DataFrame,
        dataset: Resource,
        source: str = "prediction",
    ) -> tuple[pd.DataFrame, Resource]:
        """Predicts rows, keeps the predictions, and compares rows and predictions with former ones.

        Args:
            source: what the rows are: their predictions are called `<model>/<source>`.

        Returns:
            the rows with their predictions, and the version of the predictions that they are.

        Raises:
            UsageError: the pipeline `predict` is left out.
        """
        predict: Any = self.predict
        if predict is None:
            raise UsageError("nothing predicts: predict is left out with `none`")
        if hasattr(predict, "compare_data"):
            predict.compare_data(data, dataset, resource)
        train: Any = self.train
        has_features = train.__dict__.get("feature_transformer") is not None
        features = (train.transform_rows(data),) if has_features and hasattr(train, "transform_rows") else ()
        found = predict.get_predictions(model, data, *features)
        job = predict.track_predictions(found, f"{resource.name}/{source}", resource, dataset)
        for step in ("analyze_prediction_drift", "check_predictions"):
            if hasattr(predict, step):
                getattr(predict, step)(found, job)
        return found, job

    def _predict_all(self, model: ModelTrainer, data: pd.DataFrame, dataset: Resource, done: outcome.Outcome) -> None:
        """Predicts what there is to be predicted, and compares it with the truth where that is known."""
        resource, splits = done.model, done.splits
        if self.predict is None or resource is None or splits is None:
            return
        asked = [source for source in ("eval", "prediction") if self.config.get(f"{source}_data") is not None]
        for source in asked or (self.UNASKED,):
            rows, version = self.process_data(source) if asked else (self._unasked(splits), dataset)
            found, job = self.predict_data(resource, model, rows, version, source)
            place = self.predict.save_predictions(found, source) if hasattr(self.predict, "save_predictions") else None
            done.jobs.append((job, place))
            if source == "eval":
                done.metrics["ground_truth"] = self.evaluate_ground_truth(job)

    def _unasked(self, splits: Splits) -> pd.DataFrame:
        """Returns what is predicted where nobody says what: the rows of the part that reports."""
        *_, (_, frame) = splits.parts()
        return frame

    def evaluate_ground_truth(self, job: Resource | None = None) -> dict[str, float]:
        """Returns the metrics of predictions whose truth is known by now, and keeps them with the predictions.

        Args:
            job: the predictions; by default the latest of this model. Their rows have the target.

        Raises:
            MlpipelineError: there are none, their rows are not kept, or have no truth.
        """
        found, control = job or self._latest_job(), self.resource_version_control
        if found is None or control is None:
            raise MlpipelineError(f"there are no predictions of {self.resource_name} whose rows were kept")
        rows = control.get_data(found.digest)
        if self.model_target not in rows.columns:
            raise MlpipelineError(f"{found.id} has no column {self.model_target!r}: the truth is not known")
        metrics = measuring.of_predictions(rows, self.model_target, self.metrics, self)
        if self.metrics_tracker is not None:
            self.metrics_tracker.log_metrics(found, {"ground_truth": metrics})
        return metrics

    def _latest_job(self) -> Resource | None:
        names = [f"{self.resource_name}/{source}" for source in ("eval", "prediction", self.UNASKED)]
        found = [each for name in names for each in self.metadata_tracker.find(Kind.PREDICTIONS, name)[:1]]
        return max(found, key=lambda each: each.created_at, default=None)
