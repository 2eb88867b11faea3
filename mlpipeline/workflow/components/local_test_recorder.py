"""Remembers how checks ended, and writes that down for people and for continuous integration."""

from __future__ import annotations

from pathlib import Path

from mlpipeline import wire
from mlpipeline.errors import DataFault
from mlpipeline.workflow import places, report, secrets
from mlpipeline.workflow.checks import Check, Result, Status
from mlpipeline.workflow.node import Place
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.record import TestRecorder

_NAME = "checks"


class LocalTestRecorder(TestRecorder):
    """Writes `checks.json` and `checks.xml` (JUnit); by itself at the end of each run.

    Args:
        local_dir: where; relative to the project. By default the directory of the run, else `reports` in the outputs.
    """

    def __init__(self, local_dir: str | None = None) -> None:
        self.local_dir = local_dir
        self.results: list[Result] = []

    @side_effects
    def record_test(self, method: str, test: str, status: str, message: str = "", seconds: float = 0.0) -> None:
        """Keeps how one check of a method ended.

        Args:
            method: what was checked, e.g. `train.split_data`.
            test: the check's name.
            status: passed, failed, error or skipped.
            message: for a person.
            seconds: that it took, wall time.

        Raises:
            DataFault: (a ValueError) there is no such status.
        """
        if status not in list(Status):
            raise DataFault(f"check {test!r} of {method}: status {status!r}: it is one of {', '.join(Status)}")
        *address, last = method.split(".")
        shown = secrets.shown(message, places.hidden_of(self))
        check = Check(address=tuple(address), method=last, moment="check", name=test, place=Place(test))
        self.results.append(Result(check=check, status=Status(status), message=shown, seconds=seconds))

    @side_effects
    def generate_report(self) -> Path:
        """Writes both reports, and returns where the one in JSON lies; the other lies beside it.

        Raises:
            OSError: they cannot be written.
        """
        directory = self._directory()
        wire.make_directory(directory)
        path = directory / f"{_NAME}.json"
        wire.write_json(path, report.to_json(self.results))
        report.write_junit(self.results, path.with_suffix(".xml"), type(self).__name__)
        return path

    def _run_ended(self, error: BaseException | None) -> None:
        self.results = []
        super()._run_ended(error)

    def _directory(self) -> Path:
        if self.local_dir is not None:
            return places.project_of(self).root / self.local_dir
        return self.run.directory or places.outputs_of(self) / "reports"
