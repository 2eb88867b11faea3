"""Saved models go elsewhere and come back; what is cut short, missing or secret."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from mlpipeline.data import remote
from mlpipeline.errors import ArtefactDamaged, ArtefactError, DataFault, NotWritable, StoreError
from mlpipeline.learning import serializers, transfer
from tests.unit.learning.small_models import Paying, fitted

_counter = itertools.count()


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    serializers.save(fitted(), tmp_path / "artefact")
    return tmp_path / "artefact"


@pytest.fixture(params=["memory", "path", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    name = f"place {next(_counter)}/ü"
    return {
        "memory": f"memory://{name}",
        "path": str(tmp_path / name),
        "file": (tmp_path / name).as_uri(),
    }[request.param]


def files(directory: Path) -> dict[str, bytes]:
    paths = [path for path in directory.rglob("*") if path.is_file()]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}


def test_what_went_up_comes_down_byte_by_byte(artefact: Path, url: str, tmp_path: Path) -> None:
    transfer.upload(artefact, url)
    down = transfer.download(url, tmp_path / "down")
    assert files(down) == files(artefact)
    assert serializers.read_manifest(url) == serializers.read_manifest(artefact)
    assert serializers.restore(url).manifest == serializers.read_manifest(artefact)


def test_a_model_is_replaced_only_when_that_is_said(artefact: Path, url: str, tmp_path: Path) -> None:
    transfer.upload(artefact, url)
    serializers.save(fitted(Paying(), metric="rmse"), tmp_path / "other")
    with pytest.raises(ArtefactError, match="is there already: replace=True"):
        transfer.upload(tmp_path / "other", url)
    transfer.upload(tmp_path / "other", url, replace=True)
    transfer.download(url, tmp_path / "down")
    with pytest.raises(ArtefactError, match="is there already: replace=True"):
        transfer.download(url, tmp_path / "down")
    assert files(transfer.download(url, tmp_path / "down", replace=True)) == files(tmp_path / "other")


def test_what_is_no_model_is_left_alone(artefact: Path, tmp_path: Path) -> None:
    source = remote.place("memory://thesis/x")
    source.system.pipe_file("/thesis/x/text.tex", b"much work")
    with pytest.raises(ArtefactError, match="is there already, and is no saved model"):
        transfer.upload(artefact, "memory://thesis/x", replace=True)
    assert source.system.cat_file("/thesis/x/text.tex") == b"much work"


def test_the_manifest_goes_last(artefact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    put, seen = MemoryFileSystem.put_file, []

    def fails_late(self: MemoryFileSystem, source: str, target: str, **more: object) -> None:
        seen.append(target)
        if target.endswith("manifest.json"):
            raise OSError("gone")
        put(self, source, target, **more)

    monkeypatch.setattr(MemoryFileSystem, "put_file", fails_late)
    with pytest.raises(StoreError, match="memory://cut cannot be reached or refuses: gone"):
        transfer.upload(artefact, "memory://cut")
    assert len(seen) == 3
    with pytest.raises(ArtefactError, match=r"memory://cut: is no saved model, there is no manifest\.json"):
        serializers.restore("memory://cut")


def test_what_is_damaged_on_the_way_is_noticed_and_leaves_nothing(artefact: Path, tmp_path: Path) -> None:
    url = "memory://damaged/x"
    transfer.upload(artefact, url)
    system = remote.place(url).system
    whole = system.cat_file("/damaged/x/estimator.json")
    system.pipe_file("/damaged/x/estimator.json", whole[:-1])
    with pytest.raises(ArtefactDamaged, match=r"memory://damaged/x/estimator\.json: has .* bytes"):
        transfer.download(url, tmp_path / "down")
    system.pipe_file("/damaged/x/estimator.json", whole[:-1] + b"]")
    with pytest.raises(ArtefactDamaged, match=r"memory://damaged/x/estimator\.json: was changed"):
        transfer.download(url, tmp_path / "down")
    system.rm_file("/damaged/x/estimator.json")
    with pytest.raises(ArtefactDamaged, match=r"memory://damaged/x/estimator\.json: is missing"):
        transfer.download(url, tmp_path / "down")
    assert [path.name for path in tmp_path.iterdir()] == ["artefact"]


def test_a_damaged_model_does_not_go_up(artefact: Path) -> None:
    (artefact / "encoding.json").write_text("{}")
    with pytest.raises(ArtefactDamaged, match=r"encoding\.json"):
        transfer.upload(artefact, "memory://never")


def test_a_place_that_cannot_be_written_is_named(artefact: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in ("/proc/nothere/x", "file:///proc/x", str(tmp_path / "file" / "x"), str(tmp_path / ("n" * 300))):
        with pytest.raises(NotWritable, match="cannot be written"):
            transfer.upload(artefact, place)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


@pytest.mark.parametrize(
    "url", ["s3://mary:hush-hush@nowhere.example/x?token=hush-hush", "nope://mary:hush-hush@x/y?sig=hush-hush"]
)
def test_nothing_secret_is_shown(artefact: Path, tmp_path: Path, url: str) -> None:
    if url.startswith("s3"):
        pytest.importorskip("s3fs")
    for use in (
        lambda: transfer.upload(artefact, url),
        lambda: transfer.download(url, tmp_path / "down"),
        lambda: serializers.read_manifest(url),
    ):
        with pytest.raises((StoreError, DataFault)) as caught:
            use()
        assert "hush-hush" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert "hush" not in transfer.shown(url)


def test_a_url_that_is_a_model_already_is_saved_over(tmp_path: Path) -> None:
    assert serializers.save(fitted(), "memory://again/x") == "memory://again/x"
    serializers.save(fitted(Paying(), metric="rmse"), "memory://again/x")
    assert serializers.read_manifest("memory://again/x")["target"]["kind"] == "regression"
