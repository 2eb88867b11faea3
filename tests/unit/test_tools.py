"""The tools of a release: archives that are the same bytes each time, and extras of which each has its turn."""

from __future__ import annotations

import importlib.util
import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from mlpipeline.execution import packages

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture(autouse=True)
def _modules_of_their_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = sys.modules.get("build")
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in ("build", "installs"):
        sys.modules.pop(name, None)
    if before is not None:
        sys.modules["build"] = before


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def archive(place: Path, seconds: int, names: list[str]) -> Path:
    place.mkdir()
    for name in names:
        (place / name).write_text(name)
        os.utime(place / name, (seconds, seconds))
    path = place / "a.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        for name in names:
            file.add(place / name, name)
    return path


def test_archives_of_the_same_files_become_the_same_bytes(tmp_path: Path) -> None:
    module = load("build")
    first, second = archive(tmp_path / "1", 10**9, ["a", "b"]), archive(tmp_path / "2", 10**9 + 7, ["b", "a"])
    assert first.read_bytes() != second.read_bytes()
    module._even(first, 5)
    module._even(second, 5)
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as file:
        assert [(each.name, each.mtime, each.uid, each.uname) for each in file] == [("a", 5, 0, ""), ("b", 5, 0, "")]


def test_all_of_the_package_is_built_and_nothing_of_what_lies_around_it(tmp_path: Path) -> None:
    module = load("build")
    module.copy_sources(tmp_path / "copy")
    package = TOOLS.parent / "mlpipeline"
    names = {path.relative_to(package) for path in package.rglob("*") if "__pycache__" not in path.parts}
    copied = tmp_path / "copy" / "mlpipeline"
    assert {path.relative_to(copied) for path in copied.rglob("*")} == names
    assert Path("scaffold/templates/project/queue/tests/test_line.py.jinja") in names
    assert not {"tests", ".git", "__pycache__"} & {path.name for path in (tmp_path / "copy").iterdir()}


def test_the_time_of_a_build_is_what_is_asked_for_or_the_last_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load("build")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "123")
    assert module.epoch() == 123
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    assert module.epoch() == module._EARLIEST, "an archive of the sources has no git"


def test_each_small_extra_has_its_turn_and_none_is_unknown() -> None:
    load("build")
    module = load("installs")
    assert set(module.SMALL) <= set(module.extras())
    turns = [set(module.rotating(number)) for number in range(len(module.SMALL) // module.AT_A_TIME)]
    assert set().union(*turns) == set(module.SMALL)
    assert {len(each) for each in turns} == {module.AT_A_TIME}
    assert set(module.FOR_THIS_PROJECT).isdisjoint(module.extras())
    assert set(module.FOR_THIS_PROJECT) == packages.FOR_ITSELF


def test_what_is_wrong_with_one_extra_keeps_no_other_from_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load("build")
    module = load("installs")
    seen = []

    def install(place: Path, wheel: Path, extra: str | None) -> None:
        seen.append(extra)
        if extra == "sql":
            raise module.Failed("no such thing")

    monkeypatch.setattr(module, "install", install)
    assert module.try_each(tmp_path, tmp_path / "wheel", ["sql", "tune"]) == ["sql"]
    assert seen == [None, "sql", "tune"]
    assert capsys.readouterr().out == "sql: FAILED\nno such thing\n"


def test_an_extra_that_brings_nothing_need_not_be_told_as_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load("build")
    module = load("installs")
    monkeypatch.setattr(
        module, "run", lambda *words, **_: "{}" if "installed.py" in str(words[-1]) else "extras installed: none\n"
    )
    assert module.install(tmp_path, tmp_path / "wheel", "slurm") == {}
    with pytest.raises(module.Failed, match="tune is installed, and mlpipeline --version says"):
        module.install(tmp_path, tmp_path / "wheel", "tune")
