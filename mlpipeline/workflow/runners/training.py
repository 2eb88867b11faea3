"""What a runner does with its pipeline `train`, be it the standard one or one that only fits."""

from __future__ import annotations

from mlpipeline.errors import MlpipelineError
from mlpipeline.workflow import scoring
from mlpipeline.workflow.pipelines import keeping, measuring
from mlpipeline.workflow.scoring import Metrics
from mlpipeline.workflow.types import ModelTrainer, Resource, Splits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd


class Training:
    """Calls the steps that a pipeline offers; what is needed and not offered, the runner's own parts do.

    Args:
        pipeline: it has `train_model(data)`, whose result is the fitted trainer.
        runner: whose parts stand in.
    """

    def __init__(self, pipeline: Any, runner: Any) -> None:
        self.pipeline = pipeline
        self.runner = runner

    def _offers(self, step: str) -> bool:
        return callable(getattr(type(self.pipeline), step, None))

    def split(self, data: pd.DataFrame) -> Splits:
        """Splits the rows by the pipeline, else by a `data_splitter` that it or the runner has."""
        if self._offers("split_data"):
            found: Splits = self.pipeline.split_data(data)
            return found
        splitter = self.pipeline.__dict__.get("data_splitter") or self.runner.data_splitter
        if splitter is None:
            raise MlpipelineError(
                f"{self._name} has no split_data: define it, or declare component: {{data_splitter: LocalDataSplitter}}"
            )
        split: Splits = splitter.split_data(data)
        return split

    def fit(self, splits: Splits) -> ModelTrainer:
        """Returns the fitted trainer."""
        if not self._offers("train_model"):
            raise MlpipelineError(f"{self._name} has no train_model(data), which returns the fitted trainer: define it")
        found = self.pipeline.train_model(splits)
        if not isinstance(found, ModelTrainer):
            told = "returns the fitted trainer, e.g. `return self.model_trainer.fit(data)`"
            raise MlpipelineError(f"{self._name}.train_model returned a {type(found).__name__}: it {told}")
        return found

    def evaluate(self, splits: Splits, model: ModelTrainer) -> Metrics:
        """Returns the metrics of each part."""
        runner = self.runner
        if self._offers("evaluate_model"):
            found: Metrics = self.pipeline.evaluate_model(splits, model)
            return found

        def evaluate(splits: Splits, model: ModelTrainer) -> Metrics:
            return scoring.scores(model, splits, measuring.names(splits, runner), runner.problem_type)

        scored: Metrics = runner.step(self.pipeline, "evaluate_model", evaluate, splits, model)
        return scored

    def track(self, model: ModelTrainer, name: str, dataset: Resource, metrics: Metrics) -> Resource:
        """Keeps and registers the model."""
        if self._offers("track_model"):
            found: Resource = self.pipeline.track_model(model, name, dataset, metrics)
            return found
        runner = self.runner

        def track(model: ModelTrainer, name: str, dataset: Resource, metrics: Metrics) -> Resource:
            tracker, control = runner.metadata_tracker, runner.resource_version_control
            place = keeping.directory(runner)
            resource = keeping.keep_model(model, name, tracker, control, [dataset], metrics, place)
            if runner.metrics_tracker is not None:
                runner.metrics_tracker.log_metrics(resource, metrics)
            return resource

        kept: Resource = runner.step(self.pipeline, "track_model", track, model, name, dataset, metrics)
        return kept

    def examine(self, splits: Splits, model: ModelTrainer, resource: Resource) -> None:
        """Has the model explained, drawn and checked."""
        for step in ("analyze_model", "check_model", "check_model_bias"):
            if self._offers(step):
                getattr(self.pipeline, step)(splits, model, resource)

    def compare(self, splits: Splits, model: ModelTrainer, resource: Resource, rival: Resource | None) -> bool:
        """Returns whether the model is at least as good as a former one."""
        if not self._offers("compare_models"):
            return True
        return bool(self.pipeline.compare_models(splits, model, resource, rival))

    def retrain(
        self, splits: Splits, model: ModelTrainer, resource: Resource, dataset: Resource
    ) -> tuple[ModelTrainer, Resource]:
        """Fits the model to all rows."""
        if not self._offers("retrain_model_on_all_data"):
            told = "define it, or leave retrain_all out"
            raise MlpipelineError(f"{self._name} has no retrain_model_on_all_data: {told}")
        found: tuple[ModelTrainer, Resource] = self.pipeline.retrain_model_on_all_data(splits, model, resource, dataset)
        return found

    @property
    def _name(self) -> str:
        return type(self.pipeline).__name__
