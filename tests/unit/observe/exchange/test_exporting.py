"""Runs go out whole or not at all, also where the disk is full and the outputs are being removed."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import event_files
from mlpipeline.observe.exchange import exporting, json_lines, staging
from mlpipeline.run import Cause, State
from tests.unit.sample_runs import run_in, sample_attempt, sample_run

from .conftest import Desk

ROW = '{{"t": "2026-11-21T04:05:00+00:00", "step": {step}, "values": {{"loss": {loss}}}}}\n'


def recorded(desk: Desk) -> None:
    """Records a run that was tried twice, and one that failed; both say how their loss went."""
    first = sample_attempt("20261121-040406-aaaaaa", 1, State.LOST)
    run = sample_run("aaaaaa", first, sample_attempt("20261121-040406-aaaaaa", 2), params={"net": {"width": 3}})
    failed = run_in(State.FAILED, "bbbbbb", Cause.EXCEPTION, 'a, "b"\nc', version="=cmd|' /C calc'!A0")
    desk.record(run, failed)
    for number, steps in ((1, (0, 1, 2)), (2, (2, 3))):
        rows = [
            {"t": f"2026-11-21T04:05:0{number}+00:00", "step": step, "values": {"train_loss": number}} for step in steps
        ]
        _write(desk.root / f"models/outputs/runs/{run.id}/{number}", rows)
    rows = [{"t": "2026-11-21T04:05:00+00:00", "step": 0, "values": {"loss": "nan"}}]
    _write(desk.attempt_directory(failed), rows)


def _write(place: Path, rows: list[dict[str, Any]]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / "spec.json").write_text("{}")
    (place / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"torn')


def test_a_line_holds_what_all_attempts_recorded(desk: Desk) -> None:
    recorded(desk)
    first, second = (json.loads(line) for line in desk.type("export", "runs", "jsonl").stdout.splitlines())
    assert [(row["step"], row["values"]["train_loss"]) for row in first["recorded"]] == [(0, 1), (1, 1), (2, 2), (3, 2)]
    assert (first["attempts"], first["state"], first["metrics"]["test"]) == (2, "succeeded", {"accuracy": 0.97216})
    assert (second["cause"], second["recorded"][0]["values"]) == ("exception", {"loss": "nan"})


def test_a_table_has_a_column_for_each_parameter_and_result(desk: Desk, tmp_path: Path) -> None:
    recorded(desk)
    file = tmp_path / "runs.csv"
    assert desk.type("export", "runs", "csv", "-o", str(file)).exit_code == 0
    first, second = csv.DictReader(io.StringIO(file.read_text()))
    assert (first["param.net__width"], first["metric.test accuracy"], first["seconds"]) == ("3", "0.97216", "30.0")
    assert (second["message"], second["metric.test accuracy"]) == ('a, "b"\nc', "")
    assert second["version"].startswith("'=")  # no formula for a spreadsheet


def test_a_directory_of_event_files_for_each_run(desk: Desk, tmp_path: Path) -> None:
    recorded(desk)
    place = tmp_path / "events"
    for _ in range(2):
        assert desk.json("export", "runs", "tensorboard", "-o", str(place))["runs"] == 2
        (path,) = place.glob("digits.py/wide/20261121-040406-aaaaaa/train/*")
        assert [(step, name, value) for _, step, name, value in event_files.read(path)] == [
            (0, "loss", 1.0),
            (1, "loss", 1.0),
            (2, "loss", 2.0),
            (3, "loss", 2.0),
            (120, "loss", pytest.approx(0.1)),
        ]
    assert not list(place.rglob("*.part"))


def test_only_what_is_named(desk: Desk) -> None:
    recorded(desk)
    for words, count in ((["digits.py:wide"], 1), (["digits.py"], 2), (["20261121-040406-b"], 1), ([], 2)):
        assert len(desk.type("export", "runs", "jsonl", *words).stdout.splitlines()) == count
    assert desk.type("export", "runs", "jsonl", "--tag", "none").stdout == ""
    assert desk.type("export", "runs", "jsonl", "nothing").exit_code == 2


def test_of_runs_whose_outputs_are_gone_the_ledger_tells(desk: Desk) -> None:
    recorded(desk)
    shutil.rmtree(desk.project.runs_dir)
    result = desk.type("export", "runs", "jsonl")
    assert [json.loads(line)["state"] for line in result.stdout.splitlines()] == ["succeeded", "failed"]
    assert "2 run directories are gone" in result.stderr


def test_outputs_may_be_removed_while_they_are_read(desk: Desk) -> None:
    recorded(desk)
    with_runs = exporting.Travellers(desk.project, _runs(desk))
    found = []
    for run in with_runs:
        found.append(len(list(run.recorded)))
        shutil.rmtree(desk.project.outputs_dir, ignore_errors=True)
    assert found == [4, 0]
    assert with_runs.bare == 1


def test_a_run_that_is_removed_before_its_rows_are_read_is_told(desk: Desk) -> None:
    recorded(desk)
    with_runs = exporting.Travellers(desk.project, _runs(desk)[:1])
    for run in with_runs:
        shutil.rmtree(desk.project.runs_dir)
        assert list(run.recorded) == []
    assert with_runs.bare == 1


def test_a_run_of_many_rows_goes_out_and_comes_in_without_being_held(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = sample_run("aaaaaa")
    desk.record(run)
    count = 8_000  # as Python's objects they take ten times as much as is allowed
    monkeypatch.setattr(json_lines, "_CHUNK", 20_000)
    with (desk.attempt_directory(run) / "metrics.jsonl").open("w") as file:
        file.writelines(ROW.format(step=step, loss=1 / (step + 1)) for step in range(count))
    file_of_lines, back = tmp_path / "runs.jsonl", tmp_path / "back.jsonl"
    with at_most(1_000_000), file_of_lines.open("w") as out:
        assert exporting.json_lines(exporting.Travellers(desk.project, _runs(desk)), out) == 1
    whole = json.loads(file_of_lines.read_text())
    assert [row["step"] for row in whole["recorded"]] == list(range(count))
    with at_most(1_000_000), back.open("w") as out:
        assert exporting.json_lines(json_lines.runs(str(file_of_lines), pytest.fail), out) == 1
    assert back.read_bytes() == file_of_lines.read_bytes()
    with at_most(1_000_000):
        (found,) = json_lines.runs(str(file_of_lines), pytest.fail)
        staging.write(desk.project, tmp_path / "aside", run.id, found, None, ("sources", "digest"))
    rows = (tmp_path / "aside" / "1" / "metrics.jsonl").read_text().splitlines()
    assert list(map(json.loads, rows)) == whole["recorded"]


@contextmanager
def at_most(most: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("at", [1, 2, 3, 7, 50, 1000])
def test_a_line_is_read_the_same_in_pieces_of_any_size(
    at: int, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(desk)
    good = desk.type("export", "runs", "jsonl").stdout
    torn = good.splitlines()[0]
    broken = [
        torn[:-30],
        torn + "]",
        torn.replace(', "recorded"', ' "recorded"'),
        torn.replace("[{", "[5, {"),
        '{"a" 1}',
    ]
    file = tmp_path / "runs.jsonl"
    file.write_text("\n".join([*good.splitlines(), "", "[1]", *broken, "{}", *good.splitlines(), " "]))
    told: list[str] = []
    monkeypatch.setattr(json_lines, "_CHUNK", at)
    found = list(json_lines.runs(str(file), told.append))
    assert [each.split(":")[1] for each in told] == ["4", "5", "6", "7", "8", "9", "10"]
    out = io.StringIO()
    exporting.json_lines(found, out)
    assert out.getvalue() == good * 2


def _runs(desk: Desk) -> list[Any]:
    from contextlib import closing

    from mlpipeline.ledger import Ledger

    with closing(Ledger.open_readonly(desk.project.ledger_path)) as ledger:
        return ledger.runs(newest_first=False)


def test_a_full_disk_leaves_what_was_there(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(desk)
    file, place = tmp_path / "runs.jsonl", tmp_path / "events"
    file.write_text("before")
    assert desk.type("export", "runs", "tensorboard", "-o", str(place)).exit_code == 0
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        result = desk.type("export", "runs", "jsonl", "-o", str(file))
    assert (result.exit_code, "the disk is full" in result.output) == (1, True), result.output
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        result = desk.type("export", "runs", "tensorboard", "-o", str(place))
    assert (result.exit_code, "the disk is full" in result.output) == (1, True), result.output
    assert file.read_text() == "before"
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_full_disk_under_the_standard_output_is_told(desk: Desk, form: str) -> None:
    recorded(desk)
    command = [sys.executable, "-m", "mlpipeline", "--project", str(desk.root), "export", "runs", form]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert (done.returncode, "the disk is full" in done.stderr) == (1, True), done.stderr


def test_names_lead_to_no_other_place(tmp_path: Path) -> None:
    for model, version in (("../../x.py", "../../y"), ("/etc/x", ".."), ("a/../../b", "c/../../../d")):
        found = exporting.directory_of(tmp_path, model, version, "run")
        assert found.resolve().is_relative_to(tmp_path)
        assert found.resolve() != tmp_path


def test_a_run_without_results_or_curves_leaves_no_directory(desk: Desk, tmp_path: Path) -> None:
    desk.record(replace(run_in(State.CANCELLED)))
    assert desk.json("export", "runs", "tensorboard", "-o", str(tmp_path / "events"))["runs"] == 0
