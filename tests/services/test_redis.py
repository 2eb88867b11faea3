"""The store on a real Redis."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from mlpipeline.data.store import Store, open_store
from mlpipeline.errors import StoreError
from mlpipeline.testing.store import StoreContract
from tests.services.conftest import free_port, running

pytestmark = pytest.mark.services
_counter = itertools.count()


class TestRedis(StoreContract):
    @pytest.fixture(autouse=True)
    def _server(self, redis_port: int) -> None:
        self.url = f"redis://:s3cret@127.0.0.1:{redis_port}/0"

    def make_store(self) -> Store:
        return open_store(self.url, prefix=f"test {next(_counter)}*:")

    def test_keys_of_others_are_not_seen(self) -> None:
        one, two = self.make_store(), self.make_store()
        one.put("key", b"1")
        assert "key" not in two
        assert list(two.keys()) == []

    def test_a_thousand_keys_are_listed(self) -> None:
        store = self.make_store()
        for number in range(1200):
            store.put(f"key {number}", b"xy")
        assert len(list(store.keys())) == 1200
        assert store.size() == 2400

    def test_a_wrong_password_is_said_and_not_shown(self) -> None:
        store = open_store(self.url.replace("s3cret", "wr0ng"))
        with pytest.raises(StoreError, match=r"(?i)pass|auth") as caught:
            store.get("key")
        assert "wr0ng" not in f"{caught.value} {caught.value.__cause__} {store!r}"


def test_a_server_that_goes_in_the_middle_is_said_and_a_key_is_not_called_missing(
    redis_command: list[str], tmp_path: Path
) -> None:
    port = free_port()
    store = open_store(f"redis://:s3cret@127.0.0.1:{port}/0")
    with running([*redis_command, str(port), "--dir", str(tmp_path)], port, tmp_path / "log"):
        store.put("key", b"value")
        assert store.get("key") == b"value"
    for use in (
        lambda: store.get("key"), lambda: store.put("key", b""), lambda: store.delete("key"), lambda: "key" in store,
        lambda: list(store.keys()), lambda: store.size(),
    ):  # fmt: skip
        with pytest.raises(StoreError, match=rf"Redis at 127\.0\.0\.1:{port}/0: "):
            use()
    with running([*redis_command, str(port), "--dir", str(tmp_path)], port, tmp_path / "log"):
        store.put("key", b"back")
        assert store.get("key") == b"back"


def test_a_full_server_is_said_and_the_former_value_stays(redis_command: list[str], tmp_path: Path) -> None:
    port = free_port()
    limits = ["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"]
    with running([*redis_command, str(port), "--dir", str(tmp_path), *limits], port, tmp_path / "log"):
        store = open_store(f"redis://:s3cret@127.0.0.1:{port}/0")
        store.put("key", b"former")

        def attempt() -> None:
            for number in range(20):
                store.put(f"big {number}", b"x" * 500_000)

        with pytest.raises(StoreError, match=r"(?i)memory"):
            attempt()
        assert store.get("key") == b"former"
