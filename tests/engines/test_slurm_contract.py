"""Slurm keeps the contract of all executors."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest

from mlpipeline import wire
from mlpipeline.execution.executor import Executor
from mlpipeline.execution.slurm import SlurmExecutor
from mlpipeline.project import Project
from mlpipeline.testing import ExecutorContract
from tests.engines.slurm_cluster import Cluster

QUICK = "[SLURM]\npoll_seconds = 0.2\nunknown_seconds = 2\nlease_seconds = 7\nmemory = 300 MiB\n"


class TestSlurm(ExecutorContract):
    name = "slurm"
    config = QUICK

    @pytest.fixture(autouse=True)
    def _find_slurm(self, slurm: Cluster) -> None:
        self.slurm = slurm

    def make_executor(self, project: Project) -> Executor:
        return SlurmExecutor.for_project(project)

    def lose(self, executor: Executor, directory: Path) -> None:
        node = wire.read_json(directory / wire.NODE) or {}
        self.slurm.run("scontrol", "update", f"NodeName={node['node']}", "State=DOWN", "Reason=test")
        started = wire.read_json(directory / wire.STARTED) or {}
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(started["pid"]), signal.SIGKILL)
