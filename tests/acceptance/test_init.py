"""A new project runs at once: it is tried, trained and tested by the command line, as its README says."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlpipeline.scaffold import making, projects

ROOT = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 280
"""What pytest ends with where every module was skipped."""
IN_CI = ("queue", "estimator", "workflow", "tensorflow", "sklearn")
"""PyTorch's own is tried where PyTorch is: its ordinary wheel brings gigabytes, so CI does not install it."""


def run(project: Path, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs a command of mlpipeline in a project; another status than expected shows what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "mlpipeline", *words],
        cwd=project, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=LIMIT_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == status, (words, done.stdout, done.stderr)
    return done


def history(project: Path) -> list[dict[str, object]]:
    return list(json.loads(run(project, "history", "--json").stdout)["runs"])


def made(place: Path, template: str, data: str) -> Path:
    """A new project; the test is skipped where something that it needs is not installed."""
    lacks = projects.lacking(template, data)
    if lacks:
        reason = f"{', '.join(lacks)} not installed: pip install '{projects.requirement(template, data)}'"
        if os.environ.get("CI") and template in IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)
    making.make_project(place / "my project", template, data)
    return place / "my project"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a project of a template, tries it and trains it: once for all tests that look at what came of it."""

    @functools.cache
    def project_of(template: str) -> Path:
        project = made(tmp_path_factory.mktemp("trained"), template, "none")
        run(project)
        assert history(project) == [], "test mode records nothing"
        run(project, "-r", "-u")
        runs = history(project)
        assert len({each["version"] for each in runs}) == len(runs) >= 2
        assert {each["state"] for each in runs} == {"succeeded"}
        return project

    return project_of


@pytest.mark.parametrize("template", projects.KINDS)
def test_a_new_project_is_tried_trained_and_tested(trained: Callable[[str], Path], template: str) -> None:
    project = trained(template)
    text = run(project, "test", "-q", "-p", "no:cacheprovider").stdout
    assert (" passed" in text, "skipped" in text) == (True, False), text


@pytest.mark.parametrize("template", ["queue", "workflow", "sklearn"])
def test_a_new_project_reads_its_rows_from_a_database(tmp_path: Path, template: str) -> None:
    project = made(tmp_path, template, "sqlite")
    run(project)
    text = run(project, "test", "-q", "-p", "no:cacheprovider").stdout
    assert (" passed" in text, "skipped" in text) == (True, False), text
    table = projects.KINDS[template].table
    rows = run(project, "extract", table).stdout
    (project / "data" / f"{table}.db").unlink()
    clone = run(project, "test", "-q", "-p", "no:cacheprovider").stdout
    assert "1 skipped" in clone, "the rows of a clone come next"
    run(project, "task", "load")
    run(project, "task", "load")
    assert run(project, "extract", table).stdout == rows


@pytest.mark.parametrize("template", ["queue", "workflow", "sklearn"])
def test_the_readme_names_no_command_that_does_not_work(trained: Callable[[str], Path], template: str) -> None:
    project = trained(template)
    lines = (project / "README.md").read_text().splitlines()
    commands = [line.strip() for line in lines if line.startswith("    mlpipeline")]
    words = [re.split(r" {2,}", each)[0].split()[1:] for each in commands]
    assert len(words) >= 6
    for each in words:
        if each != ["-r", "-u"]:
            run(project, *each)


def test_pytorch_goes_on_exactly(tmp_path: Path) -> None:
    project = made(tmp_path, "torch", "none")
    drills = json.loads(run(project, "--drill", "--json").stdout)["drills"]
    assert {each["result"] for each in drills} == {"exact"}
