"""Ray keeps the contract of all executors."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpipeline.execution.executor import Executor
from mlpipeline.execution.ray import RayExecutor
from mlpipeline.project import Project
from mlpipeline.testing import ExecutorContract
from mlpipeline.testing.executor_trial import Trial
from tests.engines.ray_cluster import Cluster


class TestRay(ExecutorContract):
    name = "ray"
    seconds = 120.0

    @pytest.fixture(autouse=True)
    def _find_ray(self, ray: Cluster) -> None:
        self.ray = ray

    def trial(self, tmp_path: Path) -> Trial:
        return Trial(self.root(tmp_path), f"executor = ray\n{self.ray.config}", self.name, self.seconds)

    def make_executor(self, project: Project) -> Executor:
        return RayExecutor.for_project(project)
