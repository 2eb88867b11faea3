"""Writes what is printed and logged in this process into a file as well, as a run of the queue has it."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from mlpipeline.console import LOGGER
from mlpipeline.execution.capture import Pump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Copy:
    """The file that gets a copy. Bars that rewrite themselves are folded; what does not fit on the disk is dropped.

    Args:
        path: where it lies.
        limit: bytes after which what is said in between is left out.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, limit: int | None = None) -> None:
        self._file = path.open("ab", buffering=0)
        self._pump = Pump(self._file, limit)
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """Adds text."""
        with self._lock:
            if not self._file.closed:
                self._pump.feed(text.encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        """Writes what is left; afterwards nothing is added, whoever still holds it."""
        with self._lock:
            self._pump.close()
            self._file.close()


class _Stream:
    """A stream that is written to as before, and whose text goes to the copy as well."""

    def __init__(self, stream: Any, copy: Copy) -> None:
        self._stream = stream
        self._copy = copy

    def write(self, text: str) -> int:
        self._copy.write(text)
        written: int = self._stream.write(text)
        return written

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Handler(logging.Handler):
    def __init__(self, copy: Copy) -> None:
        super().__init__()
        self._copy = copy
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._copy.write(f"{self.format(record)}\n")
        except Exception:  # a stranger's arguments may not fit their text: logging says so, as everywhere
            self.handleError(record)


@contextmanager
def copied(copy: Copy) -> Iterator[None]:
    """Copies what Python prints, and what models log, while the body runs; on the terminal all stays as it is.

    What libraries in C print is not seen here: in the queue it is. The copy is closed afterwards.
    """
    log = logging.getLogger(LOGGER)
    handler = _Handler(copy)
    with ExitStack() as stack:
        stack.callback(copy.close)
        if log.hasHandlers():  # else messages are printed, which is copied
            log.addHandler(handler)
            stack.callback(log.removeHandler, handler)
        if sys.stdout is not None:
            stack.enter_context(redirect_stdout(_Stream(sys.stdout, copy)))
        if sys.stderr is not None:
            stack.enter_context(redirect_stderr(_Stream(sys.stderr, copy)))
        yield
