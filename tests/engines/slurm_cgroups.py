"""A Slurm that keeps jobs in control groups: the kernel holds each within the memory that it asked for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.engines import slurm_cluster
from tests.engines.slurm_cluster import NODES, Cluster

PORT = 19817
_GROUPS = Path("/sys/fs/cgroup")
_KINDS = ("memory", "freezer", "cpuacct")
_MORE = """
ProctrackType=proctrack/cgroup
TaskPlugin=task/cgroup
JobAcctGatherType=jobacct_gather/cgroup
JobAcctGatherParams=NoShared
"""
_CGROUP = """
CgroupPlugin=cgroup/v1
CgroupMountpoint=/sys/fs/cgroup
IgnoreSystemd=yes
ConstrainRAMSpace=yes
"""


def missing() -> str:
    """Returns what this machine lacks; empty where groups of the first version can be made, as Slurm 22.05 wants."""
    for kind in _KINDS:
        probe = _GROUPS / kind / f"mlp-{os.getpid()}"
        try:
            probe.mkdir()
            limited = kind != "memory" or (probe / "memory.limit_in_bytes").exists()
            probe.rmdir()
        except OSError as error:
            return f"no control group can be made in {probe.parent} ({error.strerror})"
        if not limited:
            return f"{probe.parent} limits no memory"
    return ""


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Holds this machine's groups of Slurm: they have the names of nodes, and are removed in the end."""
    program = shutil.which("slurmd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or slurm_cluster.PROGRAMS[0]
    with open(program, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            for kind in _KINDS:
                for node in NODES:
                    _remove(_GROUPS / kind / f"slurm_{node}")


def _remove(group: Path) -> None:
    for directory, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):  # a process is still ending there: an empty group costs nothing
            os.rmdir(directory)


class Groups(Cluster):
    """The daemons of a Slurm with control groups."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, port=PORT, more=_MORE)

    def prepare(self) -> None:
        """Writes what the nodes read of groups."""
        (self.directory / "cgroup.conf").write_text(_CGROUP)
