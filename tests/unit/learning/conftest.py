"""A place without a project, and a project, for fits by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpipeline.project import Project

from .stand_ins import serializers  # noqa: F401 - a fixture


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, in which there is no project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLP_SUPERVISOR", raising=False)
    return tmp_path


@pytest.fixture
def project(nowhere: Path) -> Project:
    """A project in the working directory."""
    (nowhere / "mlp.config").write_text("[MLP]\nhost = here\n")
    return Project.load(nowhere)
