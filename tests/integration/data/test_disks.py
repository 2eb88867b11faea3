"""The cache and the store on a disk that is full, or may only be read: told, and the question answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mlpipeline.data.cached import Cache
from mlpipeline.data.connection import Connection
from mlpipeline.data.stores.disk import DiskStore
from mlpipeline.errors import StoreError
from tests.integration.small_disks import make_read_only

pytestmark = pytest.mark.tmpfs


@pytest.fixture
def db(small_disk: Path, tmp_path: Path) -> Iterator[Connection]:
    made = Connection("duckdb://", root=tmp_path, cache=Cache(small_disk / "cache"))
    yield made
    made.close()


SMALL = "select 1 as n"
LARGE = "select random() as x from range(500000)"


def test_what_does_not_fit_on_the_disk_is_answered_and_the_rest_is_kept(
    db: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    assert db.dataframe(SMALL, cache=True)["n"].tolist() == [1]
    assert len(db.dataframe(LARGE, cache=True)) == 500_000
    assert "No space left on device" in caplog.text
    assert "free space, or set cache_dir" in caplog.text
    assert db.cache is not None
    assert [entry.question.sql for entry in db.cache.entries()] == [SMALL]
    assert [path.suffix for path in db.cache.directory.iterdir() if path.name != "index.db"] == [".parquet"]
    caplog.clear()
    assert db.dataframe(SMALL, cache=True)["n"].tolist() == [1]
    assert caplog.text == ""


def test_on_a_disk_that_is_full_from_the_start_the_question_is_answered(
    db: Connection, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (small_disk / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            full = True
    assert full
    for _ in range(2):
        assert db.dataframe(SMALL, cache=True)["n"].tolist() == [1]
    assert caplog.text.count("the answer is not kept") == 2
    (small_disk / "filler").unlink()
    db.dataframe(SMALL, cache=True)
    assert db.cache is not None
    assert len(db.cache.entries()) == 1


def test_a_read_only_cache_answers_what_it_holds_and_asks_the_rest(
    db: Connection, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    random = "select random() as x"
    first = db.dataframe(random, cache=True)["x"].tolist()
    make_read_only(small_disk)
    assert db.dataframe(random, cache=True)["x"].tolist() == first
    assert caplog.text == ""
    assert db.dataframe(SMALL, cache=True)["n"].tolist() == [1]
    assert "the answer is not kept" in caplog.text
    assert np.isfinite(first[0])


def test_a_store_on_such_disks_says_so_and_keeps_what_it_has(small_disk: Path) -> None:
    store = DiskStore(small_disk / "store")
    store.put("key", b"former")
    with pytest.raises(StoreError, match="No space left on device"):
        store.put("key", b"x" * 3_000_000)
    assert store.get("key") == b"former"
    make_read_only(small_disk)
    assert store.get("key") == b"former"
    for use in (lambda: store.put("key", b"new"), lambda: store.delete("key")):
        with pytest.raises(StoreError, match="Read-only file system"):
            use()
