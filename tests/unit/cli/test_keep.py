"""Keeping house: copies that hold what the run left, names that take their history along."""

from __future__ import annotations

import json
from pathlib import Path

from mlpipeline.run import Run, State
from tests.unit.cli.conftest import Desk
from tests.unit.sample_runs import run_in, sample_run


def keep_model_dir(desk: Desk, run: Run, name: str = "", /, **owner: str | int) -> Path:
    directory = desk.project.model_dirs / (name or run.model_dir)
    directory.mkdir(parents=True)
    fingerprint = f"{run.code_digest}-{run.params_digest}"
    (directory / ".mlpipeline.json").write_text(json.dumps({"fingerprint": fingerprint, "seed": run.seed} | owner))
    (directory / "weights").write_text(str(owner["run"]))
    return directory


def test_get_copies_what_the_run_left(desk: Desk, tmp_path: Path) -> None:
    run = sample_run()
    desk.record(run)
    keep_model_dir(desk, run, run=run.id)
    (desk.attempt_directory(run) / "output.log").write_text("hello")
    result = desk.type("get", run.id, str(tmp_path / "best"))
    assert result.exit_code == 0, result.output
    assert (tmp_path / "best" / "model_dir" / "weights").read_text() == run.id
    assert (tmp_path / "best" / "records" / "output.log").read_text() == "hello"
    assert list(tmp_path.glob("*.part")) == []


def test_get_finds_weights_that_were_renamed_aside(desk: Desk, tmp_path: Path) -> None:
    run = sample_run()
    desk.record(run)
    keep_model_dir(desk, run, run="other", fingerprint="x-y")
    keep_model_dir(desk, run, f"{run.model_dir}.old-c", run=run.id)
    assert desk.json("get", run.id, str(tmp_path / "best"))["note"] == ""
    assert (tmp_path / "best" / "model_dir" / "weights").read_text() == run.id


def test_get_never_passes_a_strangers_weights_off_as_the_runs(desk: Desk, tmp_path: Path) -> None:
    run = sample_run()
    desk.record(run)
    desk.attempt_directory(run)
    keep_model_dir(desk, run, run="other", fingerprint="x-y")
    assert "replaced by later runs" in desk.type("get", run.id, str(tmp_path / "best")).stdout
    assert not (tmp_path / "best" / "model_dir").exists()


def test_get_overwrites_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.record(sample_run())
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "mine").touch()
    assert desk.type("get", "digits.py", str(tmp_path / "best")).exit_code == 2


def test_a_renamed_model_keeps_its_history(desk: Desk) -> None:
    desk.record(sample_run("aaaaaa"), sample_run("bbbbbb", version="deep"))
    result = desk.type("mv", "digits", "net")
    assert result.exit_code == 0, result.output
    assert "2 runs" in result.stdout
    assert {each["model"] for each in desk.json("history")["runs"]} == {"net.py"}
    (line,) = (desk.project.outputs_dir / "renames.jsonl").read_text().splitlines()
    assert json.loads(line) | {"kind": "model", "old": "digits.py", "new": "net.py"} == json.loads(line)


def test_a_renamed_version_keeps_its_history(desk: Desk) -> None:
    desk.record(sample_run("aaaaaa"), sample_run("bbbbbb", version="deep"))
    assert desk.type("mv", "digits.py:wide", "digits.py:w32").exit_code == 0
    assert {each["version"] for each in desk.json("history")["runs"]} == {"w32", "deep"}


def test_a_renaming_does_not_hang_on_a_line_that_a_crash_tore(desk: Desk) -> None:
    desk.record(sample_run())
    (desk.project.outputs_dir / "renames.jsonl").write_text('{"kind": "mod')
    assert desk.type("mv", "digits", "net").exit_code == 0
    torn, whole = (desk.project.outputs_dir / "renames.jsonl").read_text().splitlines()
    assert (torn, json.loads(whole)["new"]) == ('{"kind": "mod', "net.py")


def test_names_that_cannot_be_renamed_are_refused(desk: Desk) -> None:
    desk.record(
        sample_run("aaaaaa"), sample_run("bbbbbb", version="deep"), run_in(State.RUNNING, "cccccc", model="l.py")
    )
    for words in (("digits.py:wide", "digits.py:deep"), ("digits.py:wide", "net.py"), ("digits.py", "net.py:a"),
                  ("none.py", "net.py"), ("l.py", "net.py"), ("digits.py:wide", "net.py:wide")):  # fmt: skip
        assert desk.type("mv", *words).exit_code == 2, words


def test_fsck_of_an_empty_project_is_well(desk: Desk) -> None:
    assert "All well" in desk.type("fsck").stdout


def test_what_a_new_ledger_does_not_mend_is_not_advised_to_be_made_anew_again(desk: Desk) -> None:
    run = sample_run()
    desk.record(run)
    assert "Make the ledger anew: mlpipeline fsck --rebuild" in desk.type("fsck").stdout
    for name in ("spec.json", "started.json", "outcome.json"):
        (desk.attempt_directory(run) / name).write_text("{torn")
    result = desk.type("fsck", "--rebuild")
    assert (result.exit_code, "comes back from a backup alone" in result.stdout) == (1, True), result.output
