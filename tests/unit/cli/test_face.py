"""What stands in for stderr while a child draws: every line arrives, with the child or without it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pytest

from mlpipeline.cli.face import Lines


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for each in (read, write):
        try:
            os.close(each)
        except OSError:  # a test has closed it
            continue


def test_lines_go_to_the_child_as_long_as_it_lives(pipe: tuple[int, int]) -> None:
    terminal = Terminal()
    lines = Lines(pipe[1], terminal)
    assert lines.write("größer\n") == 7
    assert os.read(pipe[0], 100).decode() == "größer\n"
    assert (lines.fileno(), lines.isatty(), terminal.getvalue()) == (pipe[1], False, "")


def test_lines_go_to_the_terminal_when_the_child_has_died(pipe: tuple[int, int]) -> None:
    terminal = Terminal()
    lines = Lines(pipe[1], terminal)
    os.close(pipe[0])
    lines.write("one\n")
    lines.write("two\n")
    assert (lines.fileno(), lines.isatty(), terminal.getvalue()) == (2, True, "one\ntwo\n")
