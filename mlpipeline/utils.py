"""The import path of published model scripts; re-exports only."""

from mlpipeline.console import add_script_dir_to_PATH, console_colors, log, set_logger
from mlpipeline.metrics import Metric, MetricContainer
from mlpipeline.model import ExecutionModeKeys, ModeKeys
from mlpipeline.versions import Version, Versions, version_parameters

__all__ = [
    "ExecutionModeKeys",
    "Metric",
    "MetricContainer",
    "ModeKeys",
    "Version",
    "Versions",
    "add_script_dir_to_PATH",
    "console_colors",
    "log",
    "set_logger",
    "version_parameters",
]
