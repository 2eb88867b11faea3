"""A process that was forked by another one for this one: followed by its descriptor and by the file that it leaves."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from pathlib import Path

from mlpipeline import wire
from mlpipeline.execution.orders import ENDED


class Errand:
    """A forked process that describes a model. It is not this process's child: how it ended stands in a file.

    Args:
        pid: of its supervisor, which leads its process group.
        request: where that file lies beside.
    """

    def __init__(self, pid: int, request: Path) -> None:
        self.pid = pid
        self.ended = request.parent / ENDED
        try:
            self.descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            self.descriptor = os.eventfd(1)  # it has ended already: readable at once, as a pidfd would be

    def poll(self) -> int | None:
        """Returns how the describing process ended: its exit status, negated signal, or 0 where nothing is known of
        it and its answer alone counts; None while it lives."""
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        if not poll.poll(0):
            return None
        return int((wire.read_json(self.ended) or {"status": 0})["status"])

    def vanished(self) -> bool:
        """Whether it was ended before the describing process did."""
        return self.poll() is not None and wire.read_json(self.ended) is None

    def kill(self) -> None:
        """Ends it and its group."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
