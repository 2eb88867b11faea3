"""A loop that runs to its end, with a bar where somebody sees it."""

from __future__ import annotations

import io
import sys

import pytest

from mlpipeline import progress


class Terminal(io.StringIO):
    """Keeps what it is told."""


def terminal(monkeypatch: pytest.MonkeyPatch, *, is_one: bool = True) -> Terminal:
    # Not a fixture: pytest puts its own stream back before the test's body.
    monkeypatch.delenv("MLP_SUPERVISOR", raising=False)
    stream = Terminal()
    monkeypatch.setattr(stream, "isatty", lambda: is_one)
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_a_long_loop_is_shown_with_its_name_and_ends_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    said = terminal(monkeypatch)
    assert list(progress.shown(range(3), description="norm_x", after_seconds=0)) == [0, 1, 2]
    assert "norm_x" in said.getvalue()
    assert "3/3" in said.getvalue()


def test_a_short_loop_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    said = terminal(monkeypatch)
    assert list(progress.shown("abc", description="norm_x")) == ["a", "b", "c"]
    assert said.getvalue() == ""


def test_nothing_is_drawn_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    said = terminal(monkeypatch, is_one=False)
    assert list(progress.shown([1], after_seconds=0)) == [1]
    assert said.getvalue() == ""


def test_a_run_shows_it_in_its_output(monkeypatch: pytest.MonkeyPatch) -> None:
    said = terminal(monkeypatch, is_one=False)
    monkeypatch.setenv("MLP_SUPERVISOR", "1")
    assert list(progress.shown([1, 2], description="unique_x", after_seconds=0)) == [1, 2]
    assert "unique_x" in said.getvalue()
