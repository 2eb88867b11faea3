"""Tuners of hyper-parameters: each trial is a run of the project."""

from __future__ import annotations

from mlpipeline.workflow.components.hyperparameter_tuners.grid import GridTuner
from mlpipeline.workflow.components.hyperparameter_tuners.optuna import OptunaTuner

__all__ = ["GridTuner", "OptunaTuner"]
