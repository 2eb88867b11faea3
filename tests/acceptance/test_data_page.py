"""What docs/data.md shows runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
TESTED = [block for block in BLOCKS if "pytest" in block]
SHOWN = [block for block in BLOCKS if block not in TESTED]

BEFORE = """
import sqlite3
import pandas as pd
with sqlite3.connect("main.db") as database:
    database.execute("create table users (first_name text, has_subscription boolean)")
    names = ["mary", "john", "bob", None]
    database.executemany("insert into users values (?, ?)", [(names[n % 4], n % 3 == 0) for n in range(400)])
    database.execute("create table events (user_id int, kind text)")
    database.executemany("insert into events values (?, ?)", [(n % 7, "ab"[n % 2]) for n in range(400)])
times = pd.to_datetime(["2026-01-01", "2026-01-03"])
frame = pd.DataFrame({"user_id": [1, 1], "known_at": times, "visits": [3, 5]})
orders = pd.DataFrame({"user_id": [1, 1, 2], "ordered_at": pd.to_datetime(["2026-01-02", "2026-01-04", "2026-01-04"])})
"""
AFTER = """
subscribers = Subscribers()
assert subscribers.row_counts == {"training": 320, "validation": 40, "test": 40}
encoded = subscribers.encode_x(pd.DataFrame({"first_name": ["zaphod"]}))
assert list(encoded.columns) == list(subscribers.encoded_test_data.x.columns)
clicks = Clicks()
assert sum(map(len, (clicks.training_data, clicks.validation_data, clicks.test_data))) == 400
assert rows["visits"].tolist()[:2] == [3, 5]
assert rows["visits"].isna().tolist() == [False, False, True]
"""


def test_what_the_page_shows_runs(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy")
    (tmp_path / "config").mkdir()
    (tmp_path / "extracts").mkdir()
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    (tmp_path / "config" / "database.cfg").write_text("[MAIN]\nurl: sqlite:///main.db\n")
    (tmp_path / "extracts" / "subscribers.sql").write_text("select * from users limit :limit")
    (tmp_path / "extracts" / "clicks.sql").write_text("select * from events")
    assert len(SHOWN) == 3
    source = "".join([BEFORE, *SHOWN, AFTER])
    done = subprocess.run([sys.executable, "-c", source], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_contract_that_the_page_shows_is_kept(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTED[0])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
