"""The command that puts versions and runs side by side."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from tests.unit.cli.conftest import Desk
from tests.unit.observe.test_comparison import ran, seeds


def test_without_any_run_it_says_how_to_begin(desk: Desk) -> None:
    result = desk.type("compare")
    assert (result.exit_code, "nothing to compare" in result.stdout) == (0, True)
    assert desk.json("compare")["rows"] == []


def test_versions_of_a_model_the_best_first(desk: Desk) -> None:
    desk.record(*seeds("narrow", [0.1, 0.2, 0.3]), *seeds("wide", [0.8, 0.9, 0.95]))
    result = desk.type("compare", "digits")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["wide", "narrow"]
    assert lines[-1].startswith("wide beats narrow by 0.6833 in test accuracy: p < 0.001, n = 3")


def test_one_run_is_a_table_of_one_row(desk: Desk) -> None:
    (run,) = seeds("wide", [0.8])
    desk.record(run)
    read = desk.json("compare", run.id)
    assert [row["runs"] for row in read["rows"]] == [[run.id]]
    assert (read["best"], read["sentences"]) == (f"{run.id} wide", [])


def test_each_run_may_be_a_row(desk: Desk) -> None:
    runs = seeds("wide", [0.8, 0.9])
    desk.record(*runs)
    assert len(desk.json("compare")["rows"]) == 1
    labels = [row["label"] for row in desk.json("compare", "--runs")["rows"]]
    assert labels == [f"{runs[1].id} wide", f"{runs[0].id} wide"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nix.py"], "is no run, and no model that has run"),
        (["20261121-04"], "several runs begin with"),
        (["20251121"], "is no run"),
        (["digits.py", "--metric", "acuracy"], "Did you mean 'accuracy'?"),
        (["--study", "last"], "there is no study 'last'"),
    ],
)
def test_what_cannot_be_found_is_told(desk: Desk, words: list[str], said: str) -> None:
    desk.record(*seeds("wide", [0.8, 0.9]))
    result = desk.type("compare", *words)
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_a_ledger_of_a_newer_release_is_refused(desk: Desk) -> None:
    desk.record(*seeds("wide", [0.8]))
    with sqlite3.connect(desk.project.ledger_path) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    result = desk.type("compare")
    assert (result.exit_code, "newer" in result.output) == (2, True), result.output


@pytest.mark.parametrize("form", ["--csv", "--markdown", "--wide"])
def test_names_cannot_steer_a_terminal(desk: Desk, form: str) -> None:
    desk.record(ran("aaaaaa", "\x1b[31mred", {"test": {"\x1b]0;x\x07loss": 1.0}}, params={"a\x1b[2J": "\x1b[5m"}))
    result = desk.type("compare", form)
    assert (result.exit_code, "\x1b" in result.output) == (0, False), result.output


def test_it_changes_no_byte(desk: Desk, bytes_of: Callable[[], dict[str, bytes]]) -> None:
    desk.record(ran("aaaaaa", "one", {"test": {"loss": 1.0}}))
    before = bytes_of()
    for words in ([], ["--csv"], ["--markdown"], ["--json"]):
        assert desk.type("compare", *words).exit_code == 0
    assert bytes_of() == before


def test_limited_rows_say_how_many_more_there_are(desk: Desk) -> None:
    desk.record(*seeds("narrow", [0.1]), *seeds("wide", [0.8]))
    assert "1 more rows" in desk.type("compare", "-n", "1").stdout
