"""The executors of this machine keep the contract of all executors; so does what those of engines share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from mlpipeline import wire
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.execution.executor import Executor
from mlpipeline.execution.forked import STARTED_WITH
from mlpipeline.execution.inline import InlineExecutor
from mlpipeline.execution.local import LocalExecutor
from mlpipeline.execution.node import BOOTSTRAP
from mlpipeline.execution.remote import Patience, RemoteExecutor, Sight, Stage
from mlpipeline.project import Project
from mlpipeline.testing import ExecutorContract


class TestInline(ExecutorContract):
    name = "inline"
    blocks = True

    def make_executor(self, project: Project) -> Executor:
        return InlineExecutor()


class TestLocal(ExecutorContract):
    def make_executor(self, project: Project) -> Executor:
        return LocalExecutor.for_project(project)


class TestLocalCold(ExecutorContract):
    config = "preload = none\n"

    def make_executor(self, project: Project) -> Executor:
        return LocalExecutor.for_project(project)


class Engine(RemoteExecutor):
    """An engine in memory whose machine is this one. Its jobs outlive executors, as those of real engines do."""

    name = "engine"
    jobs: dict[Path, subprocess.Popen[bytes]]
    forgotten: set[Path]

    def __init__(self, jobs: dict[Path, subprocess.Popen[bytes]], forgotten: set[Path]) -> None:
        super().__init__(Patience(poll=0.05, unknown=1.0, lease=7.0, linger=0.2))
        self.jobs, self.forgotten = jobs, forgotten
        self._polled = 0.0

    @classmethod
    def for_project(cls, project: Project, *, debugger: bool = False) -> Self:
        return cls({}, set())

    def submit(self, directory: Path) -> None:
        self.note(directory)
        self.hand(directory)
        command = [sys.executable, "-c", BOOTSTRAP, PACKAGE_PARENT, str(directory)]
        with (directory / wire.OUTPUT).open("ab") as output:
            self.jobs[directory] = subprocess.Popen(
                command, env={**os.environ, **STARTED_WITH}, stdout=output, stderr=output, start_new_session=True
            )

    def tend(self) -> list[tuple[str, str]]:
        if time.monotonic() - self._polled >= self.patience.poll:
            self._polled = time.monotonic()
            for directory in self.handed:
                self.see(directory, self._sight(directory))
        return []

    def _sight(self, directory: Path) -> Sight:
        job = self.jobs.get(directory)
        if job is None or directory in self.forgotten:
            return Sight(Stage.UNKNOWN)
        return Sight(Stage.RUNNING) if job.poll() is None else Sight(Stage.ENDED)

    def end(self, directory: Path) -> None:
        job = self.jobs.get(directory)
        if job is not None and directory not in self.forgotten:
            job.terminate()

    def descriptors(self) -> Sequence[int]:
        return ()

    def close(self) -> None:
        self.handed.clear()


class TestEngine(ExecutorContract):
    """The parts that executors of engines share, with an engine that is none."""

    name = "engine"

    def make_executor(self, project: Project) -> Executor:
        self.jobs: dict[Path, subprocess.Popen[bytes]] = getattr(self, "jobs", {})
        self.forgotten: set[Path] = getattr(self, "forgotten", set())
        return Engine(self.jobs, self.forgotten)

    def sever(self, executor: Executor, directory: Path) -> bool:
        self.forgotten.add(directory)
        return True

    def teardown_method(self) -> None:
        for job in getattr(self, "jobs", {}).values():
            if job.poll() is None:
                os.killpg(job.pid, 9)
            job.wait()
