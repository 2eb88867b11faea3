"""A Slurm that keeps accounts: the same, with a slurmdbd before a MariaDB which only it reaches, by a socket."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.engines import slurm_cluster
from tests.engines.slurm_cluster import Cluster

PROGRAMS = ("slurmdbd", "sacctmgr", "mariadbd")
PORT = 18817
_TABLES = Path("/usr/share/mysql/mysql_system_tables.sql")
_MORE = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={port}
AccountingStoragePass={directory}/munge.sock
AccountingStorageEnforce=associations,limits,qos
PartitionName=closed Nodes=n[1-2] State=UP AllowAccounts=small
"""
_DAEMON = """
AuthType=auth/munge
AuthInfo=socket={directory}/munge.sock
DbdHost=localhost
DbdPort={port}
SlurmUser=root
LogFile={directory}/slurmdbd.log
PidFile={directory}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=accounts
"""
_ACCOUNTS = (
    "add qos one MaxJobsPerUser=1",
    "add qos narrow MaxTRESPerJob=cpu=1",
    "add qos strict MaxTRESPerJob=cpu=1 Flags=DenyOnLimit",
    "add qos brief MaxWall=5",
    "add account lab",
    "add account small MaxSubmitJobs=3",
    "add account cores GrpTRES=cpu=1",
    "add user root account=lab defaultaccount=lab",
    "add user root account=small",
    "add user root account=cores",
    "modify user root set qos=normal,one,narrow,strict,brief defaultqos=normal",
)


def missing() -> str:
    """Returns which program is not installed; empty where all are."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    absent = next((each for each in PROGRAMS if shutil.which(each, path=path) is None), "")
    return slurm_cluster.missing() or absent


class Accounts(Cluster):
    """The daemons of a Slurm with accounts."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, port=PORT, more=_MORE.format(directory=directory, port=PORT + 2))

    def prepare(self) -> None:
        """Starts the database, what stands before it, and has both know a few accounts."""
        where = self.directory
        socket, data = where / "db.sock", where / "db"
        data.mkdir(mode=0o700)
        options = ["--no-defaults", "--user=root", f"--datadir={data}", "--skip-log-bin", "--innodb-log-file-size=4M"]
        program = shutil.which("mariadbd", path=self.variables["PATH"]) or "mariadbd"
        tables = f"create database mysql;\nuse mysql;\n{_TABLES.read_text()}"
        subprocess.run([program, *options, "--bootstrap"], input=tables, text=True, check=True, capture_output=True)
        # Whoever reaches its socket may do anything: only root enters that directory.
        options += [f"--socket={socket}", "--skip-networking", "--skip-grant-tables", "--innodb-buffer-pool-size=64M"]
        self._start("mariadbd", "mariadbd", *options, "--innodb-flush-log-at-trx-commit=0")
        self.until(socket.exists, "the database listens")
        conf = where / "slurmdbd.conf"
        conf.write_text(_DAEMON.format(directory=where, port=PORT + 2))
        conf.chmod(0o600)
        self._start("slurmdbd", "slurmdbd", "-D", MYSQL_UNIX_PORT=str(socket))
        self.until(self._has_cluster, "slurmdbd answers")
        for command in _ACCOUNTS:
            self.run("sacctmgr", "-i", *command.split())

    def _has_cluster(self) -> bool:
        try:
            return bool(self.run("sacctmgr", "-i", "add", "cluster", "mlp"))
        except subprocess.CalledProcessError:
            return False
