"""What a forked process does to be what a started worker would be: its environment, its signals, its streams.

Light modules only: a supervisor on a node imports it at every start.
"""

from __future__ import annotations

import os
import signal
import sys

from mlpipeline.execution.limits import threads
from mlpipeline.execution.orders import NO_TOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# What an interpreter takes from its environment at its start, and from nowhere afterwards.
STARTED_WITH: Mapping[str, str] = {"MLP_TOKEN": NO_TOKEN, "PYTHONHASHSEED": "0"}
"""What has to be in the environment of an interpreter that is to become a worker by a fork."""
_AT_START = ("PYTHON", "LD_", "GLIBC_TUNABLES", "MALLOC_")
_AT_ANY_TIME = "PYTHONPATH"


def is_like_a_start(values: Mapping[str, str]) -> bool:
    """Whether a fork of this process is what an interpreter would be that is started with an environment.

    More threads than one are what makes a fork deadly: a lock that another thread holds stays locked in the child.
    """
    if sys.flags.isolated or sys.flags.no_site or threads() != 1:
        return False
    if any(os.environ.get(name) != value for name, value in STARTED_WITH.items()):
        return False
    names = {name for name in {*values, *os.environ} if name.startswith(_AT_START) and name != _AT_ANY_TIME}
    return all(values.get(name) == os.environ.get(name) for name in names)


def become_worker(values: Mapping[str, str]) -> None:
    """Leads a process group, with an environment of its own, and with signals and streams as at a start."""
    os.setpgid(0, 0)
    forget_signals()
    reopen_streams()
    _show_token(values["MLP_TOKEN"])
    os.environ.clear()
    os.environ.update(values)
    # What PYTHONPATH would have done at an interpreter's start.
    sys.path[:0] = [each for each in values["PYTHONPATH"].split(os.pathsep) if each not in sys.path]


def forget_signals() -> None:
    """Has every signal do what it does to an interpreter that is started."""
    signal.set_wakeup_fd(-1)
    for number in set(range(1, signal.NSIG)) - {signal.SIGKILL, signal.SIGSTOP, 32, 33}:
        signal.signal(number, signal.SIG_DFL)
    # As every Python has them: who writes into a pipe that nobody reads, or too long a file, is told by an OSError.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def reopen_streams() -> None:
    """Opens the standard streams anew: the inherited ones remember what they were opened on."""
    encoding = sys.__stderr__.encoding if sys.__stderr__ is not None else None
    sys.stdin = open(0, encoding=encoding, closefd=False)  # noqa: SIM115 - open as long as the process
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = open(number, "w", buffering=1, encoding=encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)


def _show_token(value: str) -> None:
    """Writes what an attempt's processes carry where /proc shows a process's environment: the block of its start.

    By it burial finds this process, and those that it forks.
    """
    import ctypes

    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_void_p
    ctypes.memmove(getenv(b"MLP_TOKEN"), value.encode().ljust(len(NO_TOKEN), b"\0"), len(NO_TOKEN))
