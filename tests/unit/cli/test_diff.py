"""What differs between two runs is told: parameters, code, environment, results."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from mlpipeline.execution import snapshot
from mlpipeline.run import Run
from tests.unit.cli.conftest import Desk
from tests.unit.observe.test_comparison import ran

OLD = b'"""A model."""\nclass Net:\n    def train(self):\n        return 1\n'
NEW = b'"""A model."""\nclass Net:\n    def train(self):\n        return 2\n'


def pair(desk: Desk, before: bytes = OLD, after: bytes = NEW) -> list[Run]:
    """Two runs of one model, with sources and environments."""
    runs = []
    values = ((before, 1, 0.5, "2.0", "aaaaaa"), (after, 3, 0.25, "2.1", "bbbbbb"))
    for code, depth, loss, version, suffix in values:
        copy = snapshot.store(desk.project.sources_dir, {"models/m.py": code}, "models/m.py")
        run = ran(suffix, "wide", {"test": {"loss": loss, "same": 1.0}}, params={"net": {"depth": depth}, "same": 1})
        run = replace(run, sources=copy.sha, code_digest=copy.sha[:16])
        told = {"python": "3.11", "packages": {"numpy": version, "rich": "1"}, "git": {"commit": "c" * 40}}
        (desk.attempt_directory(run) / "environment.json").write_text(json.dumps(told))
        runs.append(run)
    desk.record(*runs)
    return runs


def test_all_that_differs_is_told_and_nothing_else(desk: Desk) -> None:
    one, other = pair(desk)
    read = desk.json("diff", one.id, other.id)
    assert read["runs"] == [f"{one.id}.1", f"{other.id}.1"]
    assert [(row["name"], row["one"], row["other"]) for row in read["parameters"]] == [("net__depth", "1", "3")]
    assert read["code"] == ["Net.train in models/m.py changed"]
    assert [(row["name"], row["one"], row["other"]) for row in read["environment"]] == [("numpy", "2.0", "2.1")]
    assert [(row["name"], row["note"]) for row in read["results"]] == [("test loss", "-0.25, better")]
    assert read["run"] == []


def test_the_lines_of_code_are_shown_when_asked_for(desk: Desk) -> None:
    one, other = pair(desk)
    result = desk.type("diff", one.id, other.id, "--code")
    assert "-        return 1" in result.stdout
    assert "+        return 2" in result.stdout
    assert "return 1" not in desk.type("diff", one.id, other.id).stdout


def test_comments_are_no_change_of_code(desk: Desk) -> None:
    one, other = pair(desk, OLD, OLD + b"# done\n")
    assert "only comments, docstrings or formatting differ" in desk.type("diff", one.id, other.id).stdout


def test_a_run_and_itself_do_not_differ(desk: Desk) -> None:
    one, _ = pair(desk)
    assert "Nothing that is recorded differs." in desk.type("diff", one.id, one.id).stdout


def test_files_that_are_gone_are_told_as_such(desk: Desk) -> None:
    one, other = pair(desk)
    (desk.project.sources_dir / one.sources / snapshot.MANIFEST).unlink()
    (desk.root / other.last.directory / "environment.json").write_text("{torn")
    result = desk.type("diff", one.id, other.id)
    assert (result.exit_code, f"the copied sources of {one.id} are gone" in result.stdout) == (0, True), result.output
    environment = desk.json("diff", one.id, other.id)["environment"]
    assert [(row["one"], row["other"][:9]) for row in environment] == [("known", "not known")], (
        "not each of its packages"
    )


@pytest.mark.parametrize(("other", "said"), [("20261121-0404", "several runs begin"), ("nix", "is no run")])
def test_runs_that_are_not_known_are_told(desk: Desk, other: str, said: str) -> None:
    one, _ = pair(desk)
    result = desk.type("diff", one.id, other)
    assert (result.exit_code, said in result.output) == (2, True)


def test_it_changes_no_byte(desk: Desk, bytes_of: Callable[[], dict[str, bytes]]) -> None:
    one, other = pair(desk)
    before = bytes_of()
    assert desk.type("diff", one.id, other.id, "--code").exit_code == 0
    assert bytes_of() == before
