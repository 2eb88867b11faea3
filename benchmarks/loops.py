"""What `run.steps()` and `run.record()` cost a training loop."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import workshop

CHUNK = 1000
CHUNKS = 10
# A plain loop and one that is watched take turns. What is measured is the time between the end of a step and the
# beginning of the next: the steps keep the processor for 1 ms each, which on a shared machine takes longer or shorter.
MODEL = """import itertools, json, time
from mlpipeline.helper import Model
from mlpipeline.utils import Versions

clock = time.perf_counter

class Loop(Model):
    def train_model(self, input_fn, steps):
        total = {chunk} * {chunks}
        loops = {{"plain": iter(range(total)), "watched": iter(self.run.steps(total=total))}}
        spent = {{name: [] for name in loops}}
        record = {{"plain": lambda loss: None, "watched": lambda loss: self.run.record(loss=loss)}}
        for name in itertools.islice(itertools.cycle(loops), 2 * {chunks}):
            between, end = 0.0, clock()
            for number in itertools.islice(loops[name], {chunk}):
                begin = clock()
                between += begin - end
                end = begin
                while end < begin + 0.001:
                    end = clock()
                record[name](0.5 / (number + 1))
            spent[name].append(between + clock() - end)
        (self.run.model_dir / "spent.json").write_text(json.dumps(spent))

MODEL = Loop(Versions().add("v"))
"""


def share_of_loop(chunks: int = CHUNKS) -> tuple[float, float]:
    """Returns what steps and record add to a loop of 1 ms steps in a worker: as a share of it, and seconds a step.

    Args:
        chunks: of a thousand steps each; so often do the two loops take turns.
    """
    with workshop.project(1) as root:
        (root / "models" / "nothing.py").write_text(MODEL.format(chunk=CHUNK, chunks=chunks))
        workshop.seconds(workshop.command("-r", "-u"), root)
        (found,) = (root / "models" / "outputs" / "model_dirs").glob("*/spent.json")
        spent: dict[str, list[float]] = json.loads(found.read_text())
    plain, watched = (statistics.median(spent[name]) / CHUNK for name in ("plain", "watched"))
    return (watched - plain) / (0.001 + plain), watched - plain


class Tensor:
    """A scalar as torch and TensorFlow have them: no dimension, and a conversion to a float."""

    shape = ()

    def __float__(self) -> float:
        return 0.5


def costs(count: int = 100_000) -> dict[str, float]:
    """Returns the seconds of one step of `steps`, and of one call of `record` with values of several kinds."""
    import numpy as np

    from mlpipeline.context import RunContext

    def alone(loop: Callable[[RunContext], object]) -> float:
        with tempfile.TemporaryDirectory() as name:
            context = RunContext(directory=Path(name), run_id="r")
            start = time.perf_counter()
            loop(context)
            context.close()
            return (time.perf_counter() - start) / count

    def steps(context: RunContext) -> None:
        for _ in context.steps(total=count):
            pass

    def recorder(value: Any) -> Callable[[RunContext], None]:
        def record(context: RunContext) -> None:
            for step in range(count):
                context.record(loss=value, step=step)

        return record

    values = {"float": 0.5, "numpy": np.float32(0.5), "tensor": Tensor()}
    loops = {"steps": steps, **{name: recorder(value) for name, value in values.items()}}
    # The least of several: what else the machine does can only make it longer.
    return {name: min(alone(loop) for _ in range(5)) for name, loop in loops.items()}


if __name__ == "__main__":
    share, more = share_of_loop()
    told = {name: f"{cost * 1e6:.2f} us" for name, cost in costs().items()}
    sys.stdout.write(f"{share:.2%} of a loop of 1 ms steps, {more * 1e6:.1f} us a step; alone {told}\n")
