"""What a thousand metrics cost within a training loop."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from benchmarks import loops, processes
from benchmarks.bench import Bench, Reading
from benchmarks.environments import Environment
from benchmarks.figures import Series
from benchmarks.peers.in_process import DRIVERS, MLFLOW, SMALL
from benchmarks.peers.tool import Tool

COST = "one metric recorded, of 1,000"
SHARE = "what `steps()` and `record()` add to a loop of 1 ms steps"
LOOP = "one `run.record()` of 100,000, flushes included"
OURS = "mlpipeline `run.record()`"
JSON_LINE = "a JSON line, buffered"


class Recorder(Tool):
    """A way to record metrics.

    Args:
        name: what people read.
        driver: the script that does it, and its further arguments.
        key: of the peer.
        environment: whose interpreter runs it; None means that of this benchmark.
    """

    def __init__(
        self, name: str, *driver: str, key: str, environment: Environment | None = None, cheap: bool = False
    ) -> None:
        self.name, self.driver, self.key, self.package = name, driver, key, key
        self.environment, self.cheap = environment, cheap

    def each(self, count: int) -> float:
        """Records so many metrics and returns the microseconds that each took."""
        python = sys.executable if self.environment is None else self.environment.python
        script, *more = self.driver
        with processes.directory() as root:
            command = [python, str(DRIVERS / script), str(count), str(root), *more]
            variables = processes.environment(root) | ({} if self.environment else processes.environment())
            processes.run(command, root, variables)
            took: float = json.loads((root / "said").read_text("utf-8").splitlines()[-1])["seconds"]
        return took / count * 1e6


RECORDERS = (
    Recorder(OURS, "record_ours.py", key="mlpipeline", cheap=True),
    Recorder(JSON_LINE, "record_json.py", key="json", cheap=True),
    Recorder("sacred (memory, written every 10 s)", "record_sacred.py", key="sacred", environment=SMALL, cheap=True),
    Recorder(
        "TensorBoard (tensorboardX)",
        "record_tensorboard.py",
        key="tensorboardX",
        environment=Environment("tensorboardx", "tensorboardX", "numpy"),
    ),
    Recorder("MLflow file", "record_mlflow.py", "file", key="mlflow", environment=MLFLOW),
    Recorder("MLflow sqlite", "record_mlflow.py", key="mlflow", environment=MLFLOW),
)


def measure(bench: Bench) -> Iterator[Series]:
    """Measures every recorder, and ours in a long loop."""
    chosen = bench.settings.peers
    tools = [each for each in RECORDERS if chosen is None or each.environment is None or each.key in chosen]

    chunks = bench.settings.count(loops.CHUNKS, 1)

    def once(tool: Tool) -> Iterator[Reading]:
        assert isinstance(tool, Recorder)
        yield Reading(measure=COST, unit="us", values=(tool.each(1000),))
        if tool.name == OURS:
            yield Reading(measure=LOOP, unit="us", values=(tool.each(100_000),))
            yield Reading(measure=SHARE, unit="%", values=(loops.share_of_loop(chunks)[0] * 100,))

    yield from bench.alternate("recording", COST, tools, bench.settings.times(5, 1), once)
