"""Stores, Parquet and files on real S3 servers."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlpipeline.data import remote
from mlpipeline.data.connection import Connection
from mlpipeline.data.store import Store, open_store
from mlpipeline.errors import DataFault, StoreError
from mlpipeline.testing.store import StoreContract
from tests.services.conftest import S3, free_port, moto_command, running

pytestmark = pytest.mark.services
_counter = itertools.count()


def bucket(server: S3) -> str:
    """Makes a bucket of its own, and returns its name."""
    import boto3

    name = f"bucket-{next(_counter)}"
    client = boto3.client(
        "s3", endpoint_url=server.endpoint, aws_access_key_id=server.key, aws_secret_access_key=server.secret,
        region_name="us-east-1",
    )  # fmt: skip
    client.create_bucket(Bucket=name)
    client.close()
    return name


class TestMoto(StoreContract):
    @pytest.fixture(autouse=True)
    def _server(self, s3: S3) -> None:
        self.server = s3

    def make_store(self) -> Store:
        return open_store(f"s3://{bucket(self.server)}/some/where", **self.server.options)

    def test_what_others_write_is_seen_at_once(self) -> None:
        url = f"s3://{bucket(self.server)}/x"
        one, two = open_store(url), open_store(url)
        assert list(two.keys()) == []
        one.put("key", b"1")
        assert list(two.keys()) == ["key"]
        assert two.get("key") == b"1"

    def test_a_bucket_that_is_not_there_is_an_error(self) -> None:
        with pytest.raises(StoreError):
            open_store("s3://no-such-bucket/x").put("key", b"1")


@pytest.fixture(scope="session")
def swift(folder: Path) -> Iterator[S3]:
    """OpenStack Swift, which checks signatures; where it is installed."""
    if shutil.which("swift-proxy-server") is None or shutil.which("memcached") is None:
        pytest.skip(
            "Swift is not installed: apt-get install swift-proxy swift-account swift-container swift-object memcached"
        )
    from tests.services import swift as server

    port = free_port()
    with server.running(folder / "swift", port):
        yield S3(f"http://127.0.0.1:{port}", "test:tester", "testing")


def test_a_server_that_checks_signatures_takes_ours(swift: S3) -> None:
    """Not the whole contract: Swift ends the answer about a key that is not there as aiohttp does not bear it."""
    store = open_store(f"s3://{bucket(swift)}/some/where", **swift.options)
    for value in (b"first, and longer", b"second"):
        store.put("a/b ü", value)
        assert store.get("a/b ü") == value
    assert list(store.keys("a/")) == ["a/b ü"]
    assert store.size() == 6
    assert "a/b ü" in store


def test_a_wrong_secret_is_refused_and_not_shown(swift: S3) -> None:
    options: dict[str, Any] = {**swift.options, "secret": "wr0ng"}
    store = open_store(f"s3://{bucket(swift)}/x", **options)
    with pytest.raises(StoreError) as caught:
        store.put("key", b"1")
    assert "wr0ng" not in f"{caught.value} {caught.value.__cause__} {store!r}"


def test_a_server_that_goes_in_the_middle_is_said_and_a_key_is_not_called_missing(tmp_path: Path) -> None:
    port = free_port()
    server = S3(f"http://127.0.0.1:{port}", "key", "hush")
    with running(moto_command(port), port, tmp_path / "log"):
        store = open_store(f"s3://{bucket(server)}/x", **server.options)
        store.put("key", b"value")
        assert store.get("key") == b"value"
    for use in (
        lambda: store.get("key"), lambda: store.put("key", b""), lambda: store.delete("key"), lambda: "key" in store,
        lambda: list(store.keys()), lambda: store.size(),
    ):  # fmt: skip
        with pytest.raises(StoreError, match=r"s3://bucket-.*/x cannot be reached or refuses"):
            use()


def test_parquet_goes_to_s3_and_comes_back(s3: S3, tmp_path: Path) -> None:
    place = f"s3://{bucket(s3)}/unloads/users"
    db = Connection("sqlite:///d.db", root=tmp_path)
    frame = pd.DataFrame({"id": range(10), "name": [None, *"abcdefghi"]})
    db.insert("users", frame, create=True)
    written = db.unload(place, "select * from users order by id", rows_per_file=4)
    assert written == [f"{place}/part-0000{number}.parquet" for number in range(3)]
    pd.testing.assert_frame_equal(db.load_dataframe(place), frame)
    with pytest.raises(DataFault, match="holds 3 Parquet files"):
        db.unload(place, "select 1 as one")
    assert len(db.unload(place, "select * from users", overwrite=True)) == 1
    db.load("copied", place, create=True)
    assert db.select("select count(*) from copied") == [(10,)]
    db.close()


def test_files_go_up_and_down(s3: S3, tmp_path: Path) -> None:
    url = f"s3://{bucket(s3)}/test/deep/file.txt"
    (tmp_path / "file.txt").write_text("hello")
    remote.upload(tmp_path / "file.txt", url)
    assert remote.download(url, directory=tmp_path / "kept").read_text() == "hello"
    (tmp_path / "file.txt").write_text("again")
    remote.upload(tmp_path / "file.txt", url)
    assert remote.download(url, directory=tmp_path / "kept").read_text() == "hello"
    assert remote.download(url, directory=tmp_path / "kept", cache=False).read_text() == "again"
    with pytest.raises(DataFault, match="recursive=True"):
        remote.delete(url.removesuffix("file.txt"))
    remote.delete(url)
    with pytest.raises(DataFault, match="there is nothing at"):
        remote.download(url, tmp_path / "other")


def test_a_saved_model_goes_up_and_comes_down(s3: S3, tmp_path: Path) -> None:
    from mlpipeline.errors import ArtefactDamaged, ArtefactError
    from mlpipeline.learning import serializers, transfer
    from tests.unit.learning.small_models import Paying, fitted

    url = f"s3://{bucket(s3)}/models/people"
    with pytest.raises(ArtefactError, match=r"is no saved model, there is no manifest\.json"):
        serializers.restore(url)
    assert serializers.save(fitted(), url) == url
    with pytest.raises(ArtefactError, match="replace=True"):
        transfer.upload(Path(str(serializers.save(fitted(), tmp_path / "a"))), url)
    serializers.save(fitted(Paying(), metric="rmse"), url)
    found = serializers.restore(url)
    assert found.manifest["target"]["kind"] == "regression"
    target = remote.place(url)
    target.system.pipe_file(target.below("estimator.json"), b"{}")
    with pytest.raises(ArtefactDamaged, match=r"s3://bucket-\d+/models/people/estimator\.json: has 2 bytes"):
        transfer.download(url, tmp_path / "down")
    with pytest.raises(StoreError, match="s3://no-such-bucket/x cannot be reached or refuses"):
        transfer.upload(tmp_path / "a", "s3://no-such-bucket/x")


def test_a_saved_model_goes_to_a_server_that_checks_signatures(swift: S3, tmp_path: Path) -> None:
    from mlpipeline.learning import serializers, transfer
    from tests.unit.learning.small_models import fitted

    url = f"s3://{bucket(swift)}/models/people"
    serializers.save(fitted(), tmp_path / "a")
    transfer.upload(tmp_path / "a", url, **swift.options)
    transfer.upload(tmp_path / "a", url, replace=True, **swift.options)
    assert transfer.read_manifest(url, **swift.options) == serializers.read_manifest(tmp_path / "a")
    serializers.restore(transfer.download(url, tmp_path / "down", **swift.options))
    wrong: dict[str, Any] = {**swift.options, "secret": "wr0ng"}
    with pytest.raises(StoreError) as caught:
        transfer.download(url, tmp_path / "other", **wrong)
    assert "wr0ng" not in f"{caught.value} {caught.value.__cause__}"
