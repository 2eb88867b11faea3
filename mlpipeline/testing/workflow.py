"""Lets pytest collect the checks of workflows: `pytest_plugins = ["mlpipeline.testing.workflow"]` in a conftest.py."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.errors import ConfigurationError
from mlpipeline.workflow import Runner, load
from mlpipeline.workflow.checks import Check, Result, Status


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collects workflow files that are called `test_*.yaml`."""
    if file_path.suffix == ".yaml" and file_path.name.startswith("test_"):
        found: pytest.Collector = WorkflowFile.from_parent(parent, path=file_path)
        return found
    return None


class WorkflowFile(pytest.File):
    """A workflow file. The workflow runs once; that it ended, and each check, is a test."""

    runner: Runner
    _outcome: tuple[list[Result], Exception | None] | None = None

    def collect(self) -> Iterable[pytest.Item]:
        """Yields the tests.

        Raises:
            CollectError: the file is faulty; with everything that is wrong.
        """
        try:
            self.runner = load(self.path, collect_checks=True, lazy=True)
        except ConfigurationError as error:
            raise self.CollectError(str(error)) from error
        yield RunItem.from_parent(self, name="main")
        for number, check in enumerate(self.runner.plan.checks):
            yield CheckItem.from_parent(self, name=f"{check.target} {check.moment} {check.name}", number=number)

    def outcome(self) -> tuple[list[Result], Exception | None]:
        """Runs the workflow, the first time; returns how its checks ended, and what it raised."""
        if self._outcome is None:
            error: Exception | None = None
            try:
                self.runner.build().main()
            except Exception as raised:  # it is told by the test of `main`
                error = raised
            self._outcome = self.runner.check_results, error
        return self._outcome


class _Item(pytest.Item):
    @property
    def file(self) -> WorkflowFile:
        assert isinstance(self.parent, WorkflowFile)
        return self.parent

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Says where the test stands."""
        return self.path, None, self.name


class RunItem(_Item):
    """That the workflow ends without an error."""

    def runtest(self) -> None:
        """Raises what the workflow raised."""
        error = self.file.outcome()[1]
        if error is not None:
            raise error


class CheckItem(_Item):
    """That a check passes, each time it is carried out."""

    def __init__(self, *, number: int, **options: Any) -> None:
        super().__init__(**options)
        self.number = number

    @property
    def check(self) -> Check:
        """The check."""
        return self.file.runner.plan.checks[self.number]

    def runtest(self) -> None:
        """Fails with what the check says; is skipped where its method was not called."""
        results = [result for result in self.file.outcome()[0] if result.check is self.check]
        bad = [result for result in results if result.is_bad]
        if bad:
            raise NotPassed(f"{self.check.place}: {bad[0].status}: {bad[0].message}".removesuffix(": "))
        if all(result.status is Status.SKIPPED for result in results):
            pytest.skip("its method was not called")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Tells a check's failure in a line: its place is in YAML."""
        return str(excinfo.value) if isinstance(excinfo.value, NotPassed) else super().repr_failure(excinfo, style)


class NotPassed(Exception):
    """A check failed, or raised."""
