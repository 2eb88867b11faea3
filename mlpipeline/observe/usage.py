"""What runs take of this machine: the memory and processor time of an attempt's processes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import NamedTuple

from mlpipeline import wire
from mlpipeline.execution.limits import boot_id, descendants, start_ticks
from mlpipeline.execution.memory import resident
from mlpipeline.observe.progress import number_of


class Usage(NamedTuple):
    """What a run takes.

    Attributes:
        memory: bytes that its processes hold; what they share counts for each of them.
        cores: how many cores it kept busy since the look before; None at the first one.
        gpu_memory: bytes that it holds on its devices, all together; None where it has none.
    """

    memory: int
    cores: float | None = None
    gpu_memory: int | None = None


class Meter:
    """Reads what runs take; keeps what they had taken at the last look."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, float]] = {}

    def look(self, root: str, directories: Iterable[str]) -> dict[str, Usage]:
        """Returns what those runs take whose processes are found, by their attempts' directories."""
        found, seen = {}, {}
        for each in directories:
            if pids := processes_of(f"{root}/{each}"):
                now, used = time.monotonic(), processor_seconds(pids)
                then, had = self._before.get(each, (now, used))
                seen[each] = now, used
                cores = max(0.0, used - had) / (now - then) if now > then else None
                found[each] = Usage(resident(pids), cores, gpu_memory(f"{root}/{each}"))
        self._before = seen
        return found


def processes_of(directory: str) -> list[int]:
    """Returns the supervisor of an attempt and all below it; nothing where it is not known to live here."""
    started = wire.read_json(f"{directory}/{wire.STARTED}") or {}
    pid = started.get("pid")
    if not isinstance(pid, int) or started.get("boot_id") != boot_id():
        return []
    if start_ticks(pid) != started.get("start_ticks"):
        return []  # another process has its number by now
    try:
        return [pid, *descendants(pid)]
    except OSError:  # it ends at this moment
        return []


def gpu_memory(directory: str) -> int | None:
    """Returns how many bytes an attempt holds on its devices, as its supervisor saw last; None where it has none."""
    told = number_of((wire.read_json(f"{directory}/{wire.GPU}") or {}).get("memory"))
    return None if told is None else int(told)


def processor_seconds(pids: Iterable[int]) -> float:
    """Returns for how long processes kept a core busy, those included that they started and that have ended."""
    return sum(map(_ticks, pids)) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            content = file.read()
    except OSError:  # it has ended meanwhile
        return 0
    # After the name in brackets: utime, stime, and those of children that were waited for (proc_pid_stat(5)).
    return sum(map(int, content[content.rindex(b")") + 2 :].split()[11:15]))
