"""What a run costs after many others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks import ledger_fill, peers, processes
from benchmarks.bench import Bench, Reading
from benchmarks.figures import Series
from benchmarks.peers import ours
from benchmarks.peers.in_process import MLFLOW, SMALL, Library
from benchmarks.peers.tool import Outcome, Tool
from benchmarks.work import NOTHING, Stamp, Work, spacing

SIZES = (0, 100, 300, 1_000, 3_000, 10_000, 100_000)
_WINDOW = 50


def after(size: int) -> str:
    """Names the measure."""
    return f"a run that does nothing, after {size:,} others"


class WithHistory(Tool):
    """Our queue over a ledger that holds others' runs."""

    key, name, cheap = "mlpipeline", peers.WARM.name, True

    def run(self, work: Work, count: int, root: Path, history: int = 0) -> Outcome:
        """Fills the ledger, then trains `count` versions."""
        ours.write_project(root, work.model(root / "stamps", count))
        outputs = root / "models" / "outputs"
        outputs.mkdir()
        if history:
            ledger_fill.fill(outputs / "ledger-bench.db", history)
        seconds = processes.run(ours.queue(), root, processes.environment())
        return Outcome(seconds, processes.stamped(root / "stamps", count))


class SacredHistory(Library):
    """sacred, whose files of runs are listed for each new one."""

    key = package = "sacred"
    name = "sacred in process"
    environment = SMALL
    driver = "in_sacred.py"
    cheap = True


class MlflowFile(Library):
    """MLflow's tracking into files."""

    key = package = "mlflow"
    name = "MLflow tracking (file)"
    environment = MLFLOW
    driver = "in_mlflow.py"
    arguments: tuple[str, ...] = ("file",)


class MlflowSqlite(MlflowFile):
    """MLflow's tracking into SQLite."""

    name = "MLflow tracking (sqlite)"
    arguments = ()


def measure(bench: Bench) -> Iterator[Series]:
    """Measures our queue over ledgers of several sizes, and libraries while their history grows."""
    quick = bench.settings.quick
    chosen = bench.settings.peers
    libraries = [
        each for each in (SacredHistory(), MlflowFile(), MlflowSqlite()) if chosen is None or each.key in chosen
    ]
    sizes = {0: 10, 10_000: 10} if quick else {0: 1000, 10_000: 200, 100_000: 1000}

    def once(tool: Tool) -> Iterator[Reading]:
        if isinstance(tool, WithHistory):
            for size, count in sizes.items():
                with processes.directory() as root:
                    stamps = tool.run(NOTHING, count, root, size).stamps
                yield Reading(measure=after(size), values=(spacing(stamps),), note=f"a queue of {count:,}")
            return
        largest = 100 if quick else 3_000 if tool.key == "sacred" else 1_000
        with processes.directory() as root:
            yield from _grown(tool.run(NOTHING, largest + _WINDOW, root).stamps, largest)

    tools = [WithHistory(), *libraries]
    yield from bench.alternate("growth", after(0), tools, bench.settings.times(2, 1), once)


def _grown(stamps: list[Stamp], largest: int) -> Iterator[Reading]:
    """Reads the cost at several sizes from one long row of runs."""
    for size in SIZES:
        if size <= largest:
            window = stamps[size : size + _WINDOW]
            yield Reading(measure=after(size), values=(spacing(window),), note=f"mean of {_WINDOW} runs")
