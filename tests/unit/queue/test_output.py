"""The host's log and output file: whole, plain, bounded, and not to be forged by what a model says."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlpipeline.errors import DiskFull
from mlpipeline.project import Project
from mlpipeline.queue.output import KEEP, HostFiles, plain
from mlpipeline.run import Cause, State
from tests.unit.sample_runs import run_in, sample_run

OTHER = "20261121-040406-zzzzzz"
LAST_LINE = re.compile(r"^run \S+\.\d+$", re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    made = Project.load(tmp_path)
    made.outputs_dir.mkdir(parents=True)
    return made


@pytest.fixture
def files(project: Project) -> HostFiles:
    return HostFiles(project, enabled=True)


def test_a_line_has_date_level_run_and_message(files: HostFiles) -> None:
    files.log("start digits.py:wide", "WARNING", "20261121-040406-aaaaaa.1")
    files.log("idle")
    first, second = files.project.log_path.read_text().splitlines()
    date = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.fullmatch(rf"{date} WARNING \[20261121-040406-aaaaaa\.1\] start digits\.py:wide", first)
    assert re.fullmatch(rf"{date} INFO    idle", second)


def test_escape_codes_and_controls_are_removed() -> None:
    assert plain("\x1b[31mred\x1b[0m \x1b]0;title\x07bell\x07 tab\tend") == "red bell tab\tend"
    assert plain("a\r\nb\rc\nd") == "a\nb\nc\nd"
    assert plain("ok \udcff") == "ok \\udcff"


def test_a_message_of_several_lines_stays_one_entry(files: HostFiles) -> None:
    files.message("one\ntwo\rthree", "INFO", "x.1")
    files.message("20:00 [x.1] | four\n 2026 INFO [x.1] | five", "INFO", "x.1")
    lines = files.project.log_path.read_text().splitlines()
    assert [line.startswith("    ") for line in lines] == [False, True, True, False, True]
    assert files.count_messages("x.1") == 2
    assert files.count_messages("y.1") == 0


def test_each_entry_is_appended_by_one_write(files: HostFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    write = os.write

    def noted(descriptor: int, data: bytes) -> int:
        written.append(data)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", noted)
    files.log("one\ntwo")
    run = sample_run()
    files.block(run, run.last, {})
    assert len(written) == 2
    assert all(data.endswith(b"\n") for data in written)


def test_a_block_tells_everything_and_ends_with_its_run(files: HostFiles) -> None:
    run = run_in(State.FAILED, cause=Cause.EXCEPTION, message="ValueError: no")
    details: dict[str, Any] = {
        "params": {"hidden": 32},
        "metrics": {"train": {"loss": 0.123456789}, "test": {"accuracy": 0.5}},
        "evaluation_errors": {"test": "KeyError: 'x'"},
        "model_summary": "3 layers",
        "loader_summary": "60 samples",
        "model_dir_action": "made",
        "message": "ValueError: no",
        "cause": "exception",
        "notes": ["slow"],
    }
    files.block(run, run.last, details)
    text = files.project.output_path.read_text()
    for part in (
        "model:      digits.py\n",
        "version:    wide\n",
        "state:      failed (exception)\n",
        "duration:   30.0 s\n",
        "message:    ValueError: no\n",
        "model dir:  digits.py-wide (made)\n",
        "evaluation on train input:\n    loss  0.123457\n",
        "evaluation on test input failed: KeyError: 'x'\n",
        "parameters:\n    hidden  32\n",
        "model summary:\n    3 layers\n",
        "data loader summary:\n    60 samples\n",
        "note:       slow\n",
    ):
        assert part in text
    assert text.endswith(f"\nrun {run.id}.1\n")


def test_has_block_knows_what_was_written_also_in_files_set_aside(project: Project) -> None:
    files = HostFiles(project, enabled=True, max_bytes=400)
    runs = [sample_run(f"aaaaa{letter}") for letter in "abcd"]
    for run in runs:
        assert not files.has_block(run.id, 1)
        files.block(run, run.last, {})
    assert all(files.has_block(run.id, 1) for run in runs)
    assert not files.has_block(runs[0].id, 2)
    assert not files.has_block(runs[0].id[:-1], 1)
    assert project.output_path.with_name("output-here.1").exists()


def test_files_beyond_the_last_are_dropped_and_no_line_is_torn(project: Project) -> None:
    files = HostFiles(project, enabled=True, max_bytes=120)
    for number in range(60):
        files.log(f"line {number}")
    names = sorted(path.name for path in project.outputs_dir.iterdir())
    assert names == ["log-here", *(f"log-here.{n}" for n in range(1, KEEP + 1))]
    kept = [*(project.outputs_dir / f"log-here.{n}" for n in range(KEEP, 0, -1)), project.log_path]
    lines = [line for path in kept for line in path.read_text().splitlines()]
    assert [line.rpartition(" ")[2] for line in lines] == [str(n) for n in range(60 - len(lines), 60)]
    assert all(path.stat().st_size <= 120 for path in kept)


def test_nothing_is_written_where_it_is_not_wanted(project: Project) -> None:
    files = HostFiles(project, enabled=False)
    run = sample_run()
    files.log("x")
    files.block(run, run.last, {})
    assert not list(project.outputs_dir.iterdir())
    assert not files.has_block(run.id, 1)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told(files: HostFiles, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(DiskFull, match="free some space"):
        files.log("x")


def test_half_a_write_is_a_full_disk_and_half_a_block_is_no_block(
    files: HostFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = sample_run()
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda fd, data: write(fd, data[:-3]))
        with pytest.raises(DiskFull):
            files.block(run, run.last, {})
    assert not files.has_block(run.id, 1)
    files.log("again")


def test_other_troubles_are_not_called_a_full_disk(files: HostFiles) -> None:
    files.project.log_path.mkdir()
    with pytest.raises(IsADirectoryError):
        files.log("x")


SNEAKY = st.lists(
    st.sampled_from(
        ["\n", "\r", "\r\n", f"run {OTHER}.1", "\x1b[0m", "\x1b]0;", "\x07", "\x1b", "\x0b", "\x85", "\u2028", "x", " "]
    ),
    max_size=8,
).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(SNEAKY, min_size=9, max_size=9))
def test_no_text_of_a_model_passes_for_the_end_of_a_block(files: HostFiles, texts: list[str]) -> None:
    files.project.output_path.unlink(missing_ok=True)
    run = run_in(State.FAILED, message=texts[0], params={"unused": 0}, version=texts[8])
    details = {
        "params": {texts[1]: texts[2]},
        "metrics": {"train": {texts[3]: 1.5}, texts[1]: {"loss": 1}},
        "evaluation_errors": {"test": texts[4]},
        "model_summary": texts[5],
        "loader_summary": texts[6],
        "model_dir_action": texts[7],
        "notes": [texts[2]],
        "warnings": [texts[3]],
    }
    files.block(run, run.last, details)
    assert not files.has_block(OTHER, 1)
    assert files.has_block(run.id, 1)
    text = files.project.output_path.read_text()
    assert LAST_LINE.findall(text) == [f"run {run.id}.1"]
    assert "parameters:" in text
