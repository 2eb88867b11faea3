"""What this machine has for us: the cores and the memory that this process may use, within its control groups."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Memory(NamedTuple):
    """Bytes that there are, and bytes that can be had now without swapping."""

    total: int
    available: int


def cores() -> int:
    """Returns how many cores this process may keep busy: its affinity, or its group's quota where that is less."""
    found = len(os.sched_getaffinity(0))
    for group in _groups("cpu"):
        quota, period = _quota(group)
        if quota > 0 and period > 0:
            found = min(found, max(1, -(-quota // period)))
    return found


def _quota(group: Path) -> tuple[int, int]:
    """Returns how many microseconds a group may have in how many; zeros where there is no limit."""
    if (both := _words(group / "cpu.max")) and both[0] != "max":
        return int(both[0]), int(both[1])
    quota, period = _words(group / "cpu.cfs_quota_us"), _words(group / "cpu.cfs_period_us")
    return (int(quota[0]), int(period[0])) if quota and period else (0, 0)


def memory() -> Memory:
    """Returns the machine's memory, or its groups' limits where they are less. `MLP_MEMORY=TOTAL,AVAILABLE`, in bytes,
    takes its place in tests."""
    if said := os.environ.get("MLP_MEMORY"):
        return Memory(*map(int, said.split(",")))
    with open("/proc/meminfo", encoding="ascii") as file:
        lines = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in file)}
    total, available = lines["MemTotal"], lines["MemAvailable"]
    for group in _groups("memory"):
        limit = _number(group / "memory.max") or _number(group / "memory.limit_in_bytes")
        if 0 < limit < total:
            usage = _number(group / "memory.current") or _number(group / "memory.usage_in_bytes")
            total, available = limit, min(available, max(0, limit - usage + _reclaimable(group)))
    return Memory(total, available)


def _reclaimable(group: Path) -> int:
    """Returns what a group's usage holds of files that were read and may be forgotten."""
    lines = (line.split() for line in _words(group / "memory.stat", "\n"))
    return next((int(line[1]) for line in lines if line and line[0] in ("inactive_file", "total_inactive_file")), 0)


@cache
def _groups(controller: str) -> list[Path]:
    """Returns this process's control group and those above it, in whichever version governs. A process seldom moves."""
    found: list[Path] = []
    for line in _words(Path("/proc/self/cgroup"), "\n"):
        _, names, path = line.split(":", 2)
        if names == "" or controller in names.split(","):
            root = Path("/sys/fs/cgroup") / (names and controller)
            own = root / path.lstrip("/")
            found += [each for each in (own, *own.parents) if each == root or root in each.parents]
    return found


def _words(path: Path, separator: str | None = None) -> list[str]:
    try:
        text = path.read_text("ascii").strip()
    except (OSError, ValueError):
        return []
    return text.split(separator) if text else []


def _number(path: Path) -> int:
    words = _words(path)
    return int(words[0]) if words and words[0].isdigit() else 0
