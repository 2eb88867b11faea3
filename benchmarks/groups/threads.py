"""Two trainings at once that use OpenMP: as plain processes, which fight over the cores, and in two slots of ours."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from benchmarks import processes
from benchmarks.bench import Bench, Reading
from benchmarks.figures import Series
from benchmarks.peers import ours
from benchmarks.peers.tool import Tool
from benchmarks.work import Work, write_script

FIT = "one of two OpenMP trainings at once"
PLAIN = "plain processes"
LIMITED = "plain processes, OMP_NUM_THREADS=1"
OURS = "mlpipeline -j 2"
_IMPORTS = """import os
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier"""
# Each waits for the other, so that both train at the same time.
_BODY = """x = np.random.default_rng(0).normal(size=(2000, 20))
y = (x[:, 0] * x[:, 1] > 0).astype(int)
open({root!r} + f"/ready-{{os.getpid()}}", "w").close()
while sum(name.startswith("ready-") for name in os.listdir({root!r})) < 2:
    time.sleep(0.001)
begin = time.perf_counter()
HistGradientBoostingClassifier(max_iter=60, early_stopping=False).fit(x, y)
took = time.perf_counter() - begin
with open({root!r} + "/fits", "a") as fits:
    fits.write(f"{{took}}\\n")"""


class Pair(Tool):
    """A way to train two at once."""

    key, cheap = "mlpipeline", True

    def __init__(self, name: str) -> None:
        self.name = name

    def fits(self) -> tuple[float, ...]:
        """Trains both and returns the milliseconds of each fit."""
        with processes.directory() as root:
            work = Work(name="OpenMP", imports=_IMPORTS, body=_BODY.format(root=str(root)))
            self._train(work, root)
            lines = (root / "fits").read_text("utf-8").splitlines()
        if len(lines) != 2:
            raise RuntimeError(f"{len(lines)} of 2 trainings were measured")
        return tuple(float(line) * 1000 for line in lines)

    def _train(self, work: Work, root: Path) -> None:
        if self.name == OURS:
            ours.write_project(root, work.model(root / "stamps", 2))
            processes.run(ours.queue("-j", "2"), root, processes.environment())
            return
        python, script = write_script(work, root)
        variables = processes.environment()
        if self.name == LIMITED:
            variables["OMP_NUM_THREADS"] = "1"
        both = f'"{python}" "{script}" & "{python}" "{script}"; wait'
        processes.run(["sh", "-c", both], root, variables)


def measure(bench: Bench) -> Iterator[Series]:
    """Measures them in turn."""
    if importlib.util.find_spec("sklearn") is None:
        missing = "scikit-learn is not installed beside this benchmark"
        yield Series(group="threads", measure=FIT, tool=OURS, skipped=missing)
        return

    def once(tool: Tool) -> Iterator[Reading]:
        assert isinstance(tool, Pair)
        yield Reading(measure=FIT, values=tool.fits())

    tools = [Pair(OURS), Pair(PLAIN), Pair(LIMITED)]
    yield from bench.alternate("threads", FIT, tools, bench.settings.times(5, 1), once)
