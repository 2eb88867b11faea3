"""Tells whether a file's content has stood still, since a writer may be in the middle of it."""

from __future__ import annotations

import time
from pathlib import Path

SETTLE_SECONDS = 0.03


class Settling:
    """Watches one file. `pending` is set while its new content has not stood still long enough."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pending = False
        self._candidate = ""
        self._seen_at = 0.0

    def is_settled(self, digest: str, read_at: float) -> bool:
        """Whether this content may take effect: it was seen so 30 ms ago, or written 30 ms before it was read.

        Args:
            digest: of the content.
            read_at: when reading it began, by `time.time()`: a long file takes longer to judge than to write.
        """
        now = time.monotonic()
        if digest != self._candidate:
            self._candidate, self._seen_at = digest, now
        try:
            age = read_at - self.path.stat().st_mtime
        except OSError:
            age = 0.0
        self.pending = not (age >= SETTLE_SECONDS or now - self._seen_at >= SETTLE_SECONDS)
        return not self.pending
