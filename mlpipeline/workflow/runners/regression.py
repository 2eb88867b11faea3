"""The standard workflow for regression."""

from __future__ import annotations

from mlpipeline.workflow.pipelines import scoring
from mlpipeline.workflow.runners.standard import StandardRunner


class RegressionRunner(StandardRunner):
    """Predicts numbers: process, train, deploy, predict."""

    problem_type: str = scoring.REGRESSION
