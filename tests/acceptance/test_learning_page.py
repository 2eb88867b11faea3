"""What docs/learning.md shows runs as it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.test_examples import ROOT, need

PAGE = ROOT / "docs" / "learning.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)

BEFORE = """
import random
import sqlite3
with sqlite3.connect("main.db") as database:
    database.execute("create table users (first_name text, has_subscription boolean)")
    drawn = random.Random(0)
    names = [drawn.choice(["mary", "john", "jayden", None]) for _ in range(600)]
    rows = [(name, drawn.random() < (0.2 if name == "jayden" else 0.8)) for name in names]
    database.executemany("insert into users values (?, ?)", rows)
"""
AFTER = """
assert MODEL.estimator.max_depth == 5
assert MODEL.dataset.row_counts == {"training": 240, "validation": 30, "test": 30}
assert nearest.score() > 0.6
assert loaded.metrics == MODEL.metrics
"""


@pytest.mark.examples
def test_what_the_page_shows_runs(tmp_path: Path) -> None:
    for module, extra in (("sqlalchemy", "sql"), ("sklearn", "sklearn"), ("xgboost", "xgboost-cpu")):
        need(module, extra)
    (tmp_path / "config").mkdir()
    (tmp_path / "extracts").mkdir()
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    (tmp_path / "config" / "database.cfg").write_text("[MAIN]\nurl: sqlite:///main.db\n")
    (tmp_path / "extracts" / "subscribers.sql").write_text("select * from users limit :limit")
    source = "\n".join([BEFORE, *BLOCKS, AFTER])
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "3 rows, " in done.stdout
    logged = [json.loads(line) for line in (tmp_path / "predictions.jsonl").read_text().splitlines()]
    assert [row["key"]["id"] for row in logged] == [7, 8, 9]
    history = subprocess.run(
        [sys.executable, "-m", "mlpipeline", "history", "--json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [run["state"] for run in json.loads(history.stdout)["runs"]] == ["succeeded"] * 3
