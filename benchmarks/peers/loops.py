"""The floor: no queue, no record."""

from __future__ import annotations

from pathlib import Path

from benchmarks import processes
from benchmarks.peers.in_process import DRIVERS
from benchmarks.peers.tool import Outcome, Tool
from benchmarks.work import Work, write_script


class ShellLoop(Tool):
    """A loop of a shell that starts an interpreter each time."""

    key = "loop"
    name = "shell loop of `python`"
    cheap = True

    def run(self, work: Work, count: int, root: Path) -> Outcome:
        """Runs the script `count` times."""
        python, script = write_script(work, root)
        loop = f'for i in $(seq {count}); do "{python}" "{script}" || exit; done'
        seconds = processes.run(["sh", "-c", loop], root, processes.environment())
        return Outcome(seconds, processes.stamped(root / "stamps", count))


class ForkLoop(Tool):
    """A process that forks a child for each run and waits for it."""

    key = "loop"
    name = "bare fork"
    cheap = True
    steady = True
    any_work = False

    def run(self, work: Work, count: int, root: Path) -> Outcome:
        """Forks `count` times."""
        import sys

        command = [sys.executable, str(DRIVERS / "fork_loop.py"), str(count), str(root / "stamps")]
        seconds = processes.run(command, root, processes.environment(root))
        return Outcome(seconds, processes.stamped(root / "stamps", count))
