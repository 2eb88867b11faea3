"""sacred's command line: a process for each run."""

from __future__ import annotations

from pathlib import Path

from benchmarks import processes
from benchmarks.peers.in_process import DRIVERS, SMALL
from benchmarks.peers.tool import Outcome, Tool
from benchmarks.work import Work


class SacredCommand(Tool):
    """A shell loop over an experiment that records itself into files."""

    key = package = "sacred"
    name = "sacred command line"
    environment = SMALL
    cheap = True
    counts = (20, 2)
    any_work = False

    def run(self, work: Work, count: int, root: Path) -> Outcome:
        """Starts the experiment `count` times."""
        script = DRIVERS / "sacred_command.py"
        loop = (
            f'for i in $(seq {count}); do "{SMALL.python}" "{script}" -F runs with stamps="{root}/stamps" || exit; done'
        )
        seconds = processes.run(["sh", "-c", loop], root, processes.environment(root))
        return Outcome(seconds, processes.stamped(root / "stamps", count))
