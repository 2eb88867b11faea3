"""The standard workflow for classification."""

from __future__ import annotations

from mlpipeline.workflow.runners.standard import StandardRunner
from mlpipeline.workflow.scoring import ProblemType


class ClassificationRunner(StandardRunner):
    """Tells classes apart, two or more: process, train, deploy, predict."""

    problem_type: ProblemType | None = "classification"
