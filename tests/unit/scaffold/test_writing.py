"""Writing: all files or none, and never over what is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlpipeline.errors import MlpipelineError, NotWritable
from mlpipeline.scaffold import writing
from mlpipeline.scaffold.writing import write


def test_files_are_written_with_their_directories(tmp_path: Path) -> None:
    root = tmp_path / "new" / "project"
    assert write(root, {"b/c.txt": b"c", "a.txt": b"a"}) == ["a.txt", "b/c.txt"]
    assert (root / "b" / "c.txt").read_bytes() == b"c"


def test_what_is_there_is_listed_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    (tmp_path / "c.txt").symlink_to("nowhere")
    with pytest.raises(MlpipelineError, match=r"^a\.txt, c\.txt are there already: .*nothing was written"):
        write(tmp_path, {"a.txt": b"", "b.txt": b"", "c.txt": b""})
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.txt", "c.txt"]
    assert (tmp_path / "a.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["../a", "/tmp/a", "a/../../b", ""])
def test_nothing_is_written_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(MlpipelineError, match="would not lie in"):
        write(tmp_path / "root", {"good": b"", name: b""})
    assert list(tmp_path.iterdir()) == []


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    (tmp_path / "z").write_text("a file, where a directory should be")
    with pytest.raises(NotWritable, match="nothing was written"):
        write(tmp_path, {"a/b/c.txt": b"", "z/d.txt": b""})
    assert [each.name for each in tmp_path.iterdir()] == ["z"]


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = writing._write

    def interrupted(root: Path, path: Path, content: bytes, made: list[Path]) -> None:
        original(root, path, content, made)
        if path.name == "b.txt":
            raise KeyboardInterrupt

    monkeypatch.setattr(writing, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, {"new/a.txt": b"", "new/b.txt": b"", "new/c.txt": b""})
    assert os.listdir(tmp_path) == []
