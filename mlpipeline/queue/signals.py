"""Signals that only set flags: the loop decides what they mean."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any

_WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalFlags:
    """Counts signals, and wakes whoever polls the descriptor's other end."""

    def __init__(self, wake: int) -> None:
        self.wake = wake
        self.interrupts = 0
        self.terminations = 0
        self.hangups = 0
        self._before: dict[int, Any] = {}

    def install(self) -> None:
        """Takes the signals over, but for a hangup that is ignored already: `nohup` means it."""
        for number in _WATCHED:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue
            self._before[number] = signal.signal(number, self._count)

    def _count(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            self.interrupts += 1
        elif number == signal.SIGTERM:
            self.terminations += 1
        else:
            self.hangups += 1
        try:
            os.write(self.wake, b"s")
        except BlockingIOError:
            return  # the pipe is full of reasons to wake up already

    def restore(self) -> None:
        """Gives the signals back."""
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()
