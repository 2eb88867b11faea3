"""Training on more rows than one would hold in memory: what a stream costs beside the same dataset in memory."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks import processes
from benchmarks.bench import Bench, Reading
from benchmarks.figures import Series
from benchmarks.peers.in_process import DRIVERS
from benchmarks.peers.tool import Tool

STREAM, MEMORY = "mlpipeline `Streaming`", "mlpipeline `TrainTestSplit`, in memory"
EPOCH = "an epoch of a linear model by batches, of three"
ALONE = "batches of an epoch handed out, nothing learnt"
PREPARED = "rows made, divided, encoders fitted"
WHOLE = "from nothing to three epochs"
PEAK = "peak memory of streaming, or of the like in memory"
ROWS, QUICK_ROWS = 20_000_000, 50_000
NEEDED = ("pandas", "pyarrow", "sklearn")


class Way(Tool):
    """A kind of dataset.

    Args:
        name: what people read.
        how: what the driver calls it.
    """

    key, cheap = "mlpipeline", True

    def __init__(self, name: str, how: str) -> None:
        self.name, self.how = name, how

    def measured(self, rows: int) -> dict[str, Any]:
        """Trains on so many rows in a process of its own and returns what it said of time and memory."""
        with processes.directory() as root:
            command = [sys.executable, str(DRIVERS / "stream_rows.py"), str(rows), self.how, str(root)]
            processes.run(command, root, processes.environment())
            said: dict[str, Any] = json.loads((root / "said").read_text("utf-8").splitlines()[-1])
        return said


def measure(bench: Bench) -> Iterator[Series]:
    """Measures both in turn."""
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        reason = f"{', '.join(missing)} is not installed beside this benchmark"
        yield Series(group="streaming", measure=EPOCH, tool=STREAM, skipped=reason)
        return
    rows = bench.settings.count(ROWS, QUICK_ROWS)

    def once(tool: Tool) -> Iterator[Reading]:
        assert isinstance(tool, Way)
        said = tool.measured(rows)
        marks, note = said["marks"], f"{rows:,} rows, {said['rows']:,} of them to learn from"
        epochs = [seconds for name, seconds in marks.items() if name.startswith("epoch")]
        prepared = marks["rows"] + marks["fit encoders"]
        for measure, value, unit in (
            (EPOCH, sum(epochs) / len(epochs), "s"),
            (ALONE, marks["batches alone"], "s"),
            (PREPARED, prepared, "s"),
            (WHOLE, prepared + sum(epochs), "s"),
            (PEAK, said["peak_mb"], "MB"),
        ):
            yield Reading(measure=measure, values=(value,), unit=unit, note=note)

    tools = [Way(STREAM, "stream"), Way(MEMORY, "memory")]
    yield from bench.alternate("streaming", EPOCH, tools, bench.settings.times(3, 1), once)
