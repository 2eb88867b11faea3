"""Signals set flags, wake the loop, and go back to whom they belonged."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from mlpipeline.queue.signals import SignalFlags

WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    before = {number: signal.getsignal(number) for number in WATCHED}
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    yield read, write
    for number, handler in before.items():
        signal.signal(number, handler)
    os.close(read)
    os.close(write)


def test_signals_are_counted_and_wake_the_loop(pipe: tuple[int, int]) -> None:
    flags = SignalFlags(pipe[1])
    flags.install()
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.raise_signal(number)
    assert (flags.interrupts, flags.terminations, flags.hangups) == (2, 1, 1)
    assert len(os.read(pipe[0], 100)) == 4


def test_a_full_pipe_loses_no_count(pipe: tuple[int, int]) -> None:
    flags = SignalFlags(pipe[1])
    flags.install()
    while True:
        try:
            os.write(pipe[1], b"x" * 4096)
        except BlockingIOError:
            break
    signal.raise_signal(signal.SIGTERM)
    assert flags.terminations == 1


def test_restore_gives_the_signals_back(pipe: tuple[int, int]) -> None:
    before = [signal.getsignal(number) for number in WATCHED]
    flags = SignalFlags(pipe[1])
    flags.install()
    assert [signal.getsignal(number) for number in WATCHED] != before
    flags.restore()
    assert [signal.getsignal(number) for number in WATCHED] == before


def test_an_ignored_hangup_stays_ignored(pipe: tuple[int, int]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    flags = SignalFlags(pipe[1])
    flags.install()
    signal.raise_signal(signal.SIGHUP)
    assert flags.hangups == 0
    flags.restore()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
