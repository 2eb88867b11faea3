"""What a scheduler shows while it works: lines on the terminal, and the status file that is also its heartbeat."""

from __future__ import annotations

import os
import select
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlpipeline import wire
from mlpipeline.execution.capture import clean
from mlpipeline.execution.limits import boot_id
from mlpipeline.queue import estimate
from mlpipeline.queue.plan import Verdict

if TYPE_CHECKING:
    from mlpipeline.queue.attempts import Live
    from mlpipeline.queue.scheduler import Scheduler

_FRESH_SECONDS = 5.0
"""Half of a heartbeat: so long a status stands unwritten in which nothing is new."""
_NEXT = 20
_LONGEST = 1000
_PATIENCE_MS = 200
_QUIET = (Verdict.DONE, Verdict.RUNNING)


class Terminal:
    """Where a person reads along. One that takes nothing (Ctrl-S, a pager) holds nobody up: the log has all lines."""

    def __init__(self) -> None:
        self.missed = 0

    def line(self, message: str, level: str = "INFO") -> None:
        """Prints one line; what comes from models cannot carry escape codes to the terminal."""
        text = clean(message.encode("utf-8", "replace")).decode("utf-8", "replace")
        mark = "" if level == "INFO" else f"{level.lower()}: "
        before = f"({self.missed} lines are missing here: the log has them)\n" if self.missed else ""
        try:
            if not self._takes(0 if self.missed else _PATIENCE_MS):
                self.missed += 1
                return
            self.missed = 0
            # What is longer might not fit, although something does.
            sys.stderr.write(f"{before}{time.strftime('%H:%M:%S')} {mark}{text}"[:_LONGEST] + "\n")
            sys.stderr.flush()
        except OSError:
            return  # the terminal is gone; the log is not

    def _takes(self, milliseconds: int) -> bool:
        poll = select.poll()
        try:
            poll.register(sys.stderr.fileno(), select.POLLOUT)
        except ValueError:
            return True  # no file of the system: a notebook's cell, say
        return bool(poll.poll(milliseconds))


class StatusFile:
    """`status-<host>.json`, written whole where there is news, and as a heartbeat.

    Nobody relies on it for anything that must last.
    """

    def __init__(self) -> None:
        self._told: dict[str, Any] = {}
        self._at = 0.0

    def write(self, scheduler: Scheduler) -> None:
        """Writes what is true now, unless that stands there from just before.

        Raises:
            OSError: it cannot be written.
        """
        now, told = time.monotonic(), status(scheduler)
        if told == self._told and now - self._at < _FRESH_SECONDS:
            return
        wire.write_json(scheduler.project.status_path, told | {"updated_at": datetime.now(UTC).isoformat()})
        self._told, self._at = told, now


def status(scheduler: Scheduler) -> dict[str, Any]:
    """Returns what is true now, without the time."""
    counts: dict[str, int] = {}
    coming: list[dict[str, Any]] = []
    for item in scheduler.outlook.plan.items:
        counts[item.verdict.value] = counts.get(item.verdict.value, 0) + 1
        if item.verdict not in _QUIET and len(coming) < _NEXT:
            coming.append(
                {
                    "model": item.wanted.model,
                    "version": item.wanted.version,
                    "replicate": item.wanted.replicate,
                    "verdict": item.verdict.value,
                    "reason": item.reason,
                }
            )
    return {
        "format": 1,
        "host": scheduler.project.host,
        "pid": os.getpid(),
        "boot_id": boot_id(),
        "started_at": scheduler.started_at.isoformat(),
        "mode": scheduler.options.mode,
        "state": _state(scheduler),
        "slots": scheduler.slots,
        "faults": [
            *scheduler.settings.faults,
            *map(str, scheduler.selection.faults),
            *scheduler.outlook.faults.values(),
        ],
        "trouble": scheduler.trouble,
        "running": _running(scheduler),
        "next": coming,
        "open": estimate.in_short(scheduler.outlook.plan.items),
        "closed": bool(scheduler.closed),
        "counts": counts,
        "finished": {state.value: number for state, number in scheduler.finished.items()},
        "revision": scheduler.selection.current.digest,
        "devices": scheduler.outlook.devices.to_status(),
        "studies": [each.progress.to_json() for each in scheduler.outlook.studies.by_model.values()],
    }


def _state(scheduler: Scheduler) -> str:
    if scheduler.stopping:
        return "stopping" if scheduler.attempts.live and scheduler.stopping != "detach" else "stopped"
    return "running" if scheduler.attempts.live else "idle"


def _running(scheduler: Scheduler) -> list[dict[str, Any]]:
    reasons = scheduler.executor.reasons()
    return [_shown(live, reasons.get(live.directory, "")) for live in scheduler.attempts.live.values()]


def _shown(live: Live, reason: str) -> dict[str, Any]:
    return {**live.facts, "started": live.started, "reason": "" if live.started else reason}
