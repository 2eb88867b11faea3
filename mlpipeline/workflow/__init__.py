"""Composes workflows: components, pipelines and runners that one file in YAML names, configures and checks."""

from __future__ import annotations

from mlpipeline import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.workflow.component import Component
    from mlpipeline.workflow.part import Part, side_effects
    from mlpipeline.workflow.pipeline import Pipeline
    from mlpipeline.workflow.runner import Runner, load
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
    "Part",
    "Pipeline",
    "Report",
    "Resource",
    "ResourceVersionControl",
    "Runner",
    "Splits",
    "Status",
    "TestRecorder",
    "TextGenerator",
    "load",
    "side_effects",
]

_HOMES = {
    "Component": "component",
    "Part": "part",
    "Pipeline": "pipeline",
    "Runner": "runner",
    "load": "runner",
    "side_effects": "part",
    **dict.fromkeys(_TYPES, "types"),
}

__getattr__, __dir__ = lazily.names(__name__, _HOMES)
