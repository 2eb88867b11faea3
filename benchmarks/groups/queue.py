"""What the queue itself costs: imports, commands, edits, planning."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import ledger_fill, processes, workshop
from benchmarks.bench import Bench, Reading
from benchmarks.figures import Series
from mlpipeline.ledger import Ledger
from mlpipeline.queue import plan

IMPORT = "`import mlpipeline`, beyond a bare interpreter"
HELP = "`mlpipeline --help`, whole process"
EDIT = "edit of models.config saved -> in force and logged, idle scheduler"
TURN = "planning turn, 10,000 versions wanted"
LOOK_UP = "look-up of 10,000 standings, once after a change"
STATUS = "`mlpipeline status`, whole process"
HISTORY = "`mlpipeline history`, whole process"


def measure(bench: Bench) -> Iterator[Series]:
    """Measures all of it; every value is of one repetition."""
    settings = bench.settings
    times = settings.count(15, 2)
    recorded, planned = settings.count(100_000, 10_000), settings.count(1_000_000, 10_000)
    jobs: dict[str, Callable[[], Iterator[Reading]]] = {
        IMPORT: lambda: imports(times),
        EDIT: lambda: edits(times),
        TURN: lambda: planning_turns(times, planned),
        STATUS: lambda: status_of_many(times, recorded),
    }
    return bench.ours("queue", jobs)


def imports(times: int) -> Iterator[Reading]:
    """`import mlpipeline` and a bare interpreter in turn, and `mlpipeline --help`."""
    commands = ([sys.executable, "-c", "pass"], [sys.executable, "-c", "import mlpipeline"], workshop.command("--help"))
    rounds = [[workshop.seconds(command) * 1000 for command in commands] for _ in range(times + 1)]
    bare, own, whole = zip(*rounds[1:], strict=True)  # the first warms caches
    extra = [each - statistics.median(bare) for each in own]
    yield Reading(measure=IMPORT, values=tuple(extra))
    yield Reading(measure=HELP, values=whole)


def edits(times: int) -> Iterator[Reading]:
    """From the rename of models.config to the log line that says what it changed, on an idle scheduler."""
    with workshop.project(1) as root:
        log = root / "models" / "outputs" / "log-bench"
        with processes.running(workshop.command("-r", "-u", "--watch"), root, processes.environment()):
            processes.until(lambda: log.exists() and "succeeded" in log.read_text())
            delays = [_one_edit(root, log, number) * 1000 for number in range(times)]
    yield Reading(measure=EDIT, values=tuple(delays))


def _one_edit(root: Path, log: Path, number: int) -> float:
    time.sleep(0.2)
    before = log.stat().st_size
    workshop.listed(root, f"nothing.py = priority={number + 1}")
    start = time.perf_counter()
    processes.until(lambda: log.stat().st_size > before, pause=0.0005)
    return time.perf_counter() - start


def planning_turns(times: int, runs: int) -> Iterator[Reading]:
    """Planning turns over a ledger of so many runs."""
    with workshop.project(1) as root:
        ledger_fill.fill(root / "ledger.db", runs)
        ledger = Ledger.open(root / "ledger.db")
        wanted = ledger_fill.wanted_of(10_000)
        keys = [each.key for each in wanted]
        standings = ledger.standings(keys)

        def turn() -> object:
            return plan.plan(
                wanted,
                standings,
                slots=2,
                now=datetime.now(UTC),
                local_minute=0,
                defaults=plan.PlanDefaults(max_attempts=3),
                busy=frozenset(),
                describing={},
                faulty=frozenset(),
            )

        note = f"{runs:,} runs in the ledger"
        yield Reading(measure=LOOK_UP, values=_timed(lambda: ledger.standings(keys), times), note=note)
        yield Reading(measure=TURN, values=_timed(turn, times), note=note)
        ledger.close()


def _timed(action: Callable[[], object], times: int) -> tuple[float, ...]:
    action()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append((time.perf_counter() - start) * 1000)
    return tuple(taken)


def status_of_many(times: int, runs: int) -> Iterator[Reading]:
    """`mlpipeline status` and `mlpipeline history` as whole processes over so many runs."""
    with workshop.project(1) as root:
        workshop.seconds(workshop.command("-r", "-u"), root)
        ledger_fill.fill(root / "models" / "outputs" / "ledger-bench.db", runs)
        for measure, name in ((STATUS, "status"), (HISTORY, "history")):
            took = _timed(lambda name=name: workshop.seconds(workshop.command(name), root), times)
            yield Reading(measure=measure, values=took, note=f"{runs:,} runs in the ledger")
