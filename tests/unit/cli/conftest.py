"""A project on disk with a ledger in it, and the command line without a process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mlpipeline.cli.main import cli
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where a test types commands."""

    root: Path
    project: Project

    def type(self, *words: str) -> Result:
        """Types a command in the project."""
        return CliRunner().invoke(cli, ["--project", str(self.root), *words], prog_name="mlpipeline")

    def json(self, *words: str) -> Any:
        """Types a command with --json after it, and reads what it prints."""
        result = self.type(*words, "--json")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return json.loads(result.stdout)

    def record(self, *runs: Run) -> None:
        """Makes the ledger hold these runs."""
        self.project.outputs_dir.mkdir(parents=True, exist_ok=True)
        ledger = Ledger.open(self.project.ledger_path)
        for run in runs:
            ledger.import_run(run)
        ledger.close()

    def attempt_directory(self, run: Run) -> Path:
        """Makes the directory of a run's last attempt."""
        directory = self.root / run.last.directory
        directory.mkdir(parents=True, exist_ok=True)
        return directory


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    (tmp_path / "models").mkdir()
    (tmp_path / "models.config").write_text(
        "[MLP]\nuse_blacklist = false\n[WHITELISTED_MODELS]\n[BLACKLISTED_MODELS]\n"
    )
    return Desk(root=tmp_path, project=Project.load(tmp_path))


@pytest.fixture
def bytes_of(desk: Desk) -> Callable[[], dict[str, bytes]]:
    """Returns all files' contents, but for SQLite's own companions."""

    def read() -> dict[str, bytes]:
        files = (path for path in desk.root.rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in files if not path.name.endswith(("-shm", "-wal"))}

    return read
