"""A queue for model training: what is wanted, what happened, and the difference."""

from __future__ import annotations

from mlpipeline import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.context import RunContext
    from mlpipeline.metrics import Metric, MetricContainer
    from mlpipeline.model import DataLoader, ExecutionModeKeys, ModeKeys, Model
    from mlpipeline.project import Project
    from mlpipeline.versions import Version, Versions

__version__ = "0.1.0"
"""The release that is imported."""

__all__ = [
    "DataLoader",
    "ExecutionModeKeys",
    "Metric",
    "MetricContainer",
    "ModeKeys",
    "Model",
    "Project",
    "RunContext",
    "Version",
    "Versions",
    "__version__",
]

_HOMES = {
    "DataLoader": "model",
    "ExecutionModeKeys": "model",
    "Metric": "metrics",
    "MetricContainer": "metrics",
    "ModeKeys": "model",
    "Model": "model",
    "Project": "project",
    "RunContext": "context",
    "Version": "versions",
    "Versions": "versions",
}

__getattr__, __dir__ = lazily.names(__name__, _HOMES)
