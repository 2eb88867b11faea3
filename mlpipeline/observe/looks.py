"""What somebody keeps who looks again and again, so that each look costs little; only estimates and usage may lag."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from mlpipeline.durations import Estimate, Size
from mlpipeline.ledger import Ledger
from mlpipeline.observe.activity import Activity
from mlpipeline.observe.left import Left, Starts
from mlpipeline.observe.usage import Meter, Usage
from mlpipeline.run import Run, State
from mlpipeline.timings import Timings

_SHARE = 0.01
_SETTLED_SECONDS = 0.1
_Value = TypeVar("_Value")


class Sparing(Generic[_Value]):
    """Keeps what is dear to compute, for as long as computing it anew would take more than its share of a core."""

    def __init__(self) -> None:
        self._kept: tuple[_Value] | None = None
        self._until = 0.0

    def get(self, compute: Callable[[], _Value]) -> _Value:
        """Returns what was computed, lately or now."""
        began = time.monotonic()
        if self._kept is None or began >= self._until:
            self._kept = (compute(),)
            ended = time.monotonic()
            self._until = ended + (ended - began) / _SHARE
        return self._kept[0]


class Records(NamedTuple):
    """What the ledger holds of what lives and of what ended last, and how many runs there are in each state."""

    live: Sequence[Run]
    ended: Sequence[Run]
    counts: Mapping[State, int]


class _Timings(Timings):
    """Timings that remember what was asked before, as long as the ledger is the same."""

    def __init__(self, ledger: Ledger, root: Path, known: dict[tuple[str, str, Size], Estimate | None]) -> None:
        super().__init__(ledger, root)
        self._known = known


@dataclass(slots=True)
class Book:
    """Reads the ledger again only when its files have changed."""

    _stamp: tuple[object, ...] = ()
    _records: Records | None = None
    _known: dict[tuple[str, str, Size], Estimate | None] = field(default_factory=dict)

    def read(self, ledger: Ledger, ended: int, states: frozenset[State]) -> Records:
        """Returns the records; so many of those that ended in one of these states."""
        stamp = (ended, states, *(_stamp(f"{ledger.path}{end}") for end in ("", "-wal")))
        if self._records is None or stamp != self._stamp or None in stamp:
            finished = ledger.ended(states, ended) if ended else []
            self._records = Records(ledger.live(), finished, ledger.counts())
            self._stamp, self._known = stamp, {}
        return self._records

    def timings(self, ledger: Ledger, root: Path) -> Timings:
        """Returns how long versions take, by the same ledger."""
        return _Timings(ledger, root, self._known)


def _stamp(path: str) -> tuple[int, ...] | None:
    """Returns what changes with every write to a file; None where the next write might leave it as it is."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return ()
    if abs(time.time() - found.st_mtime) < _SETTLED_SECONDS:  # times of files are no finer than the kernel's ticks
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


@dataclass(slots=True)
class Looks:
    """What somebody keeps who looks again and again: then no look waits, and none computes what a last one did."""

    book: Book = field(default_factory=Book)
    activity: Activity = field(default_factory=Activity)
    queue: Sparing[tuple[Left | None, Starts]] = field(default_factory=Sparing)
    meter: Meter = field(default_factory=Meter)
    usage: Sparing[Mapping[str, Usage]] = field(default_factory=Sparing)
