"""Composes workflows: components, pipelines and runners that one file in YAML names, configures and checks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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


def __getattr__(name: str) -> Any:
    """Imports a public name on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mlpipeline.workflow' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"mlpipeline.workflow.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
