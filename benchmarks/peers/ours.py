"""mlpipeline itself, as any other tool."""

from __future__ import annotations

import sys
from pathlib import Path

import mlpipeline
from benchmarks import processes
from benchmarks.peers.tool import Outcome, Tool
from benchmarks.work import Work

CONFIG = "[MLP]\nhost = bench\nmodels_dir = models\n"
LIST = "[MLP]\nuse_blacklist = false\n[WHITELISTED_MODELS]\nwork.py\n[BLACKLISTED_MODELS]\n"


def write_project(root: Path, model: str, config: str = "") -> None:
    """Makes a project of one model."""
    (root / "models").mkdir()
    (root / "models" / "work.py").write_text(model, "utf-8")
    (root / "mlp.config").write_text(CONFIG + config, "utf-8")
    (root / "models.config").write_text(LIST, "utf-8")


def queue(*more: str) -> list[str]:
    """Returns the command that trains what is due."""
    return [sys.executable, "-m", "mlpipeline", "-r", "-u", *more]


class Mlpipeline(Tool):
    """The queue of a project with one model, one slot.

    Args:
        preload: the setting.
    """

    key = "mlpipeline"
    cheap = True
    counts = (50, 5)

    def __init__(self, preload: str, name: str) -> None:
        self.preload, self.name = preload, name

    def version(self) -> str:
        """Asks the package."""
        return mlpipeline.__version__

    def run(self, work: Work, count: int, root: Path) -> Outcome:
        """Trains `count` versions."""
        write_project(root, work.model(root / "stamps", count), f"preload = {self.preload}\n")
        seconds = processes.run(queue(), root, processes.environment())
        return Outcome(seconds, processes.stamped(root / "stamps", count))


WARM = Mlpipeline("auto", "mlpipeline")
COLD = Mlpipeline("none", "mlpipeline, cold workers")
