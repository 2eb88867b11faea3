"""A run's output: whole or its end, without escape codes, to the very last line when it is followed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.cli import logs
from mlpipeline.run import State
from tests.unit.cli.conftest import Desk
from tests.unit.sample_runs import run_in


def test_logs_print_a_runs_output_without_escape_codes(desk: Desk) -> None:
    run = run_in(State.SUCCEEDED)
    desk.record(run)
    (desk.attempt_directory(run) / "output.log").write_bytes(b"\x1b[1mone\x1b[0m\n 5%\r100%\nbad \xff\nlast")
    assert desk.type("logs", run.id).stdout == "one\n100%\nbad \ufffd\nlast\n"
    assert desk.type("logs", "digits.py", "-n", "2").stdout == "bad \ufffd\nlast\n"


def test_a_run_without_output_prints_nothing(desk: Desk) -> None:
    run = run_in(State.SUCCEEDED)
    desk.record(run)
    desk.attempt_directory(run)
    result = desk.type("logs", "digits.py", "-f")
    assert (result.exit_code, result.stdout) == (0, "")


def test_output_that_is_gone_with_its_directory_is_told(desk: Desk) -> None:
    run = run_in(State.SUCCEEDED)
    desk.record(run)
    result = desk.type("logs", run.id)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{run.last.directory} is not there" in result.stderr


@given(st.lists(st.binary(max_size=9).filter(lambda line: b"\n" not in line)), st.integers(0, 12), st.booleans())
def test_the_tail_is_the_last_lines(lines: list[bytes], count: int, ends: bool) -> None:
    data = b"\n".join(lines) + (b"\n" if ends and lines else b"")
    file = io.BytesIO(data)
    file.seek(logs.tail_offset(file, count))
    whole = data.removesuffix(b"\n").split(b"\n") if data else []
    expected = whole[max(0, len(whole) - count) :] if count else []
    found = file.read()
    assert (found.removesuffix(b"\n").split(b"\n") if found else []) == expected


def test_the_tail_reaches_over_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_CHUNK", 4)
    file = io.BytesIO(b"a\nbb\nccc\ndddd\n")
    file.seek(logs.tail_offset(file, 3))
    assert file.read() == b"bb\nccc\ndddd\n"


def test_following_ends_with_the_outcome_and_loses_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output, outcome = tmp_path / "output.log", tmp_path / "outcome.json"
    todo = iter([b"", "one\ntw\u00f6".encode()[:-1], b"\xb6\nthree", None])

    def sleep(_: float) -> None:
        data = next(todo)
        with output.open("ab") as file:
            file.write(b"last\n" if data is None else data)
        if data is None:
            outcome.touch()

    monkeypatch.setattr("time.sleep", sleep)
    assert list(logs.follow_lines(output, None, outcome.exists)) == ["one", "tw\u00f6", "threelast"]
