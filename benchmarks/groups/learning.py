"""What keeping the books of a fit costs: git commit, data snapshot, metrics, saved model, ledger."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator

from benchmarks import processes
from benchmarks.bench import Bench, Reading
from benchmarks.environments import Unavailable
from benchmarks.figures import Series
from benchmarks.peers.in_process import DRIVERS
from benchmarks.peers.tool import Tool

BOOKS = "what recording and saving a fit by hand takes, of the time of the fit"
FIT = "that fit: read rows, encoded, fitted, scored on three parts, recorded and saved"
OURS = "mlpipeline EstimatorModel"
_ROWS, _TREES, _FEW_ROWS, _FEW_TREES = 200_000, 300, 5_000, 20
_NEEDED = ("pandas", "pyarrow", "sklearn", "skops")


class Fits(Tool):
    """Our way to fit scikit-learn's trees."""

    key, name, cheap = "mlpipeline", OURS, True

    def prepare(self) -> None:
        """Needs the libraries beside this benchmark."""
        if missing := [each for each in _NEEDED if importlib.util.find_spec(each) is None]:
            raise Unavailable(f"{', '.join(missing)} not installed beside this benchmark")


def measure(bench: Bench) -> Iterator[Series]:
    """Measures the books and the fit that they are kept of."""
    rows, trees = bench.settings.count(_ROWS, _FEW_ROWS), bench.settings.count(_TREES, _FEW_TREES)

    # On a machine that does much else, threads wait for one another.
    variables = {"OMP_NUM_THREADS": "1"} if bench.settings.quick else {}

    def once(tool: Tool) -> Iterator[Reading]:
        with processes.directory() as root:
            command = [sys.executable, "-W", "ignore", str(DRIVERS / "learn.py"), str(rows), str(trees)]
            processes.run(command, root, processes.environment(**variables))
            found = json.loads((root / "said").read_text("utf-8"))
        books = sum(found["books"].values())
        note = f"{rows:,} rows, {trees} trees"
        yield Reading(measure=BOOKS, unit="%", values=(100 * books / (found["total"] - books),), note=note)
        yield Reading(measure=FIT, values=(found["total"] * 1000,), note=note)

    yield from bench.alternate("learning", BOOKS, [Fits()], bench.settings.times(3, 1), once)
