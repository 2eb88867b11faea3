"""The loop of `run.steps()`: a progress bar, `progress.json`, and an early end where the queue asks for it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence, Sized

from mlpipeline import rehearsal, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.context import RunContext

_TICK_SECONDS = 0.1
# Renaming over a file makes ext4 write the new one out at once: that takes a millisecond or more.
_WRITE_SECONDS = 1.0
_DRAW_SECONDS = 0.5
# What ends sooner needs no bar.
_QUICK_SECONDS = 2.0
_END = object()


def walk(
    run: RunContext, iterable: Iterable[Any] | None, *, total: int | None, description: str | None, initial: int | None
) -> Iterator[Any]:
    """Yields items while the run is to go on; see `RunContext.steps`."""
    start = run.start_loop(initial)
    if iterable is None:
        iterable = range(start, sys.maxsize)
    elif total is None and isinstance(iterable, Sized):
        total = _length(iterable)
    loop = _Loop(run, start, total, description)
    items = iter(iterable)
    monotonic, is_test, drill = time.monotonic, run.is_test, run.drill
    try:
        # Whatever can wait for the next tick does: this is paid for in every step of every training.
        while True:
            now = monotonic()
            if now >= loop.due:
                loop.tick(now)
            if drill is not None:
                loop.rehearse(drill, now)
            if loop.done == total or (is_test and loop.done):
                break  # whatever was asked for: at its end the loop is not cut short
            if run.must_end:
                run.cut_short()
                break
            item = next(items, _END)
            if item is _END:
                break
            run.next_step(start + loop.done + 1)
            if drill is not None:
                drill.taken += 1  # now, since a step that ends with `break`, as early stopping does, does not come back
            yield item
            loop.done += 1
    finally:
        loop.close()


def _length(iterable: Sized) -> int | None:
    try:
        return len(iterable)
    except TypeError:  # torch's DataLoader over an iterable dataset has a __len__ that raises
        return None


def shown(
    items: Sequence[Any], *, description: str | None = None, after_seconds: float = _QUICK_SECONDS
) -> Iterator[Any]:
    """Yields all items, whatever is asked of a run; with a bar once that takes long, on a terminal or in a run."""
    is_seen = _is_terminal() or (sys.stderr is not None and "MLP_SUPERVISOR" in os.environ)
    bar = _drawn(len(items), 0, description, delay=after_seconds) if is_seen else None
    try:
        for item in items:
            yield item
            if bar is not None:
                bar.update()
    finally:
        if bar is not None:
            bar.close()


class _Loop:
    """Where one loop is, and when the next thing is due."""

    def __init__(self, run: RunContext, start: int, total: int | None, description: str | None) -> None:
        self.run, self.start, self.total, self.description = run, start, total, description
        self.done = 0
        self._began = self.due = time.monotonic()
        self._written = float("-inf")
        self._bar = _bar(run, start, total, description)

    def tick(self, now: float) -> None:
        """Does what is due a few times a second: reads the queue's requests, tells how far the loop is."""
        self.due = now + _TICK_SECONDS
        self.run.tick(now)
        if now - self._written >= _WRITE_SECONDS:
            self._write(now)
        self._draw()

    def rehearse(self, drill: rehearsal.Rehearsal, now: float) -> None:
        """Plays the part that a drill has planned: ends the loop, or the process."""
        run = self.run
        drill.is_over = run.step >= drill.max_steps
        if drill.wants_death(run.step, run.checkpoint_step):
            self._write(now)
            rehearsal.die()

    def close(self) -> None:
        """Tells where the loop has ended."""
        self._draw()
        if self._bar is not None:
            self._bar.close()
        self._write(time.monotonic())

    def _draw(self) -> None:
        if self._bar is not None:
            self._bar.update(self.start + self.done - self._bar.n)

    def _write(self, now: float) -> None:
        run = self.run
        if run.directory is None:
            return
        self._written = now
        spent = now - self._began
        told = {
            "step": self.start + self.done,
            "total": None if self.total is None else self.start + self.total,
            "rate": round(self.done / spent, 6) if self.done and spent > 0 else None,
            "description": self.description,
            "updated_at": wire.utc_now(),
            "checkpoint_step": run.checkpoint_step,
        }
        wire.write_json(run.directory / wire.PROGRESS, told)


def _bar(run: RunContext, start: int, total: int | None, description: str | None) -> Any:
    """Returns a tqdm bar; None where nobody would see it."""
    if not _is_terminal() and (sys.stderr is None or run.directory is None):
        return None
    return _drawn(None if total is None else start + total, start, description)


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _drawn(total: int | None, initial: int, description: str | None, delay: float = 0) -> Any:
    try:
        from tqdm import tqdm
    except ImportError:  # training must not fail for want of a bar
        return None

    class Bar(tqdm):  # type: ignore[type-arg,misc,unused-ignore]
        # tqdm's own watching thread and process lock have no place in a process that may fork.
        monitor_interval = 0
        _lock = threading.RLock()

    # Without miniters, tqdm waits for as many steps as it once saw in an interval, however slow they become.
    look: dict[str, Any] = {"mininterval": _DRAW_SECONDS, "miniters": 0, "dynamic_ncols": True, "file": sys.stderr}
    return Bar(total=total, initial=initial, desc=description, delay=delay, **look)
