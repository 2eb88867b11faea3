"""The stores that need no server: each keeps the contract, and has ways of its own."""

from __future__ import annotations

import itertools
import os
import uuid
from pathlib import Path

import pytest

from mlpipeline.data.store import Store, open_store
from mlpipeline.data.stores.disk import DiskStore
from mlpipeline.data.stores.memory import MemoryStore
from mlpipeline.errors import DataFault, MissingExtra, StoreError, StoreFull
from mlpipeline.testing.stores import StoreContract

_counter = itertools.count()


class TestMemory(StoreContract):
    def make_store(self) -> Store:
        return open_store("memory://")


class TestDisk(StoreContract):
    @pytest.fixture(autouse=True)
    def _directory(self, tmp_path: Path) -> None:
        self.directory = tmp_path

    def make_store(self) -> Store:
        return open_store(str(self.directory / f"store {next(_counter)}"))


class TestFsspec(StoreContract):
    """The way to S3 and the like, on fsspec's own file system in memory."""

    def make_store(self) -> Store:
        from mlpipeline.data.stores.remote import RemoteStore

        return RemoteStore.from_url(f"memory://test-{uuid.uuid4().hex}/store")


class TestFsspecLocal(StoreContract):
    """A file system on which an object must be renamed to appear whole."""

    @pytest.fixture(autouse=True)
    def _directory(self, tmp_path: Path) -> None:
        self.directory = tmp_path

    def make_store(self) -> Store:
        from mlpipeline.data.stores.remote import RemoteStore

        return RemoteStore.from_url(f"local://{self.directory}/store-{next(_counter)}")


@pytest.fixture(params=["memory", "disk"])
def limited(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore(limit_bytes=30) if request.param == "memory" else DiskStore(tmp_path, limit_bytes=30)


def touch(store: Store, key: str, moment: int) -> None:
    """Reads a key as if at a moment of its own: files of one test are too close together to tell."""
    store.get(key)
    if isinstance(store, DiskStore):
        os.utime(store._path(key), (moment, moment))


def test_what_was_read_least_lately_goes_first(limited: Store) -> None:
    for moment, key in enumerate("abc"):
        limited.put(key, b"x" * 10)
        touch(limited, key, moment)
    touch(limited, "a", 9)
    limited.put("d", b"x" * 10)
    assert sorted(limited.keys()) == ["a", "c", "d"]
    assert limited.size() == 30


def test_a_value_beyond_the_limit_is_a_memory_error(limited: Store) -> None:
    limited.put("a", b"small")
    with pytest.raises(StoreFull, match="31 bytes, and the store may hold 30") as caught:
        limited.put("a", b"x" * 31)
    assert isinstance(caught.value, MemoryError)
    assert limited.get("a") == b"small"


def test_a_limit_of_nothing_holds_nothing(tmp_path: Path) -> None:
    for store in (MemoryStore(limit_bytes=0), DiskStore(tmp_path, limit_bytes=0)):
        with pytest.raises(StoreFull):
            store.put("a", b"x")


def test_a_reader_of_a_file_records_the_use_whatever_the_mount_does(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    store.put("a", b"x")
    os.utime(store._path("a"), (1, 1))
    store.get("a")
    assert store._path("a").stat().st_mtime > 1


def test_a_file_url_is_a_directory(tmp_path: Path) -> None:
    open_store(f"file://{tmp_path}/with%20blank").put("a", b"x")
    assert (tmp_path / "with blank").is_dir()


def test_what_cannot_be_written_is_said_and_the_former_value_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="file/store: "):
        DiskStore(tmp_path / "file" / "store").put("a", b"x")
    with pytest.raises(StoreError):
        DiskStore(tmp_path / "file").put("a", b"x")


def test_a_full_disk_leaves_the_former_value_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DiskStore(tmp_path)
    store.put("a", b"former")

    def full(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(StoreError, match="No space left on device"):
            store.put("a", b"new")
    assert store.get("a") == b"former"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_url_that_nobody_knows_is_refused() -> None:
    with pytest.raises(DataFault, match="nonsense://x"):
        open_store("nonsense://x")


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    with pytest.raises(MissingExtra, match=r"mlpipeline\[redis\]"):
        open_store("redis://localhost")
