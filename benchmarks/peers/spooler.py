"""task-spooler: a queue of commands in memory, which records nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from benchmarks import processes
from benchmarks.environments import Unavailable
from benchmarks.peers.tool import Outcome, Tool
from benchmarks.work import Work, write_script


def variables(root: Path) -> dict[str, str]:
    """Returns an environment with a server of our own."""
    return processes.environment(root, TS_SOCKET=str(root / "socket"), TS_MAXFINISHED="2000")


class TaskSpooler(Tool):
    """The Debian package task-spooler, command tsp."""

    key = "task-spooler"
    name = "task-spooler (no record)"
    cheap = True

    def prepare(self) -> None:
        """Finds its command."""
        if shutil.which("tsp") is None:
            raise Unavailable("the command `tsp` is not there: install the Debian package task-spooler")

    def version(self) -> str:
        """Asks it."""
        said = subprocess.run(["tsp", "-V"], capture_output=True, text=True, check=True).stdout
        return said.split(" - ")[0].removeprefix("Task Spooler v")

    def run(self, work: Work, count: int, root: Path) -> Outcome:
        """Queues the script `count` times and waits for the last."""
        python, script = write_script(work, root)
        environment = variables(root)
        loop = f'for i in $(seq {count}); do tsp -n "{python}" "{script}" >/dev/null || exit; done; tsp -w'
        try:
            seconds = processes.run(["sh", "-c", loop], root, environment)
        finally:
            processes.run(["tsp", "-K"], root, environment)
        return Outcome(seconds, processes.stamped(root / "stamps", count))
