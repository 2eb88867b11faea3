"""A queue of small trainings with TensorFlow, from nothing to the last record, the start of every process included."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from benchmarks import peers, processes
from benchmarks.bench import Bench, Reading
from benchmarks.figures import Series
from benchmarks.peers.tool import Outcome, Tool
from benchmarks.work import TENSORFLOW, Work, gaps

WHOLE = "queue of TensorFlow trainings, from nothing, per run"
GAP = "last line of a TensorFlow training -> first line of the next"
MISSING = "TensorFlow is not installed beside this benchmark"
_KEYS = {"task-spooler", "dvc", "guild"}


class Longer(Tool):
    """Our queue with more runs, so that its start weighs less."""

    key, name, cheap = "mlpipeline", "mlpipeline, 20 runs", True

    def run(self, work: Work, count: int, root: Path) -> Outcome:
        """Trains."""
        return peers.WARM.run(work, count, root)


LONGER = Longer()


def tensorflow() -> bool:
    """Says whether TensorFlow is there, without importing it."""
    return importlib.util.find_spec("tensorflow") is not None


def measure(bench: Bench) -> Iterator[Series]:
    """Measures the tools that can be given any script; of Guild, its queue."""
    if not tensorflow():
        yield Series(group="training", measure=WHOLE, tool=peers.WARM.name, skipped=MISSING)
        return
    given = [tool for tool in bench.peers() if tool.key in _KEYS and tool.name != "Guild run"]
    # Each start of TensorFlow costs seconds: one has to do for a quick run.
    tools = [peers.WARM] if bench.settings.quick else [*peers.OURS, peers.FLOOR[1], *given, LONGER]
    count = bench.settings.count(6, 2)

    def once(tool: Tool) -> Iterator[Reading]:
        runs = 20 if tool is LONGER else count
        with processes.directory() as root:
            done = tool.run(TENSORFLOW, runs, root)
        yield Reading(measure=WHOLE, unit="s", values=(done.seconds / runs,), note=f"{runs} runs")
        yield Reading(measure=GAP, values=tuple(gaps(done.stamps)))

    yield from bench.alternate("training", WHOLE, tools, bench.settings.times(2, 1), once)
