"""A queue for model training: what is wanted, what happened, and the difference."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.context import RunContext
    from mlpipeline.metrics import Metric, MetricContainer
    from mlpipeline.model import DataLoader, ExecutionModeKeys, ModeKeys, Model
    from mlpipeline.project import Project
    from mlpipeline.versions import Version, Versions

__version__ = "0.1.0"

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


def __getattr__(name: str) -> Any:
    """Imports a public name on first use, so that importing the package costs next to nothing."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mlpipeline' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"mlpipeline.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
