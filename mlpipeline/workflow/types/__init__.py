"""The types of components that standard workflows use: abstract classes; any implementation of one will do."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.workflow.types.contract import Finding, Kind, Report, Resource, Splits, Status
    from mlpipeline.workflow.types.data import (
        DataChecker,
        DataConnector,
        DataProfiler,
        DataSplitter,
        DataSynthesizer,
        DataTransformer,
        FeatureTransformer,
    )
    from mlpipeline.workflow.types.model import (
        HyperparameterTuner,
        ModelBiasChecker,
        ModelChecker,
        ModelDeployer,
        ModelExplainer,
        ModelTrainer,
        ModelVisualizer,
    )
    from mlpipeline.workflow.types.record import (
        CacheManager,
        MetadataTracker,
        MetricsTracker,
        ModelRepository,
        Notifier,
        ResourceVersionControl,
        TestRecorder,
        TextGenerator,
    )

__all__ = [
    "CacheManager",
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
    "Report",
    "Resource",
    "ResourceVersionControl",
    "Splits",
    "Status",
    "TestRecorder",
    "TextGenerator",
]
_CONTRACT = ("Finding", "Kind", "Report", "Resource", "Splits", "Status")
_RECORD = (
    "CacheManager", "MetadataTracker", "MetricsTracker", "ModelRepository", "Notifier", "ResourceVersionControl",
    "TestRecorder", "TextGenerator",
)  # fmt: skip


def home(name: str) -> str:
    """Returns the module that a public name is defined in."""
    if name in _CONTRACT:
        return "contract"
    if name in _RECORD:
        return "record"
    return "data" if name.startswith(("Data", "Feature")) else "model"


def __getattr__(name: str) -> Any:
    """Imports a public name on first use."""
    if name not in __all__:
        raise AttributeError(f"module 'mlpipeline.workflow.types' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"mlpipeline.workflow.types.{home(name)}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
