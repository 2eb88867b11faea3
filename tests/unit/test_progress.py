"""A loop that runs to its end, with a bar where somebody sees it."""

from __future__ import annotations

import io
import sys

import pytest

from mlpipeline import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.delenv("MLP_SUPERVISOR", raising=False)
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_a_long_loop_is_shown_with_its_name_and_ends_whole(said: Terminal) -> None:
    assert list(progress.shown(range(3), description="norm_x", after_seconds=0)) == [0, 1, 2]
    assert "norm_x" in said.getvalue()
    assert "3/3" in said.getvalue()


def test_a_short_loop_shows_nothing(said: Terminal) -> None:
    assert list(progress.shown("abc", description="norm_x")) == ["a", "b", "c"]
    assert said.getvalue() == ""


def test_nothing_is_drawn_where_nobody_looks(said: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said, "isatty", lambda: False)
    assert list(progress.shown([1], after_seconds=0)) == [1]
    assert said.getvalue() == ""


def test_a_run_shows_it_in_its_output(said: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said, "isatty", lambda: False)
    monkeypatch.setenv("MLP_SUPERVISOR", "1")
    assert list(progress.shown([1, 2], description="unique_x", after_seconds=0)) == [1, 2]
    assert "unique_x" in said.getvalue()
