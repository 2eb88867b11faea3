"""A network namespace with nothing but loopback: what is started in it listens nowhere else."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator

_CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def only_loopback() -> Iterator[None]:
    """Moves this thread, and every process that it starts from now on, into a namespace of its own, and back.

    Raises:
        OSError: this user may not.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(_CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        try:
            # With 127.0.0.1 alone, glibc finds no address for who asks for those of configured networks only.
            for command in ("link set lo up", "addr add 127.0.0.2/8 dev lo"):
                subprocess.run(["ip", *command.split()], check=True, capture_output=True)
            yield
        finally:
            libc.setns(before, _CLONE_NEWNET)
    finally:
        os.close(before)
