"""What binds processes of a run to one another: death signals, subreaping, thread counts, leftovers."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

TRY_AGAIN = 75
"""The exit status of a child that ended over something that passes (EX_TEMPFAIL of sysexits.h)."""

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


def threads() -> int:
    """Returns how many threads this process has, those of native libraries included."""
    return len(os.listdir("/proc/self/task"))


def wake_when_parent_dies() -> None:
    """Has the kernel continue this process, should it be stopped, when its parent ends, so that it sees that end."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGCONT)


def be_told_of_parents_end(parent: int) -> None:
    """Has the kernel ask this process to end when its parent does; it does so itself where that has happened."""
    if _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def become_subreaper() -> None:
    """Has orphans of this process's tree become its children, so that none can escape."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def descendants(pid: int) -> list[int]:
    """Returns the ids of all processes below one, zombies included, parents before their children."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
    except FileNotFoundError:
        if not os.path.exists("/proc/self/task") or not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
            return _children_by_parent(pid)
    except ProcessLookupError:
        return found  # it ended while we looked: its children have another parent by now
    return found


def _children_by_parent(pid: int) -> list[int]:
    """Asks every process for its parent, where the kernel keeps no lists of children."""
    numbers = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [number for number in numbers if parent_of(number) == pid]


def parent_of(pid: int) -> int | None:
    """Returns a process's parent, None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return None


def is_below(pid: int, root: int) -> bool:
    """Whether a process descends from another one."""
    parent = parent_of(pid)
    while parent is not None and parent > 1:
        if parent == root:
            return True
        parent = parent_of(parent)
    return False


def start_ticks(pid: int) -> int | None:
    """Returns when a process started, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def ignores(pid: int, number: int) -> bool:
    """Whether a process ignores a signal; False where it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            mask = next((line.split()[1] for line in file if line.startswith("SigIgn:")), "0")
    except OSError:
        return False
    return bool(int(mask, 16) >> (number - 1) & 1)


def signal_name(number: int) -> str:
    """Returns a signal's name; most real-time signals have only a number."""
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


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


def carries(pid: int, value: str) -> bool:
    """Whether a process's environment carries an attempt's token (see `carried`); a zombie's does not."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            found = f"MLP_TOKEN={value}".encode() in file.read().split(b"\0")
    except OSError:
        return False  # another user's, or ended while we looked
    return found and start_ticks(pid) is not None


def with_token(value: str) -> list[int]:
    """Returns the processes that carry an attempt's token, this one left out."""
    names = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in names if pid != os.getpid() and carries(pid, value)]


def close_descriptors(*keep: int) -> None:
    """Closes every descriptor but the standard three and some others: a run must hold nothing of its scheduler's."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in keep:
            try:
                os.close(int(name))
            except OSError:
                continue  # the listing's own descriptor is closed by now


def kill(pid: int, number: int, still: Callable[[int], bool]) -> None:
    """Signals a process if it is still the one that is meant.

    Its id may be another's by now. So its descriptor is opened first, then `still` is asked, and the signal goes to
    the descriptor: whoever has the id afterwards is not touched.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if still(pid):
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return
    finally:
        os.close(descriptor)


def end_descendants() -> None:
    """Ends every process below this one, which is a subreaper, and returns when none is left."""
    me = os.getpid()
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
        except ChildProcessError:
            return
        for pid in descendants(me):
            kill(pid, signal.SIGKILL, lambda each: is_below(each, me))
        os.waitpid(-1, 0)
