"""What binds processes of a run to one another: death signals, subreaping, thread counts, leftovers."""

from __future__ import annotations

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def _prctl(option: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)


def die_with_parent(parent: int) -> None:
    """Has the kernel kill this process when its parent ends.

    The parent is asked for again afterwards, since it may have died before the kernel knew of the wish.
    """
    if _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) and os.getppid() != parent:
        os._exit(70)


def become_subreaper() -> None:
    """Has orphans of this process's tree become its children, so that none can escape."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def descendants(pid: int) -> list[int]:
    """Returns the ids of all processes below one, zombies included, from /proc."""
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue  # ended while we looked
            parents.setdefault(int(fields[1]), []).append(int(name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def start_ticks(pid: int) -> int | None:
    """Returns when a process started, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def boot_id() -> str:
    """Returns the kernel's name for this boot, empty where there is none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def file_mark(descriptor: int) -> str:
    """Returns what tells an open file from every other one, a copy of it included; moving it changes nothing."""
    found = os.fstat(descriptor)
    return f"{found.st_dev:x}-{found.st_ino:x}"


def carried(token: str, lock: str) -> str:
    """Returns what an attempt's processes carry as MLP_TOKEN: the token, and the mark of the attempt's lock file.

    A copy of a project has the same tokens but files of its own, so it never takes the original's processes for its.
    """
    return f"{token}@{lock}"


def with_token(value: str) -> list[int]:
    """Returns the processes whose environment carries an attempt's token (see `carried`), zombies left out."""
    wanted = f"MLP_TOKEN={value}".encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                carries = wanted in file.read().split(b"\0")
        except OSError:
            continue  # another user's, or ended while we looked
        if carries and start_ticks(int(name)) is not None:
            found.append(int(name))
    return found


def close_descriptors() -> None:
    """Closes every descriptor but the standard three: a run must hold nothing of its scheduler's."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                os.close(int(name))
            except OSError:
                continue  # the listing's own descriptor is closed by now


def kill(pid: int, number: int) -> None:
    """Signals a process that may have ended meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
