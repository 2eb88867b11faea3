"""Progress bars on work that takes long: rows that come and go. Drawn on a terminal, and in what a run prints."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

_DELAY_SECONDS = 1.0
_DRAW_SECONDS = 0.5
_IN_RUN = "MLP_SUPERVISOR"


class Bar(Protocol):
    """What is told how far the work is."""

    def update(self, n: float) -> Any:
        """Adds to what is done."""


@contextmanager
def bar(description: str, *, total: int | None = None, unit: str = " rows") -> Iterator[Bar]:
    """Shows a bar on stderr after a second, and takes it away at the end; nothing where nobody would see it."""
    from tqdm import tqdm

    class Quiet(tqdm):  # type: ignore[type-arg,misc,unused-ignore]
        # tqdm's own watching thread and process lock have no place in a process that may fork.
        monitor_interval = 0
        _lock = threading.RLock()

    is_seen = sys.stderr is not None and (sys.stderr.isatty() or _IN_RUN in os.environ)
    with Quiet(
        desc=description[:40], total=total, unit=unit, unit_scale=True, delay=_DELAY_SECONDS, disable=not is_seen,
        leave=False, dynamic_ncols=True, mininterval=_DRAW_SECONDS, miniters=0, file=sys.stderr,
    ) as made:  # fmt: skip
        yield made
