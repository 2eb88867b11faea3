"""What live attempts do, as their files and the machine's processes tell it; changes no byte."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlpipeline import wire
from mlpipeline.execution.local import lock_holder
from mlpipeline.observe import usage
from mlpipeline.observe.progress import Progress, read_progress
from mlpipeline.observe.stalled import Signs, is_busy, silence
from mlpipeline.project import Project
from mlpipeline.run import Attempt, Run, State

_BREATH_SECONDS = 0.5
_SAMPLE_SECONDS = 0.2
_TAIL = 4096
_WRITTEN = (wire.OUTPUT, wire.METRICS, wire.MESSAGES)


class Activity:
    """Tells stalled runs from those that work: keeps how much processor time those had taken that looked stalled."""

    def __init__(self) -> None:
        self._used: dict[str, tuple[float, float]] = {}

    def silences(
        self, root: Path, runs: Mapping[str, Run], progress: Mapping[str, Mapping[str, Any] | Progress], now: datetime
    ) -> dict[str, float]:
        """Returns for how many seconds those runs have done nothing that do so for longer than is usual.

        Args:
            root: of the project.
            runs: those whose processes live on this machine, by their attempts' directories.
            progress: the content of their `progress.json`, be it read or not, by the same.
            now: the time, aware.
        """
        found = {}
        for directory, run in runs.items():
            told, began = read_progress(progress.get(directory) or {}), run.last.started_at
            if began is not None and silence(Signs(started_at=began), told, now) is None:
                continue  # whatever its files say: looking at them for each run is what costs most
            seconds = silence(Signs(started_at=began, written_at=_written(f"{root}/{directory}")), told, now)
            if seconds is not None:
                found[directory] = seconds
        idle = self._idle({directory: root / directory for directory in found})
        return {directory: seconds for directory, seconds in found.items() if directory in idle}

    def _idle(self, suspects: Mapping[str, Path]) -> set[str]:
        before = {each: self._used[each] for each in suspects if each in self._used}
        if len(before) < len(suspects):
            before |= {each: _used(path) for each, path in suspects.items() if each not in before}
            time.sleep(_SAMPLE_SECONDS)
        self._used = {each: _used(path) for each, path in suspects.items()}
        idle = set()
        for each, (at, used) in self._used.items():
            then, had = before[each]
            known = used - had if used >= had >= 0 else None
            if not is_busy(known, at - then):
                idle.add(each)
        return idle


def _written(directory: str) -> list[datetime | None]:
    return [_changed_at(f"{directory}/{name}") for name in _WRITTEN]


def _changed_at(path: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(os.stat(path).st_mtime, UTC)
    except OSError:
        return None


def _used(directory: Path) -> tuple[float, float]:
    """Returns the clock, and the seconds of processor time that an attempt's processes took; -1 where unknown."""
    pids = usage.processes_of(str(directory))
    return time.monotonic(), usage.processor_seconds(pids) if pids else -1.0


def life_of(project: Project, attempt: Attempt, *, is_served: bool) -> str:
    """Says by the attempt's own files what became of it, also where no scheduler has looked yet: see LiveLine.

    Args:
        project: whose attempt it is.
        attempt: that lives by the ledger.
        is_served: whether a scheduler works on the project: it may be about to start what it has submitted.
    """
    directory = f"{project.root}/{attempt.directory}"
    if _has_ended(directory, attempt):
        return "ended"
    if attempt.executor != "local":
        return "unknown"
    if lock_holder(f"{directory}/{wire.LOCK}") is not None:
        return "alive"
    if _has_ended(directory, attempt):  # between the two looks
        return "ended"
    is_to_start = attempt.state is State.SUBMITTED and not os.path.exists(f"{directory}/{wire.STARTED}")
    return "unknown" if is_to_start and is_served and not _was_owned(f"{directory}/{wire.LOCK}") else "gone"


def _was_owned(lock: str) -> bool:
    """Whether a supervisor has had its lock: one that makes the file takes it in the same breath."""
    try:
        return time.time() - os.stat(lock).st_mtime > _BREATH_SECONDS
    except FileNotFoundError:
        return False


def _has_ended(directory: str, attempt: Attempt) -> bool:
    outcome = wire.read_json(f"{directory}/{wire.OUTCOME}")
    return outcome is not None and outcome.get("token") == attempt.token


def latest_metrics(path: str) -> dict[str, Any]:
    """Returns the values that a run recorded last; nothing where it recorded none, or only a part of a long line."""
    try:
        # Unbuffered: of many runs, every second, a buffer is what costs most.
        with open(path, "rb", buffering=0) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read(_TAIL).split(b"\n")[:-1]  # what follows the last newline is not whole
    except OSError:
        return {}
    try:
        values = json.loads(lines[-1])["values"] if lines else {}
    except (ValueError, LookupError, TypeError):
        return {}
    return values if isinstance(values, dict) else {}
