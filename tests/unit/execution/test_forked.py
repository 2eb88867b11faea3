"""Where a fork of a supervisor would be another thing than an interpreter that is started."""

from __future__ import annotations

import os
import threading

import pytest

from mlpipeline.execution import forked, limits


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in [each for each in os.environ if each.startswith(forked._AT_START)]:
        monkeypatch.delenv(name)
    for name, value in forked.STARTED_WITH.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(forked, "threads", lambda: 1)
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    return {**forked.STARTED_WITH, "PYTHONWARNINGS": "error", "PYTHONPATH": "/copies", "MLP_TOKEN": "a-token"}


def test_the_same_environment_needs_no_start(started: dict[str, str]) -> None:
    assert forked.is_like_a_start(started)


@pytest.mark.parametrize("name", ["PYTHONWARNINGS", "PYTHONDEVMODE", "LD_PRELOAD", "MALLOC_ARENA_MAX"])
@pytest.mark.parametrize("value", ["other", None])
def test_what_is_read_at_a_start_alone_needs_one(
    started: dict[str, str], name: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "own")
    assert not forked.is_like_a_start({**started, name: value} if value else started)


@pytest.mark.parametrize("name", sorted(forked.STARTED_WITH))
def test_an_interpreter_that_was_not_prepared_does_not_fork(
    started: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(name)
    assert not forked.is_like_a_start(started)


def test_a_process_with_threads_does_not_fork(started: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "threads", limits.threads)
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        assert not forked.is_like_a_start(started)
    finally:
        done.set()
        other.join()
