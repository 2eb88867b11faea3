"""The standard pipeline that makes the model: splits, tunes, fits, scores, keeps, explains, checks and compares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlpipeline.errors import MlpipelineError
from mlpipeline.workflow import scoring
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.pipeline import Pipeline
from mlpipeline.workflow.pipelines import keeping, measuring, telling
from mlpipeline.workflow.scoring import Metrics, ProblemType
from mlpipeline.workflow.types import (
    DataSplitter,
    FeatureTransformer,
    Finding,
    HyperparameterTuner,
    MetadataTracker,
    MetricsTracker,
    ModelBiasChecker,
    ModelChecker,
    ModelExplainer,
    ModelTrainer,
    ModelVisualizer,
    Notifier,
    Report,
    Resource,
    ResourceVersionControl,
    Splits,
    Status,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

_METRICS_OF = "metrics_of"
_COMPARISON = "model_comparison"
_TRAINERS = {"timeseries": "HoltWintersTrainer"}


class OfflineTrain(Pipeline):
    """Splits the rows, fits the model, by the tuner where there is one, and says how good it is."""

    data_splitter: DataSplitter
    feature_transformer: FeatureTransformer | None
    model_trainer: ModelTrainer
    hyperparameter_tuner: HyperparameterTuner | None
    metadata_tracker: MetadataTracker
    metrics_tracker: MetricsTracker | None
    resource_version_control: ResourceVersionControl | None
    model_checker: ModelChecker | None
    model_bias_checker: ModelBiasChecker | None
    model_explainer: ModelExplainer | None
    model_visualizer: ModelVisualizer | None
    notifier: Notifier | None
    model_target: str | None = None
    problem_type: ProblemType | None = None
    metrics: list[str] | None = None
    perf_metric: str | None = None
    local_dir: str | None = None

    @classmethod
    def default_parts(cls, config: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns what splits, fits by the type of the problem, keeps and checks."""
        return {
            "data_splitter": "LocalDataSplitter",
            "model_trainer": _TRAINERS.get(str(config.get("problem_type")), "XGBoostTrainer"),
            "metadata_tracker": "LedgerTracker",
            "metrics_tracker": "LedgerMetricsTracker",
            "resource_version_control": "DigestVersionControl",
            "model_checker": "LocalModelChecker",
            "notifier": "LogNotifier",
        }

    @classmethod
    def value_faults(cls, values: Mapping[str, Any]) -> Mapping[str, str]:
        """Returns which metrics are none, or not for the type of problem."""
        return measuring.faults(values)

    def split_data(self, data: pd.DataFrame) -> Splits:
        """Tells apart what is learnt from, what selects, and what reports."""
        return self.data_splitter.split_data(data)

    def train_model(self, data: Splits) -> ModelTrainer:
        """Fits the trainer; with a tuner, the trainer becomes the best of the trials.

        With a feature transformer, that learns from the training part first, and all else gets its features.
        """
        if self.feature_transformer is not None:
            self.feature_transformer.fit(data.features(), data.truth())
        data = self._learnable(data)
        if self.hyperparameter_tuner is None:
            self.model_trainer.fit(data)
            return self.model_trainer

        def fit(parameters: Mapping[str, Any]) -> tuple[ModelTrainer, float]:
            trainer = self.model_trainer.fresh(parameters).fit(data)
            return trainer, measuring.deciding(data, trainer, self, ("validation", "test", "train"))

        return self.model_trainer.become(self.hyperparameter_tuner.tune(data, fit))

    def transform_rows(self, data: pd.DataFrame) -> pd.DataFrame:
        """Returns the features of rows, as the model reads them: with a feature transformer, what that makes."""
        if self.feature_transformer is None:
            return data
        return self.feature_transformer.transform(data.drop(columns=self.model_target or [], errors="ignore"))

    def _learnable(self, data: Splits) -> Splits:
        return data if self.feature_transformer is None else featured(data, self.feature_transformer)

    def evaluate_model(self, data: Splits, model: ModelTrainer) -> Metrics:
        """Returns {"train": {metric: value}, "validation": …, "test": …}."""
        data = self._learnable(data)
        return scoring.scores(model, data, measuring.names(data, self), self.problem_type)

    @side_effects
    def track_model(self, model: ModelTrainer, name: str, dataset: Resource, metrics: Metrics) -> Resource:
        """Keeps a fitted model, and registers it with its parameters and metrics as a version of its name."""
        return self._kept(model, name, dataset, metrics, {})

    def _kept(
        self, model: ModelTrainer, name: str, dataset: Resource, metrics: Metrics, facts: Mapping[str, Any]
    ) -> Resource:
        tracker, control, place = self.metadata_tracker, self.resource_version_control, keeping.directory(self)
        features = self.feature_transformer
        resource = keeping.keep_model(model, name, tracker, control, [dataset], metrics, place, facts, features)
        if self.metrics_tracker is not None:
            self.metrics_tracker.log_metrics(resource, metrics)
        return resource

    @side_effects
    def analyze_model(self, data: Splits, model: ModelTrainer, resource: Resource) -> Report | None:
        """Explains and draws the model, as far as there is an explainer and a visualizer."""
        found, data = None, self._learnable(data)
        if self.model_explainer is not None:
            found = self._keep(resource, self.model_explainer.get_feature_importance(data, model))
        if self.model_visualizer is not None:
            for path in self.model_visualizer.generate_viz(data, model):
                self._keep(resource, Report(name=path.stem, path=str(path)))
        return found

    @side_effects
    def check_model(self, data: Splits, model: ModelTrainer, resource: Resource) -> Report | None:
        """Checks the model beside a baseline and between its splits; None without a checker."""
        if self.model_checker is None:
            return None
        return self._keep(resource, self.model_checker.check_model(self._learnable(data), model))

    @side_effects
    def check_model_bias(self, data: Splits, model: ModelTrainer, resource: Resource) -> Report | None:
        """Checks whether groups of people are treated alike; None without a checker."""
        if self.model_bias_checker is None:
            return None
        return self._keep(resource, self.model_bias_checker.check_model_bias(self._learnable(data), model))

    @side_effects
    def compare_models(self, data: Splits, model: ModelTrainer, resource: Resource, previous: Resource | None) -> bool:
        """Returns whether a model is at least as good as a former one, both on the same rows.

        Those are of the part that reports, else of the one that selects. Of one that was fitted to all rows in the end,
        the model before that is meant, which has not seen them. A former one that cannot be loaded any more,
        or cannot predict these rows, is none to beat; people are told of it.

        Args:
            previous: the former one; None where there is none, which the new one is better than.
        """
        if previous is None:
            return True
        previous = self._before_all_rows(previous)
        try:
            report = _naming(previous, self._compared(data, model, previous))
        except MlpipelineError as error:
            message = f"{previous.id} cannot be compared with: {error}"
            report = Report(
                name=_COMPARISON, findings=(Finding(name=_COMPARISON, status=Status.WARN, message=message),)
            )
        self._keep(resource, report)
        return report.status is not Status.ERROR

    def _compared(self, data: Splits, model: ModelTrainer, previous: Resource) -> Report:
        """Returns how a model does beside a former one: by the model checker, else by the metric that decides."""
        control = self.resource_version_control
        former = keeping.load_model(previous, self.model_trainer, control)
        features = keeping.load_features(previous, self.feature_transformer, control)
        if self.model_checker is not None and features is None and self.feature_transformer is None:
            return self.model_checker.compare_models(data, model, former)
        metric = measuring.deciding_name(data, self)
        new = measuring.deciding(self._learnable(data), model, self)
        old = measuring.deciding(data if features is None else featured(data, features), former, self)
        is_worse = scoring.is_better(metric, old, new)
        word = "worse than" if is_worse else "as good as" if new == old else "better than"
        message = f"{metric} is {new:.6g}, {word} the former model's {old:.6g} on the same rows"
        status = Status.ERROR if is_worse else Status.PASS
        return Report(
            name=_COMPARISON, findings=(Finding(name=metric, status=status, value=new - old, message=message),)
        )

    def _before_all_rows(self, model: Resource) -> Resource:
        """Returns the model whose metrics a model has that was fitted to all rows; else the model itself."""
        before = model.facts.get(_METRICS_OF)
        return model if before is None else self.metadata_tracker.get(str(before))

    @side_effects
    def retrain_model_on_all_data(
        self, data: Splits, model: ModelTrainer, resource: Resource, dataset: Resource
    ) -> tuple[ModelTrainer, Resource]:
        """Fits the trainer to the rows of all parts, with the same hyper-parameters, and registers what comes of it.

        Its metrics are those of the model that was fitted to the training part: no rows are left to score it by.
        """
        everything = Splits(target=data.target, train=data.together(), time_index=data.time_index)
        if self.feature_transformer is not None:
            self.feature_transformer.fit(everything.features(), everything.truth())
        final = self.model_trainer.become(model.fresh().fit(self._learnable(everything)))
        facts = {"fitted_to": "all rows", _METRICS_OF: resource.id}
        return final, self._kept(final, resource.name, dataset, _metrics_of(resource), facts)

    def _keep(self, resource: Resource, report: Report) -> Report:
        return telling.keep(self, self.metadata_tracker, self.notifier, resource, report)


def featured(data: Splits, features: FeatureTransformer) -> Splits:
    """Returns the same parts with features made of their columns."""
    parts = {
        name: features.transform(frame.drop(columns=data.target)).assign(**{data.target: frame[data.target]})
        for name, frame in data.parts()
    }
    return Splits(target=data.target, time_index=data.time_index, **parts)


def _naming(previous: Resource, report: Report) -> Report:
    """Says in a comparison which model was the former one."""
    told = (replace(each, message=f"{each.message} ({previous.id})") for each in report.findings)
    return replace(report, findings=tuple(told))


def _metrics_of(resource: Resource) -> Metrics:
    found: Metrics = {}
    for name, value in resource.facts.items():
        part, _, metric = name.partition(".")
        if part in ("train", "validation", "test") and metric:
            found.setdefault(part, {})[metric] = float(value)
    return found
