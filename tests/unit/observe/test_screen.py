"""What is written to a terminal: in place of what stood there, also after it became narrower."""

from __future__ import annotations

import os

import pytest
from rich.text import Text

from mlpipeline.observe.screen import Screen, can_draw


class Terminal(Screen):
    """Keeps what is written; is of any size."""

    def __init__(self) -> None:
        super().__init__(-1)
        self.width, self.written = 80, ""

    def size(self) -> tuple[int, int]:
        return self.width, 24

    def _write(self, told: str) -> None:
        self.written = told


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def test_a_region_is_drawn_over_the_last_one_below_new_messages(terminal: Terminal) -> None:
    terminal.draw_region([Text("a" * 60), Text("b")])
    assert "A\r" not in terminal.written
    terminal.draw_region([Text("c")], before="said\n")
    assert "\x1b[2A\r\x1b[Jsaid\nc\n" in terminal.written


def test_a_narrower_terminal_has_wrapped_the_last_region(terminal: Terminal) -> None:
    terminal.draw_region([Text("a" * 60), Text("b")])
    terminal.width = 25
    terminal.draw_region([])
    assert "\x1b[4A\r" in terminal.written


def test_never_is_gone_up_beyond_the_first_line(terminal: Terminal) -> None:
    terminal.draw_region([Text("x")] * 40)
    terminal.draw_region([])
    assert "\x1b[23A\r" in terminal.written


def test_what_others_have_written_below_stays(terminal: Terminal) -> None:
    terminal.draw_region([Text("x")])
    terminal.forget()
    terminal.draw_region([], before="said\n")
    assert "A\r" not in terminal.written


def test_colors_are_left_out_where_the_user_says_so(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.draw_whole([Text("x", "red")])
    assert "\x1b[31mx" in terminal.written
    monkeypatch.setenv("NO_COLOR", "1")
    terminal.draw_whole([Text("x", "red")])
    assert "\x1b[31m" not in terminal.written


def test_only_a_terminal_that_can_move_its_cursor_is_drawn_on() -> None:
    read, write = os.pipe()
    try:
        assert not can_draw(write, {"TERM": "xterm"})
    finally:
        os.close(read)
        os.close(write)
    terminal, other = os.openpty()
    try:
        assert can_draw(other, {"TERM": "xterm"})
        assert not can_draw(other, {"TERM": "dumb"})
        assert not can_draw(other, {})
    finally:
        os.close(terminal)
        os.close(other)
