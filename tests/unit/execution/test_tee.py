"""What is printed goes where it went, and into a file as well."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from mlpipeline.console import log
from mlpipeline.execution.tee import Copy, copied


def test_what_is_printed_goes_to_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    with copied(Copy(tmp_path / "out")):
        print("a")
        print("b", file=sys.stderr)
        sys.stdout.writelines(["10%\r", "20%\r", "30%\n"])
        assert sys.stdout.isatty() is before.isatty()
        held = sys.stdout
    assert sys.stdout is before
    print("after", file=held)
    assert (tmp_path / "out").read_text() == "a\nb\n30%\n"
    assert capsys.readouterr() == ("a\n10%\r20%\r30%\nafter\n", "b\n")


def test_too_much_is_left_out(tmp_path: Path) -> None:
    with copied(Copy(tmp_path / "out", limit=1000)):
        for number in range(50_000):
            print(number)
    text = (tmp_path / "out").read_text()
    assert len(text) < 70_000
    assert "bytes were left out: output_limit = 1000" in text
    assert text.endswith("49999\n")


def test_a_disk_that_is_full_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with copied(Copy(Path("/dev/full"))):
        print("a")
    assert capsys.readouterr().out == "a\n"


def test_messages_of_models_are_copied_once(tmp_path: Path) -> None:
    logger = logging.getLogger("mlpipeline.model")
    with copied(Copy(tmp_path / "out")):
        log("hello")
        logger.warning("%s", "there")
    assert (tmp_path / "out").read_text().splitlines() == ["hello", "there"] or logger.hasHandlers()
    assert logger.handlers == []
