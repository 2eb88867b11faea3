"""What wakes the scheduler's loop: a pipe that anybody may write to, from a thread or a signal handler."""

from __future__ import annotations

import os


class Wakeup:
    """A pipe; `read` becomes readable when somebody woke the loop."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        for descriptor in (self.read, self.write):
            os.set_blocking(descriptor, False)

    def wake(self, path: str | None = None) -> None:
        """Has the loop turn once more."""
        try:
            os.write(self.write, b"w")
        except BlockingIOError:
            return  # the pipe is full of reasons to wake up already

    def drain(self) -> None:
        """Empties the pipe."""
        try:
            while os.read(self.read, 4096):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Closes both ends."""
        os.close(self.read)
        os.close(self.write)
