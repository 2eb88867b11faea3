"""The types of components that standard workflows use: abstract classes; any implementation of one will do."""

from __future__ import annotations

from mlpipeline import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
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
CONTRACT = ("Finding", "Kind", "Report", "Resource", "Splits", "Status")
"""What is no type of components, but handed from one to another."""
_RECORD = (
    "CacheManager", "MetadataTracker", "MetricsTracker", "ModelRepository", "Notifier", "ResourceVersionControl",
    "TestRecorder", "TextGenerator",
)  # fmt: skip
_HOMES = {
    name: "contract" if name in CONTRACT
    else "record" if name in _RECORD
    else "data" if name.startswith(("Data", "Feature"))
    else "model"
    for name in __all__
}  # fmt: skip
__getattr__, __dir__ = lazily.names(__name__, _HOMES)
