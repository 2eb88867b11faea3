"""The live face of the queue: while it works on a terminal, a child draws what runs below what the queue says.

The scheduler pays for none of it: it writes its lines into a pipe, as it would write them to the terminal.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from mlpipeline.project import Project

_END_SECONDS = 5.0


@contextlib.contextmanager
def face(project: Project) -> Iterator[None]:
    """Draws what runs for as long as the body does; where stderr is no terminal, its lines stay plain."""
    if not _is_wanted():
        yield
        return
    told, tell = os.pipe()
    command = [sys.executable, "-m", "mlpipeline.cli.face_process", str(project.root), project.host]
    # Its stdin is ours to close: it ends then, and when this process is killed.
    child = subprocess.Popen(
        [*command, str(told)], stdin=subprocess.PIPE, stdout=sys.stderr, pass_fds=[told], env=_environment()
    )
    os.close(told)
    terminal, lines = sys.stderr, Lines(tell, sys.stderr)
    sys.stderr = cast("TextIO", lines)
    try:
        yield
    finally:
        sys.stderr = terminal
        lines.close()
        assert child.stdin is not None
        child.stdin.close()
        try:
            child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:  # the terminal takes nothing (Ctrl-S): what is left stands in the log
            child.kill()
            child.wait()


def _is_wanted() -> bool:
    from mlpipeline.observe.screen import can_draw, is_ours

    try:
        descriptor = sys.stderr.fileno()
    except (OSError, ValueError):  # no file of the system: a test's, or a notebook's
        return False
    return can_draw(descriptor, os.environ) and is_ours(descriptor)


def _environment() -> dict[str, str]:
    from mlpipeline.cli.daemon import python_path

    return dict(os.environ) | {"PYTHONPATH": python_path()}


class Lines:
    """Stands in for stderr: what is written goes to the child, or to the terminal where that has died."""

    encoding, errors = "utf-8", "backslashreplace"

    def __init__(self, descriptor: int, terminal: TextIO) -> None:
        self._pipe: int | None = descriptor
        self._terminal = terminal

    def write(self, told: str) -> int:
        """Writes text at once."""
        data = told.encode(self.encoding, self.errors)
        try:
            while data and self._pipe is not None:
                data = data[os.write(self._pipe, data) :]
        except BrokenPipeError:
            self.close()
        if data:
            self._terminal.write(data.decode(self.encoding, "replace"))
            self._terminal.flush()
        return len(told)

    def flush(self) -> None:
        """Nothing waits to be written."""

    def fileno(self) -> int:
        """The descriptor that can be asked whether it takes more."""
        return self._terminal.fileno() if self._pipe is None else self._pipe

    def isatty(self) -> bool:
        """Whether it is a terminal: only once the child has died."""
        return self._pipe is None and self._terminal.isatty()

    def close(self) -> None:
        """Says that nothing more will come."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
