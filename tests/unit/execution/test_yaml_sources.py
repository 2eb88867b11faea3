"""Workflow files among a model's sources: what counts of them, and how they are read from copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlpipeline.execution import describe, fingerprint, loader, snapshot
from mlpipeline.execution.snapshot import Place

TEXT = b"runner: My  # a comment\nconfig: {a: 1, b: ['x', 2]}\nversions: {one: {a: 2}}\ndescription: words\n"


def digest(text: bytes) -> str:
    return fingerprint.code_digest({"models/m.yaml": text}, "models/m.yaml")


@pytest.mark.parametrize(
    "same",
    [
        b"runner: My\nconfig:\n  a: 1\n  b: [\"x\", 2]\n",
        TEXT.replace(b"a: 2", b"a: 3"),
        TEXT.replace(b"words", b"others"),
        b"# more\n" + TEXT,
    ],
)  # fmt: skip
def test_comments_layout_versions_and_descriptions_do_not_count(same: bytes) -> None:
    assert digest(TEXT) == digest(same)


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace(b"a: 1", b"a: 2"),
        TEXT.replace(b"a: 1", b"a: '1'"),
        TEXT.replace(b"'x', 2", b"2, 'x'"),
        TEXT.replace(b"My", b"Other"),
        b"config: {a: 1, b: ['x', 2]}\nrunner: My\n",
        TEXT.replace(b"config", b"versions_"),
        TEXT + b"x: [",
    ],
)
def test_everything_else_counts(other: bytes) -> None:
    assert digest(TEXT) != digest(other)


def test_versions_below_the_top_count() -> None:
    assert digest(b"a: {versions: 1}\n") != digest(b"a: {versions: 2}\n")


def test_a_bomb_of_aliases_is_compared_as_it_is() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert digest("\n".join(rows).encode()) != digest("\n".join([*rows, "# more"]).encode())


def test_a_copy_is_read_and_what_is_new_is_told(tmp_path: Path) -> None:
    place = Place(root=tmp_path, models_dir=tmp_path, main=tmp_path / "m.yaml")
    (tmp_path / "m.yaml").write_text("live")
    (tmp_path / "other.yaml").write_text("other")
    told: list[Path] = []
    finder = loader.SourcesFinder(place, {"m.yaml": b"copied"}, lambda path, _: told.append(path))
    assert finder.read(tmp_path / "m.yaml") == b"copied"
    assert [finder.read(tmp_path / "other.yaml") for _ in range(2)] == [b"other", b"other"]
    assert told == [(tmp_path / "other.yaml").resolve()]
    with pytest.raises(FileNotFoundError):
        finder.read(tmp_path / "gone.yaml")
    assert (tmp_path / "gone.yaml").resolve() in finder.looked_at


def test_what_was_looked_at_in_vain_is_told_so_that_its_appearance_is_seen(tmp_path: Path) -> None:
    place = Place(root=tmp_path, models_dir=tmp_path, main=tmp_path / "m.yaml")
    (tmp_path / "components" / "deep").mkdir(parents=True)
    (tmp_path / "components" / "a.py").write_text("a")
    (tmp_path / "components" / "__pycache__").mkdir()
    paths = [tmp_path / "components", tmp_path / "gone", tmp_path / "components" / "a.py"]
    before = snapshot.looked_at(paths, place)
    assert set(before) == {"components", "components/deep", "gone", "components/a.py"}
    assert before["gone"] == "missing"
    (tmp_path / "components" / "deep" / "b.py").write_text("b")
    (tmp_path / "components" / "__pycache__" / "a.pyc").write_text("")
    after = snapshot.looked_at(paths, place)
    assert {name for name in before if before[name] != after[name]} == {"components/deep"}


def test_a_faulty_workflow_is_described_by_its_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "m.yaml").write_text("runner: Nothing\nconfig: {a: $nothing}\n")
    told = describe.describe(Place(root=tmp_path, models_dir=tmp_path, main=tmp_path / "m.yaml"), None)
    assert told["fault"].splitlines()[0].startswith("m.yaml:1:9: there is no runner 'Nothing'.")
    assert told["files"]["components"] == "missing"
    (tmp_path / "m.yaml").write_text("a: 1\n")
    told = describe.describe(Place(root=tmp_path, models_dir=tmp_path, main=tmp_path / "m.yaml"), None)
    assert (told["has_model"], "name a runner under `runner:`" in told["fault"]) == (False, True)
    (tmp_path / "m.toml").write_text("a = 1\n")
    told = describe.describe(Place(root=tmp_path, models_dir=tmp_path, main=tmp_path / "m.toml"), None)
    assert "there is no model_format '.toml'" in told["fault"]
