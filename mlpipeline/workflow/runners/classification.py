"""The standard workflow for classification."""

from __future__ import annotations

from mlpipeline.workflow.pipelines import scoring
from mlpipeline.workflow.runners.standard import StandardRunner


class ClassificationRunner(StandardRunner):
    """Tells classes apart, two or more: process, train, deploy, predict."""

    problem_type: str = scoring.CLASSIFICATION
