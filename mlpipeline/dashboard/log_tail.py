"""The end of what a run printed, and what it goes on printing: never more than a page can hold."""

from __future__ import annotations

import codecs
from pathlib import Path

from mlpipeline.observe.text import plain

FIRST_BYTES = 1 << 17
_MOST_BYTES = 1 << 18


class LogTail:
    """Reads a file that grows, from near its end. What is skipped is said.

    Args:
        path: the file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def more(self) -> dict[str, object] | None:
        """Returns new whole lines without escape codes, and how many bytes before them are left out; None for none."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, 2)
                start, skipped = self._start(size)
                file.seek(start)
                data = file.read(_MOST_BYTES)
        except OSError:
            return None
        self._at = start + len(data)
        if skipped:
            self._rest = ""
            data = data.partition(b"\n")[2] or data
        *whole, self._rest = (self._rest + self._decoder.decode(data)).split("\n")
        if len(self._rest) > FIRST_BYTES:  # a line without end
            whole, self._rest = [*whole, self._rest], ""
        if not whole:
            return None
        return {"text": plain("\n".join(whole)) + "\n", "skipped": skipped}

    def _start(self, size: int) -> tuple[int, int]:
        if self._at is None:
            start = max(0, size - FIRST_BYTES)
            return start, start
        if size < self._at:  # it was emptied
            self._rest = ""
            return 0, 0
        if size - self._at > _MOST_BYTES:
            start = size - FIRST_BYTES
            return start, start - self._at
        return self._at, 0
