"""What a search costs: many trials of a model that trains in no time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks import peers, processes
from benchmarks.bench import Bench, Reading
from benchmarks.environments import Environment
from benchmarks.figures import Series
from benchmarks.peers import ours
from benchmarks.peers.in_process import DRIVERS, RAY
from benchmarks.peers.tool import Tool

OPTUNA = Environment("optuna", "optuna")
TRIALS, QUICK_TRIALS = 200, 4
TPE = f"{peers.WARM.name}, tpe, two slots"
WHOLE = "a search of 200 trials of a cheap model, from nothing"
MODEL = """import os
from mlpipeline.helper import Model
from mlpipeline.utils import Versions

class Cheap(Model):
    def train_model(self, input_fn, steps):
        self.loss = (self.current_version["x"] - 1) ** 2 + (self.current_version["y"] + 2) ** 2
    def evaluate_model(self, input_fn, steps):
        return {{"loss": self.loss}}

space = {{"x": (-5.0, 5.0), "y": (-5.0, 5.0)}}
MODEL = Cheap(Versions().search(space, trials={trials}, metric="loss", sampler="{sampler}"))
"""


class Searcher(Tool):
    """Who searches."""

    cheap = True

    def search(self, trials: int, root: Path) -> float:
        """Searches in a fresh directory, and returns the seconds that it took."""
        raise TypeError(f"{type(self).__name__} has no search(self, trials, root): define it")


class Ours(Searcher):
    """The queue, two trials at a time, each a run in a process of its own.

    Args:
        sampler: what draws.
    """

    key = "mlpipeline"

    def __init__(self, sampler: str) -> None:
        self.sampler = sampler
        self.name = f"{peers.WARM.name}, {sampler}, two slots"

    def search(self, trials: int, root: Path) -> float:
        """Trains all trials, and counts them."""
        ours.write_project(root, MODEL.format(trials=trials, sampler=self.sampler))
        seconds = processes.run(ours.queue("-j", "2"), root, processes.environment())
        told = json.loads((root / "models" / "outputs" / "status-bench.json").read_text("utf-8"))["studies"][0]
        if told["done"] != trials:
            raise RuntimeError(f"{told['done']} of {trials} trials are done")
        return seconds


class OptunaLoop(Searcher):
    """Optuna's own loop: trials are calls in one process.

    Args:
        name: what people read.
        storage: `memory`, or `sqlite`.
    """

    key = package = "optuna"
    environment = OPTUNA

    def __init__(self, name: str, storage: str) -> None:
        self.name, self.storage = name, storage

    def search(self, trials: int, root: Path) -> float:
        """Calls the driver."""
        command = [OPTUNA.python, str(DRIVERS / "search_optuna.py"), str(trials), self.storage]
        return processes.run(command, root, processes.environment(root))


class RayTune(Searcher):
    """Ray Tune with its random search, two trials at a time, each in a worker process."""

    key, package, name = "ray", "ray", "Ray Tune, random, two at a time"
    environment = RAY
    cheap = False

    def search(self, trials: int, root: Path) -> float:
        """Calls the driver."""
        command = [RAY.python, str(DRIVERS / "search_ray.py"), str(trials)]
        return processes.run(command, root, processes.environment(root))


def measure(bench: Bench) -> Iterator[Series]:
    """Measures all in turn."""
    trials = bench.settings.count(TRIALS, QUICK_TRIALS)
    chosen = bench.settings.peers
    others = [OptunaLoop("Optuna, in one process", "memory"), OptunaLoop("Optuna, in one process, SQLite", "sqlite")]
    tools = [Ours("tpe"), Ours("random")]
    tools += [each for each in (*others, RayTune()) if chosen is None or each.key in chosen]

    def once(tool: Tool) -> Iterator[Reading]:
        assert isinstance(tool, Searcher)
        with processes.directory() as root:
            seconds = tool.search(trials, root)
        yield Reading(measure=WHOLE, values=(seconds * 200 / trials,), unit="s", note=f"{trials} trials")

    yield from bench.alternate("search", WHOLE, tools, bench.settings.times(3, 1), once)
