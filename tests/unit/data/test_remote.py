"""Files elsewhere: names, downloads that are whole, archives that cannot lead out."""

from __future__ import annotations

import contextlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from mlpipeline.data import remote
from mlpipeline.errors import DataFault, StoreError


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/README.rst", "test/README.rst"),
        ("README.rst", "test/README.rst"),
        ("test/README.rst", "test/README.rst"),
        ("test_not_env/x", "test/test_not_env/x"),
    ],
)
def test_a_key_is_below_its_prefix_once(path: str, expected: str) -> None:
    assert remote.prefixed(path, "test") == expected


def test_a_local_file_is_called_by_the_rest_of_its_path() -> None:
    assert remote.from_local("/work/x", Path("/work")) == "/x"
    assert remote.from_local("x/y", Path("/work")) == "x/y"
    assert remote.from_local("/workshop/x", Path("/work")) == "/workshop/x"


def test_a_file_is_fetched_once(tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}/deep/a.txt"
    source = remote.place(url)
    source.system.pipe_file(source.path, b"first")
    kept = remote.download(url, directory=tmp_path)
    assert (kept.name, kept.read_bytes()) == ("a.txt", b"first")
    source.system.pipe_file(source.path, b"second")
    assert remote.download(url, directory=tmp_path).read_bytes() == b"first"
    assert remote.download(url, directory=tmp_path, cache=False).read_bytes() == b"second"
    assert remote.download(url, tmp_path / "here").read_bytes() == b"second"
    assert list(tmp_path.rglob("*.part")) == []


def test_equal_names_from_different_places_are_kept_apart(tmp_path: Path) -> None:
    urls = [f"memory://{tmp_path.name}/{folder}/a.txt" for folder in "xy"]
    for url in urls:
        remote.place(url).system.pipe_file(remote.place(url).path, url.encode())
    assert [remote.download(url, directory=tmp_path).read_text() for url in urls] == urls


def test_what_is_not_there_or_not_known_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataFault, match="there is nothing at memory://nowhere/a"):
        remote.download("memory://nowhere/a", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DataFault, match="nonsense://x"):
        remote.download("nonsense://x", tmp_path / "a")
    with pytest.raises(DataFault, match="is no file"):
        remote.upload(tmp_path / "none", "memory://x")
    with pytest.raises(StoreError, match="cannot be reached or refuses"):
        remote.delete(f"{tmp_path}/none")


def test_directories_go_only_when_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").touch()
    with pytest.raises(DataFault, match="recursive=True"):
        remote.delete(f"{tmp_path}/a/")
    remote.delete(f"{tmp_path}/a/", recursive=True)
    assert not (tmp_path / "a").exists()


def archive(path: Path, names: dict[str, bytes]) -> str:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as made:
            for name, content in names.items():
                made.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz") as made_tar:
            for name, content in names.items():
                facts = tarfile.TarInfo(name)
                facts.size = len(content)
                made_tar.addfile(facts, io.BytesIO(content))
    return str(path)


@pytest.mark.parametrize("name", ["data.zip", "data.tar.gz", "data.tgz"])
def test_archives_are_unpacked_beside_themselves(tmp_path: Path, name: str) -> None:
    url = archive(tmp_path / name, {"deep/a.txt": b"hello"})
    folder = remote.download(url, tmp_path / "kept" / name, extract=True)
    assert folder == tmp_path / "kept" / "data"
    assert (folder / "deep" / "a.txt").read_bytes() == b"hello"
    assert remote.download(url, tmp_path / "kept" / name, extract=True) == folder


@pytest.mark.parametrize("name", ["data.zip", "data.tar.gz"])
@pytest.mark.parametrize("member", ["../out.txt", "/tmp/mlp-out.txt", "a/../../out.txt"])
def test_no_archive_leads_out_of_its_directory(tmp_path: Path, name: str, member: str) -> None:
    url = archive(tmp_path / name, {member: b"evil"})
    (tmp_path / "kept").mkdir()
    with contextlib.suppress(DataFault):
        remote.download(url, tmp_path / "kept" / "x" / name, extract=True)
    assert not (tmp_path / "kept" / "out.txt").exists()
    assert not Path("/tmp/mlp-out.txt").exists()
    assert [path.name for path in tmp_path.rglob("*.part")] == []


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"nothing of the kind")
    (tmp_path / "a.txt").touch()
    for name, message in (("a.zip", "cannot be unpacked"), ("a.txt", "is no archive")):
        with pytest.raises(DataFault, match=message):
            remote.download(str(tmp_path / name), tmp_path / "kept" / name, extract=True)
