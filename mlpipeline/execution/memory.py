"""How much memory a run uses, and what keeps it within its limit: a control group where one can be had, else a watch.

Imported by the supervisor at every start: light modules only.
"""

from __future__ import annotations

import contextlib
import os
import time

from mlpipeline.execution.limits import descendants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.execution.device_watch import DeviceWatch

_PAGE = os.sysconf("SC_PAGE_SIZE")
_FIRST_SECONDS = 0.1
_LONGEST_SECONDS = 2.0
_LIMITED_SECONDS = 0.2
_CLOSE = 0.9
_REACHED = 0.98
"""The kernel counts pages in batches, one for each processor: at its limit a group may seem to have a little less."""
_GROUPS = "/sys/fs/cgroup"


def resident(pids: list[int]) -> int:
    """Returns the memory that processes hold, in bytes; what they share counts for each of them."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", "rb") as file:
                total += int(file.read().split()[1]) * _PAGE
        except (OSError, IndexError):
            continue  # ended while we looked
    return total


def proportional(pids: list[int]) -> int:
    """Returns the memory that processes hold, in bytes, what they share divided among those who share it."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
                found = next((line for line in file if line.startswith(b"Pss:")), b"Pss: 0 kB")
        except OSError:
            continue
        total += int(found.split()[1]) * 1024
    return total


class Group:
    """A control group of one run's own, made below or beside the supervisor's. Both versions of the interface."""

    def __init__(self, path: str, before: str) -> None:
        self.path, self.before = path, before

    @classmethod
    def make(cls, name: str, limit: int) -> Group | None:
        """Makes a group with a limit in bytes, and moves this process into it; None where it may not."""
        for home, before, limit_file in _homes():
            path = f"{home}/{name}"
            try:
                os.mkdir(path)
            except OSError:
                continue
            group = cls(path, before)
            try:
                _write(f"{path}/{limit_file}", str(limit))
                for swap in ("memory.swap.max", "memory.memsw.limit_in_bytes"):
                    if os.path.exists(f"{path}/{swap}"):
                        _write(f"{path}/{swap}", "0" if swap == "memory.swap.max" else str(limit))
                group.enter()
            except OSError:
                group.remove()
                continue
            return group
        return None

    def enter(self) -> None:
        """Moves this process into the group: what it starts from now on is born there."""
        _write(f"{self.path}/cgroup.procs", "0")

    def add(self, pid: int) -> None:
        """Moves another process into the group.

        Raises:
            OSError: it may not be moved, or is gone.
        """
        _write(f"{self.path}/cgroup.procs", str(pid))

    def leave(self) -> None:
        """Moves this process back to where it was; its children stay."""
        with contextlib.suppress(OSError):  # it may have been let in and not be let back: it stays, and is small
            _write(f"{self.before}/cgroup.procs", "0")

    def killed(self) -> int:
        """Returns how many processes of the group the kernel has killed for want of memory."""
        return _count(f"{self.path}/memory.events") or _count(f"{self.path}/memory.oom_control")

    def peak(self) -> int:
        """Returns the most bytes that the group held at once; 0 where the kernel does not say."""
        for name in ("memory.peak", "memory.max_usage_in_bytes"):
            try:
                with open(f"{self.path}/{name}", "rb") as file:
                    return int(file.read())
            except (OSError, ValueError):
                continue
        return 0

    def remove(self) -> None:
        """Removes the group, once nothing is left in it."""
        self.leave()
        try:
            os.rmdir(self.path)
        except OSError:
            return  # the kernel is still clearing a killed process away: an empty group costs nothing


def _homes() -> list[tuple[str, str, str]]:
    """Returns directories in which a group may perhaps be made, each with the group of this process and the name of
    the file that limits memory."""
    found = []
    for is_second, limit_file in ((True, "memory.max"), (False, "memory.limit_in_bytes")):
        mount, own = _own(is_second)
        homes = dict.fromkeys((own, os.path.dirname(own), mount))
        found += [(home, own, limit_file) for home in homes if os.path.exists(f"{home}/cgroup.procs")]
    return found


def _own(is_second: bool) -> tuple[str, str]:
    """Returns where the hierarchy that governs memory is mounted, and the group of this process in it."""
    wanted = b"" if is_second else b"memory"
    mount = _GROUPS if is_second else f"{_GROUPS}/memory"
    try:
        with open("/proc/self/cgroup", "rb") as file:
            lines = [line.rstrip(b"\n").split(b":", 2) for line in file]
    except OSError:
        lines = []
    path = next((os.fsdecode(path) for _, names, path in lines if wanted in names.split(b",")), "/")
    return mount, os.path.normpath(f"{mount}/{path}")


def remove_group(token: str) -> None:
    """Removes the group of an attempt whose supervisor could not do it any more, once nothing is left in it."""
    for home, _, _ in _homes():
        with contextlib.suppress(OSError):
            os.rmdir(f"{home}/{_name(token)}")


def _name(token: str) -> str:
    return f"mlpipeline-{token[:16]}"


def kernel_kills() -> int:
    """Returns how many processes the kernel has killed for want of memory in this process's own group."""
    return max(_count(f"{_own(True)[1]}/memory.events"), _count(f"{_own(False)[1]}/memory.oom_control"))


def reached() -> int:
    """Returns the limit in bytes that this process's own group, or one above it, has come up to; 0 where none has."""
    for is_second, limit_file, peak_file in (
        (True, "memory.max", "memory.peak"),
        (False, "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
    ):
        mount, path = _own(is_second)
        while len(path) > len(mount):
            limit, peak = _bytes(f"{path}/{limit_file}"), _bytes(f"{path}/{peak_file}")
            if limit and peak >= limit * _REACHED:
                return limit
            path = os.path.dirname(path)
    return 0


def _bytes(path: str) -> int:
    """Returns the number that stands in a file; 0 where there is none, as where a limit is `max`."""
    try:
        with open(path, "rb") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


def _count(path: str) -> int:
    try:
        with open(path, "rb") as file:
            return next((int(line.split()[1]) for line in file if line.startswith(b"oom_kill ")), 0)
    except OSError:
        return 0


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class Watch:
    """Samples the memory of a process's descendants, now and then.

    Attributes:
        peak: the most bytes seen at once.
        exceeded: how many bytes there were when the limit was broken; 0 as long as it is not.
        due: when to look next, by the monotonic clock.
    """

    def __init__(self, root: int, limit: int | None) -> None:
        self.root, self.limit = root, limit
        self.peak = 0
        self.exceeded = 0
        self._pause = _FIRST_SECONDS
        self.due = time.monotonic() + self._pause

    def look(self, now: float) -> bool:
        """Takes a sample if it is time. Returns whether the limit is found broken for the first time."""
        if now < self.due:
            return False
        longest = _LONGEST_SECONDS if self.limit is None else _LIMITED_SECONDS
        self._pause = min(self._pause * 2, longest)
        self.due = now + self._pause
        pids = descendants(self.root)
        used = resident(pids)
        if self.limit is not None and used > self.limit * _CLOSE:
            used = min(used, proportional(pids) or used)
        self.peak = max(self.peak, used)
        if self.limit is None or used <= self.limit or self.exceeded:
            return False
        self.exceeded = used
        return True


def limited(spec: dict[str, Any]) -> tuple[Group | None, int | None]:
    """Returns the group that keeps an attempt within its limit, and the limit that is to be watched instead."""
    limit, how = spec.get("memory_limit"), spec.get("memory_limit_by")
    if not limit or how == "address_space":
        return None, None
    group = Group.make(_name(spec["token"]), int(limit)) if how != "sum" else None
    return group, None if group else int(limit)


def watch_devices(spec: dict[str, Any], peak: int | None, path: str) -> DeviceWatch | None:
    """Watches the memory of the devices that an attempt has; who has none does not pay for the import.

    Args:
        spec: of the attempt.
        peak: what another process has seen before.
        path: where what it takes now is written down, for who looks on.
    """
    if not spec.get("devices"):
        return None
    from mlpipeline.execution.device_watch import DeviceWatch

    watch = DeviceWatch(spec["devices"], path)
    watch.peak = peak
    watch.start()
    return watch
