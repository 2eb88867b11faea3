"""A Slurm whose nodes see the project through mounts of their own, which remember attributes as those of NFS do.

This kernel need have no NFS: a mount of FUSE caches attributes, names, and that a name is not there, for seconds, keeps
locks to itself, and shows what another mount has written when it asks again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.engines import slurm_cluster
from tests.engines.slurm_cluster import NODES, Cluster

PROGRAMS = ("bindfs", "unshare", "nsenter", "umount")
PORT = 20817
CACHED_SECONDS = 3
"""As long as NFS does by default for what has just changed."""
# By this name it is known for a file system of a network: no events are relied on, and the ledger lies elsewhere.
_OPTIONS = ",".join(["subtype=sshfs", *(f"{each}_timeout={CACHED_SECONDS}" for each in ("attr", "entry", "negative"))])


def missing() -> str:
    """Returns which program is not installed; empty where all are."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    absent = next((each for each in PROGRAMS if shutil.which(each, path=path) is None), "")
    return slurm_cluster.missing() or absent


class Mounts(Cluster):
    """The daemons of such a Slurm.

    Attributes:
        shared: the directory that all see at the same path, each through a mount of its own.
    """

    def __init__(self, directory: Path) -> None:
        # Between Slurm's warning and its kill, what is asked of a run must be seen.
        super().__init__(directory, port=PORT, more="KillWait=20")
        self.shared = directory / "shared"
        self.disk = directory / "disk"

    def prepare(self) -> None:
        """Mounts it here, and for each node in a namespace of its own, of which no other process knows."""
        for each in (self.shared, self.disk):
            each.mkdir()
        self._start("mount", *self._mount())
        self.until(lambda: os.path.ismount(self.shared), "it is mounted here")
        for node in NODES:
            self._start(f"mount.{node}", "unshare", "--mount", "--propagation", "private", *self._mount())
            # The mount of this process is below that of the node, as it was when the namespace was made.
            self.until(lambda: self._mounts(self.daemons[f"mount.{node}"].pid) == 2, f"it is mounted for {node}")  # noqa: B023

    def _mount(self) -> list[str]:
        return ["bindfs", "-f", "-o", _OPTIONS, str(self.disk), str(self.shared)]

    def _mounts(self, process: int) -> int:
        told = Path(f"/proc/{process}/mounts").read_text().splitlines()
        return sum(line.split()[1] == str(self.shared) for line in told)

    def node(self, name: str) -> None:
        """Starts the slurmd of a node where it sees its own mount."""
        where = ("nsenter", f"--mount=/proc/{self.daemons[f'mount.{name}'].pid}/ns/mnt")
        self._start(name, *where, *self._slurmd(name))

    def stop(self) -> None:
        """Ends everything, and takes the mount away."""
        super().stop()
        subprocess.run(["umount", "--lazy", str(self.shared)], check=False, capture_output=True)
