"""The standard workflow for regression."""

from __future__ import annotations

from mlpipeline.workflow.runners.standard import StandardRunner
from mlpipeline.workflow.scoring import ProblemType


class RegressionRunner(StandardRunner):
    """Predicts numbers: process, train, deploy, predict."""

    problem_type: ProblemType | None = "regression"
