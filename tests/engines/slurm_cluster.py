"""A Slurm of Debian's packages on this machine: one controller and two nodes, everything below one directory."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "munged", "ip")
NODES = ("n1", "n2")
CPUS = 8
GENEROUS_SECONDS = 60.0

_CONF = """
ClusterName=mlp
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={directory}/munge.sock
SlurmctldPort={port}
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/slurmd.%n
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/slurmd.%n.pid
SlurmctldLogFile={directory}/slurmctld.log
SlurmdLogFile={directory}/slurmd.%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MinJobAge=600
MaxArraySize=1001
MaxJobCount=10000
KillWait=4
SlurmctldTimeout=30
SlurmdTimeout=10
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,preempt_send_user_signal
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
AccountingStorageType=accounting_storage/none
GresTypes=gpu
NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs={cpus} RealMemory=4000 Gres=gpu:2
PartitionName=main Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=20
PartitionName=urgent Nodes=n[1-2] MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
PartitionName=short Nodes=n[1-2] MaxTime=10 State=UP PriorityTier=1
{more}
"""
# Slurm hands these out as it does GPUs, and looks at no more of them than that they are there.
_GRES = """
NodeName=n1 Name=gpu File=/dev/null
NodeName=n1 Name=gpu File=/dev/zero
NodeName=n2 Name=gpu File=/dev/full
NodeName=n2 Name=gpu File=/dev/random
"""


def missing() -> str:
    """Returns which program is not installed; empty where all are."""
    return next((each for each in PROGRAMS if shutil.which(each, path=_path()) is None), "")


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


class Cluster:
    """The daemons of one Slurm, each a child of this process.

    Args:
        directory: with a short path (that of a socket has at most 107 bytes), which other users may enter.
        port: of its controller; those of its nodes follow.
        more: further lines of slurm.conf: of a key that is there twice the later counts.
    """

    def __init__(self, directory: Path, *, port: int = 16817, more: str = "") -> None:
        self.directory, self.port, self.more = directory, port, more
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        self.logs = (directory / "daemons.log").open("ab")

    @property
    def variables(self) -> Mapping[str, str]:
        """What clients of this Slurm find it by."""
        return {"SLURM_CONF": str(self.directory / "slurm.conf"), "PATH": _path()}

    def start(self) -> None:
        """Starts everything and waits until both nodes can be used."""
        (self.directory / "state").mkdir()
        key = self.directory / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        host = platform.node().partition(".")[0]
        first, last = self.port + 4, self.port + 3 + len(NODES)
        own = {"port": self.port, "first": first, "last": last, "more": self.more}
        conf = _CONF.format(host=host, directory=self.directory, cpus=CPUS, **own)
        (self.directory / "slurm.conf").write_text(conf)
        (self.directory / "gres.conf").write_text(_GRES)
        self.munge()
        self.prepare()
        self.controller()
        for node in NODES:
            self.node(node)
        self.until(lambda: self.idle() == len(NODES), "both nodes are idle")

    def prepare(self) -> None:
        """Starts what the controller wants to find; nothing here."""

    def munge(self) -> None:
        """Starts what signs messages; root and a directory of its own need --force."""
        where = self.directory
        files = [f"--key-file={where}/munge.key", f"--socket={where}/munge.sock", f"--pid-file={where}/munged.pid"]
        files += [f"--log-file={where}/munged.log", f"--seed-file={where}/munged.seed"]
        self._start("munged", "munged", "--foreground", "--force", "--num-threads=2", *files)
        self.until((where / "munge.sock").exists, "munged listens")

    def controller(self) -> None:
        """Starts slurmctld."""
        self._start("slurmctld", "slurmctld", "-D", "-f", str(self.directory / "slurm.conf"))

    def node(self, name: str) -> None:
        """Starts the slurmd of a node."""
        self._start(name, *self._slurmd(name))

    def _slurmd(self, name: str) -> list[str]:
        return ["slurmd", "-D", "-N", name, "-f", str(self.directory / "slurm.conf")]

    def _start(self, name: str, *command: str, **variables: str) -> None:
        self.daemons[name] = subprocess.Popen(
            [shutil.which(command[0], path=_path()) or command[0], *command[1:]],
            env={**os.environ, **self.variables, **variables},
            stdin=subprocess.DEVNULL,
            stdout=self.logs,
            stderr=self.logs,
        )

    def kill(self, name: str) -> None:
        """Ends a daemon as a crash would."""
        daemon = self.daemons.pop(name)
        daemon.kill()
        daemon.wait()

    def run(self, *command: str) -> str:
        """Runs a client of this Slurm and returns what it says.

        Raises:
            subprocess.CalledProcessError: it failed.
        """
        done = subprocess.run(command, env={**os.environ, **self.variables}, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
        return done.stdout

    def idle(self) -> int:
        """Returns how many nodes are idle."""
        try:
            return self.run("sinfo", "-h", "-N", "-p", "main", "-o", "%t").split().count("idle")
        except subprocess.CalledProcessError:
            return 0

    def jobs(self) -> list[str]:
        """Returns the jobs that wait or run, a line each."""
        return self.run("squeue", "-h", "-r", "-o", "%i %j %T %r").splitlines()

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits for a condition, generously."""
        end = time.monotonic() + GENEROUS_SECONDS
        while not condition():
            assert time.monotonic() < end, f"never happened: {what}\n{self.story()}"
            time.sleep(0.05)

    def story(self) -> str:
        """Returns the ends of all logs."""
        return "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in self.directory.glob("*.log"))

    def clear(self) -> None:
        """Takes everything out of the queue, and has all daemons run and all nodes usable again."""
        if "slurmctld" not in self.daemons:
            self.controller()
        for name in NODES:
            if name not in self.daemons:
                self.node(name)
        self.until(self.answers, "the controller answers")
        for line in self.jobs():
            with contextlib.suppress(subprocess.CalledProcessError):  # it has ended meanwhile
                self.run("scancel", "--full", line.split()[0])
        self.until(lambda: not self.jobs(), "the queue is empty")
        self.resume()
        self.until(lambda: self.idle() == len(NODES), "both nodes are idle")

    def resume(self) -> None:
        """Has all nodes take jobs."""
        for name in NODES:
            with contextlib.suppress(subprocess.CalledProcessError):  # it does
                self.run("scontrol", "update", f"NodeName={name}", "State=RESUME")

    def answers(self) -> bool:
        try:
            return bool(self.run("scontrol", "ping"))
        except subprocess.CalledProcessError:
            return False

    def stop(self) -> None:
        """Ends everything, each daemon by its own process."""
        for daemon in reversed(self.daemons.values()):  # the last one is started by who needs the others
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.daemons.clear()
        self.logs.close()
