"""What holds for every command that looks back: odd references, a newer ledger, files that go, a full disk."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mlpipeline import ledger_file, metrics
from mlpipeline.ledger import Ledger
from mlpipeline.run import Run, State
from tests.unit.cli.conftest import Desk
from tests.unit.observe.test_comparison import ran, seeds
from tests.unit.sample_runs import run_in

RUN, OTHER = "20261121-040406-widaab", "20261121-040406-narrow"
COMMANDS: dict[str, Callable[[str], list[str]]] = {
    "compare": lambda run: ["compare", run],
    "plot": lambda run: ["plot", run],
    "diff": lambda run: ["diff", OTHER, run],
    "tag": lambda run: ["tag", run],
    "note": lambda run: ["note", run, "why"],
    "show": lambda run: ["show", run],
    "logs": lambda run: ["logs", run],
}
TELLING = sorted(COMMANDS.keys() - {"logs"})
WITHOUT_RUN = {"history": ["history"], "journal": ["journal"], "all": ["compare"], "drawn": ["plot"]}


@contextmanager
def full_disk() -> Iterator[None]:
    """No file grows beyond 100 bytes: a write fails in the middle, as on a disk without room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writes_no_bytecode = sys.dont_write_bytecode
    # Python 3.11 keeps the first bytes of a module's bytecode where the rest finds no room: it cannot be imported then.
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes_no_bytecode
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def record(desk: Desk) -> list[Run]:
    """Three runs with curves, of two versions."""
    runs = [*seeds("wide", [0.8, 0.9]), ran("narrow", "narrow", {"test": {"accuracy": 0.1}})]
    desk.record(*runs)
    for run in runs:
        told = metrics.lines((1.0, n, {"loss": 1 / n}) for n in range(1, 100))
        (desk.attempt_directory(run) / "metrics.jsonl").write_text(told)
    return runs


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("run", "said"), [("20261121-0404", "several runs begin with"), ("20251121", "history")])
def test_ids_that_are_ambiguous_or_unknown_are_told(desk: Desk, command: str, run: str, said: str) -> None:
    record(desk)
    result = desk.type(*COMMANDS[command](run))
    assert (result.exit_code, said in result.output) == (2, True), result.output


@pytest.mark.parametrize("words", [*(each(RUN) for each in COMMANDS.values()), *WITHOUT_RUN.values()])
def test_a_ledger_of_a_newer_release_is_refused(desk: Desk, words: list[str]) -> None:
    record(desk)
    with sqlite3.connect(desk.project.ledger_path) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    result = desk.type(*words)
    assert (result.exit_code, "upgrade mlpipeline" in result.output) == (2, True), result.output


@pytest.mark.parametrize("words", [*(COMMANDS[each](RUN) for each in TELLING), *WITHOUT_RUN.values()])
def test_runs_whose_directories_are_gone_are_still_told(desk: Desk, words: list[str]) -> None:
    record(desk)
    shutil.rmtree(desk.project.runs_dir)
    result = desk.type(*words)
    assert (result.exit_code, bool(result.output)) == (0, True), result.output


@pytest.mark.parametrize(("kind", "status"), [("curves", 2), ("bars", 0)])
def test_curves_that_are_gone_are_told_and_results_stay(desk: Desk, kind: str, status: int) -> None:
    record(desk)
    shutil.rmtree(desk.project.runs_dir)
    result = desk.type("plot", "--kind", kind)
    assert (result.exit_code, "--kind bars shows results" in result.output) == (status, status == 2), result.output


def test_directories_that_go_while_curves_are_read_end_no_plot(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlpipeline.observe import curves

    record(desk)
    read = curves.read

    def read_and_lose(path: Path) -> dict[str, curves.Curve]:
        found = read(path)
        shutil.rmtree(desk.project.outputs_dir, ignore_errors=True)
        return found

    monkeypatch.setattr(curves, "read", read_and_lose)
    result = desk.type("plot", "--kind", "curves")
    assert (result.exit_code, "2 of the runs did not record it" in result.output) == (0, True), result.output


@pytest.mark.parametrize("name", ["x.png", "x.svg", "x.pdf", "x.md", "x.org"])
def test_on_a_full_disk_the_old_file_stays_and_no_half_one(desk: Desk, tmp_path: Path, name: str) -> None:
    record(desk)
    words = ["journal"] if name.endswith(("md", "org")) else ["plot"]
    if words == ["plot"]:
        pytest.importorskip("matplotlib")
    place = tmp_path / "written"
    place.mkdir()
    (place / name).write_bytes(b"old\n")
    # A reader's own files beside the ledger are there already, as they are while a scheduler writes.
    with closing(Ledger.open_readonly(desk.project.ledger_path)), full_disk():
        result = desk.type(*words, "-o", str(place / name))
        left = [path.name for path in place.iterdir()]
    assert (result.exit_code, f"{name} cannot be written" in result.output) == (2, True), result.output
    assert (left, (place / name).read_bytes()) == ([name], b"old\n")
    assert desk.type(*words, "-o", str(place / name)).exit_code == 0
    assert (place / name).stat().st_size > 100


def test_a_full_disk_hides_no_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    record(desk)
    monkeypatch.setattr(ledger_file, "_LITTLE_SPACE", 1 << 62)
    with full_disk():
        result = desk.type("compare")
        (desk.project.ledger_path.with_name(f"{desk.project.ledger_path.name}-wal")).write_bytes(b"more records")
        unsure = desk.type("compare")
    assert (result.exit_code, "narrow" in result.stdout) == (0, True), result.output
    assert (unsure.exit_code, "the disk is full" in unsure.output) == (1, True), unsure.output


def live(desk: Desk) -> tuple[Run, Run]:
    """A run that trains on another machine, and one whose processes are gone."""
    trains, lost = run_in(State.RUNNING, "trains", version="trains"), run_in(State.RUNNING, "lostaa", version="lost")
    trains = replace(trains, attempts=(replace(trains.last, executor="elsewhere"),))
    desk.record(trains, lost)
    directory = desk.attempt_directory(trains)
    (directory / "progress.json").write_text(json.dumps({"step": 7, "total": 50}))
    (directory / "metrics.jsonl").write_text(metrics.lines((1.0, n, {"loss": n / 7}) for n in range(8)) + '{"t": ')
    return trains, lost


def test_live_runs_are_told_as_status_tells_them(desk: Desk) -> None:
    live(desk)
    rows = {row["version"]: (row["state"], row["now"]) for row in desk.json("compare")["rows"]}
    assert rows == {"trains": ("running", "running 14%"), "lost": ("running", "lost")}
    assert "running 14%" in desk.type("compare").stdout
    lines = desk.type("journal").stdout.splitlines()
    assert ["lost" in line for line in lines if line.startswith(("1. ", "2. "))] == [False, True]
    assert [run["now"] for run in desk.json("journal")["entries"][0]["runs"]] == ["running 14%", "lost"]


def test_a_live_run_is_drawn_as_far_as_it_is(desk: Desk) -> None:
    live(desk)
    (series,) = desk.json("plot", "digits.py")["chart"]["series"]
    assert series["y"] == pytest.approx([n / 7 for n in range(8)])


def test_metrics_that_are_odd_or_missing_in_some_runs_are_told(desk: Desk) -> None:
    odd = [{"accuracy": "nan"}, {"accuracy": 0.5}, {}, {"accuracy": "inf", "loss": 1.0}]
    runs = [ran(f"{'abcd'[n] * 6}", f"v{n}", {"test": told}) for n, told in enumerate(odd)]
    desk.record(*(replace(run, params_digest=str(n)) for n, run in enumerate(runs)))
    rows = {row["version"]: row["metrics"].get("test accuracy") for row in desk.json("compare")["rows"]}
    assert {name: told and (told["mean"], told["not_finite"]) for name, told in rows.items()} == {
        "v0": (None, ["nan"]),
        "v1": (0.5, []),
        "v2": None,
        "v3": (None, ["inf"]),
    }
    assert desk.json("compare")["best"] == "v1"
    assert "3 rows without a finite test accuracy, not drawn" in desk.type("plot").stdout
