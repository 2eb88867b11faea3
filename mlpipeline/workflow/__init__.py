"""Composes workflows: components, pipelines and runners that one file in YAML names, configures and checks."""

from __future__ import annotations

from mlpipeline import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.workflow.component import Component
    from mlpipeline.workflow.part import Part, side_effects
    from mlpipeline.workflow.pipeline import Pipeline
    from mlpipeline.workflow.pipelines.deploy import OfflineDeploy
    from mlpipeline.workflow.pipelines.predict import OfflinePredict
    from mlpipeline.workflow.pipelines.process import OfflineProcess
    from mlpipeline.workflow.pipelines.train import OfflineTrain
    from mlpipeline.workflow.runner import Runner, load
    from mlpipeline.workflow.runners.classification import ClassificationRunner
    from mlpipeline.workflow.runners.regression import RegressionRunner
    from mlpipeline.workflow.runners.time_series import TimeSeriesRunner
    from mlpipeline.workflow.types import (
        CacheManager,
        DataChecker,
        DataConnector,
        DataProfiler,
        DataSplitter,
        DataSynthesizer,
        DataTransformer,
        FeatureTransformer,
        Finding,
        HyperparameterTuner,
        Kind,
        MetadataTracker,
        MetricsTracker,
        ModelBiasChecker,
        ModelChecker,
        ModelDeployer,
        ModelExplainer,
        ModelRepository,
        ModelTrainer,
        ModelVisualizer,
        Notifier,
        Report,
        Resource,
        ResourceVersionControl,
        Splits,
        Status,
        TestRecorder,
        TextGenerator,
    )

_TYPES = (
    "CacheManager", "DataChecker", "DataConnector", "DataProfiler", "DataSplitter", "DataSynthesizer",
    "DataTransformer", "FeatureTransformer", "Finding", "HyperparameterTuner", "Kind", "MetadataTracker",
    "MetricsTracker", "ModelBiasChecker", "ModelChecker", "ModelDeployer", "ModelExplainer", "ModelRepository",
    "ModelTrainer", "ModelVisualizer", "Notifier", "Report", "Resource", "ResourceVersionControl", "Splits", "Status",
    "TestRecorder", "TextGenerator",
)  # fmt: skip
__all__ = [
    "CacheManager",
    "ClassificationRunner",
    "Component",
    "DataChecker",
    "DataConnector",
    "DataProfiler",
    "DataSplitter",
    "DataSynthesizer",
    "DataTransformer",
    "FeatureTransformer",
    "Finding",
    "HyperparameterTuner",
    "Kind",
    "MetadataTracker",
    "MetricsTracker",
    "ModelBiasChecker",
    "ModelChecker",
    "ModelDeployer",
    "ModelExplainer",
    "ModelRepository",
    "ModelTrainer",
    "ModelVisualizer",
    "Notifier",
    "OfflineDeploy",
    "OfflinePredict",
    "OfflineProcess",
    "OfflineTrain",
    "Part",
    "Pipeline",
    "RegressionRunner",
    "Report",
    "Resource",
    "ResourceVersionControl",
    "Runner",
    "Splits",
    "Status",
    "TestRecorder",
    "TextGenerator",
    "TimeSeriesRunner",
    "load",
    "side_effects",
]

_HOMES = {
    "ClassificationRunner": "runners.classification",
    "Component": "component",
    "OfflineDeploy": "pipelines.deploy",
    "OfflinePredict": "pipelines.predict",
    "OfflineProcess": "pipelines.process",
    "OfflineTrain": "pipelines.train",
    "Part": "part",
    "Pipeline": "pipeline",
    "RegressionRunner": "runners.regression",
    "Runner": "runner",
    "TimeSeriesRunner": "runners.time_series",
    "load": "runner",
    "side_effects": "part",
    **dict.fromkeys(_TYPES, "types"),
}

__getattr__, __dir__ = lazily.names(__name__, _HOMES)
