"""What it costs to look back: many runs side by side, and curves of many points in as few as a screen shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import ledger_fill, processes, workshop
from benchmarks.bench import Bench, Reading
from benchmarks.figures import Series

RUNS, QUICK_RUNS, POINTS, MOST_POINTS = 10_000, 1_000, 100_000, 1_000_000
COMPARED = f"{RUNS:,} runs in the ledger -> `compare --runs`, whole command"
THINNED = f"a curve of {POINTS:,} points -> the 1,000 that keep its look"
READ = f"a file of {MOST_POINTS:,} recorded values -> a curve"


def measure(bench: Bench) -> Iterator[Series]:
    """Measures all of it."""
    settings = bench.settings
    runs, times = settings.count(RUNS, QUICK_RUNS), settings.times(5, 2)
    jobs: dict[str, Callable[[], Iterator[Reading]]] = {
        COMPARED: lambda: compared(runs, times),
        THINNED: lambda: thinned(times),
        READ: lambda: read(settings.count(MOST_POINTS, POINTS)),
    }
    return bench.ours("comparing", jobs)


def compared(runs: int, times: int) -> Iterator[Reading]:
    """The runs of a long history, side by side, a row for each: read, compared, the best of them in a table."""
    with workshop.project(1, "") as root:
        path = root / "models" / "outputs" / "ledger-bench.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        ledger_fill.fill(path, runs)
        command = workshop.command("compare", "--runs")
        spent = tuple(workshop.seconds(command, root) * 1000 for _ in range(times))
        yield Reading(measure=COMPARED, values=spent, note=f"{runs:,} rows")


def thinned(times: int) -> Iterator[Reading]:
    """A noisy curve with NaN in it, downsampled."""
    import numpy as np

    from mlpipeline.observe import curves

    values = np.random.default_rng(1).normal(size=POINTS).cumsum()
    values[::1000] = np.nan
    curve = curves.Curve(np.arange(POINTS), values)
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        few = curves.downsampled(curve)
        taken.append((time.perf_counter() - begin) * 1000)
        assert len(few) == curves.POINTS
    yield Reading(measure=THINNED, values=tuple(taken))


def read(points: int) -> Iterator[Reading]:
    """A long file of recorded metrics, read."""
    from mlpipeline import metrics
    from mlpipeline.observe import curves

    with processes.directory() as root:
        path = Path(root) / "metrics.jsonl"
        path.write_text(metrics.lines((1.0, step, {"loss": 1 / step}) for step in range(1, points + 1)))
        begin = time.perf_counter()
        assert len(curves.read(path)["loss"]) == points
        yield Reading(measure=READ, values=((time.perf_counter() - begin) * 1000,), note=f"{points:,} values")
