"""Spools do not pile up: what was used least lately goes first, what nobody uses for long goes, what is used stays."""

from __future__ import annotations

import gc
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlpipeline.data import Streaming
from mlpipeline.data.spool import MANIFEST, Spool
from mlpipeline.data.spools import Spools
from tests.unit.data.stand_ins import Number

NOW = 1_800_000_000.0
DAY = 86_400.0


class Chunked(Streaming):
    """A spool of its own for each start."""

    def __init__(self, start: int, **options: Any) -> None:
        super().__init__(**options)
        self.start = start

    def get_data(self) -> Iterator[pd.DataFrame]:
        yield pd.DataFrame({"id": range(self.start, self.start + 50)})

    def get_encoders(self) -> Any:
        return Number("id")

    def get_output_encoder(self) -> Any:
        return None


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlp.config").write_text("[MLP]\n")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "spools"


def made(root: Path, start: int, *, days: float) -> str:
    """Makes a spool that nobody uses for so many days."""
    directory = Chunked(start, spool_dir=root).spool.directory
    gc.collect()
    os.utime(directory / MANIFEST, (NOW - days * DAY,) * 2)
    return directory.name


def spools(root: Path, *, limit_bytes: int = 10**9, days: float = 30) -> Spools:
    return Spools(root, limit_bytes=limit_bytes, unused_seconds=days * DAY, clock=lambda: NOW)


def test_spools_are_listed_used_last_first(root: Path) -> None:
    old, new = made(root, 0, days=3), made(root, 100, days=1)
    kept = spools(root).kept()
    assert [each.name for each in kept] == [new, old]
    assert [each.name for each in spools(root).kept(old[:8])] == [old]
    newest = kept[0]
    assert (newest.rows, newest.whose, newest.is_used, newest.used_at) == (50, "Chunked.get_data()", False, NOW - DAY)
    assert newest.bytes == sum(path.stat().st_size for path in (root / new).iterdir())


def test_a_directory_that_is_not_there_holds_nothing(root: Path) -> None:
    assert spools(root).kept() == spools(root).bound() == spools(root).clear() == []


def test_what_was_used_least_lately_goes_first_beyond_the_limit(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = [made(root, 100 * number, days=number) for number in range(1, 5)]
    each = spools(root).kept()[0].bytes
    with caplog.at_level(logging.INFO):
        removed = spools(root, limit_bytes=int(2.5 * each)).bound()
    assert [spool.name for spool in removed] == [names[3], names[2]]
    assert sorted(path.name for path in root.iterdir()) == sorted(names[:2])
    assert "unused for 4.0 days, is removed" in caplog.text


def test_what_is_unused_for_too_long_goes(root: Path) -> None:
    old, new = made(root, 0, days=31), made(root, 100, days=29)
    assert [each.name for each in spools(root).bound()] == [old]
    assert [each.name for each in spools(root).kept()] == [new]


def test_what_is_used_stays_however_old_and_large(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    name = made(root, 0, days=99)
    used = Spool.open(root / name)
    os.utime(root / name / MANIFEST, (NOW - 99 * DAY,) * 2)
    tight = spools(root, limit_bytes=1)
    assert tight.kept()[0].is_used
    assert tight.bound() == tight.clear() == []
    assert "in use have 0 MB, more than spool_limit" in caplog.text
    assert used is not None
    assert len(used.part("training").whole(["id"])) == 40
    del used
    gc.collect()
    assert [each.name for each in tight.bound()] == [name]


def test_what_another_process_uses_stays(root: Path) -> None:
    name = made(root, 0, days=99)
    code = (
        "import sys; from pathlib import Path; from mlpipeline.data.spool import Spool\n"
        "kept = Spool.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(root / name)]
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=here) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        assert spools(root).clear() == []
        other.kill()
    assert [each.name for each in spools(root).clear()] == [name]


def test_opening_is_a_use(root: Path) -> None:
    name = made(root, 0, days=99)
    opened = Spool.open(root / name)
    assert opened is not None
    assert spools(root).kept()[0].used_at > NOW - 99 * DAY


def test_what_is_damaged_is_listed_and_goes(root: Path) -> None:
    name = made(root, 0, days=1)
    (root / name / MANIFEST).write_text("{")
    (root / ("0" * 32)).mkdir()
    (root / "somebody's").mkdir()
    assert {each.whose for each in spools(root).kept()} == {""}
    assert {each.name for each in spools(root).clear()} == {name, "0" * 32}
    assert [path.name for path in root.iterdir()] == ["somebody's"], "what is no spool is nobody's to remove"


def test_the_name_of_a_state_goes_with_its_rows(root: Path) -> None:
    for start, version in ((0, "one"), (100, "two")):
        Chunked(start, spool_dir=root, data_version=version).spool  # noqa: B018
        gc.collect()
    assert len(list(root.glob("*.version"))) == 2
    first = spools(root).kept()[-1]
    spools(root).clear(lambda each: each.name == first.name)
    (left,) = root.glob("*.version")
    assert left.read_text() != first.name
    again = Chunked(0, spool_dir=root, data_version="one")
    assert again.spool.directory.name == first.name


def test_the_projects_limits_hold_when_rows_are_written(tmp_path: Path) -> None:
    (tmp_path / "mlp.config").write_text("[MLP]\n[DATA]\nspool_dir = elsewhere\nspool_limit = 5kB\nspool_unused = 9d\n")
    first = Chunked(0).spool.directory
    assert first.parent == tmp_path / "elsewhere"
    gc.collect()
    size = sum(path.stat().st_size for path in first.iterdir())
    assert size < 5000
    for start in range(100, 100 + 100 * (5000 // size + 1), 100):
        newest = Chunked(start).spool.directory
        gc.collect()
    assert not first.exists()
    assert newest.exists()


def test_a_manifest_says_whose_rows_they_are(root: Path) -> None:
    name = made(root, 0, days=0)
    assert json.loads((root / name / MANIFEST).read_text())["whose"] == "Chunked.get_data()"
