"""A new project reads its rows from a PostgreSQL server, as its README says how."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mlpipeline.scaffold import making

from .conftest import Postgres

ROOT = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 120


def run(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "-m", "mlpipeline", *words],
        cwd=project, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False,
    )  # fmt: skip


def test_a_new_project_says_what_it_lacks_then_loads_its_rows_trains_and_is_tested(
    tmp_path: Path, postgres: Postgres
) -> None:
    project = tmp_path / "points"
    making.make_project(project, "queue", "postgres")
    lacking = run(project)
    assert lacking.returncode == 1
    assert "config/database.cfg:4" in lacking.stdout + lacking.stderr
    assert "DATABASE_URL" in lacking.stdout + lacking.stderr
    template = (project / ".env.template").read_text()
    assert "\nDATABASE_URL=" in template
    (project / ".env").write_text(template.partition("DATABASE_URL=")[0] + f"DATABASE_URL={postgres.url}\n")
    for words in (("task", "load"), ("task", "load"), (), ("-r", "-u")):
        done = run(project, *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    assert "test mse" in run(project, "history").stdout
    tested = run(project, "test", "-q", "-p", "no:cacheprovider")
    assert (tested.returncode, "2 passed" in tested.stdout) == (0, True), tested.stdout
