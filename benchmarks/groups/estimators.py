"""What fitting and predicting cost through an estimator, beside the library used by hand."""

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

OURS, PLAIN = "mlpipeline estimator", "the library by hand"
LIBRARIES = {"xgboost": "XGBoost, 100 rounds", "lightgbm": "LightGBM, 100 rounds", "sklearn": "a forest of 20 trees"}
_ROWS, _FEW_ROWS = 200_000, 5_000


def fit_of(library: str) -> str:
    """Returns the measure of a fit."""
    return f"{LIBRARIES[library]} fitted, 20 features"


def row_of(library: str) -> str:
    """Returns the measure of a prediction."""
    return f"{LIBRARIES[library]}: one row predicted"


class Way(Tool):
    """A way to use libraries.

    Args:
        name: what people read.
        way: what the driver calls it.
    """

    key, cheap = "mlpipeline", True

    def __init__(self, name: str, way: str) -> None:
        self.name, self.way = name, way

    def prepare(self) -> None:
        """Needs the libraries of the estimators."""
        missing = [each for each in LIBRARIES if importlib.util.find_spec(each) is None]
        if missing:
            raise Unavailable(f"{', '.join(missing)} not installed beside this benchmark")

    def measured(self, library: str, rows: int, **variables: str) -> dict[str, float]:
        """Fits once, in a process of its own with these variables."""
        with processes.directory() as root:
            command = [sys.executable, str(DRIVERS / "fit.py"), library, self.way, str(rows)]
            processes.run(command, root, processes.environment(**variables))
            found: dict[str, float] = json.loads((root / "said").read_text("utf-8").splitlines()[-1])
        return found


def measure(bench: Bench) -> Iterator[Series]:
    """Measures both ways in turn, library after library."""
    rows = bench.settings.count(_ROWS, _FEW_ROWS)
    # On a machine that does much else, threads wait for one another: a fit of a second takes a minute.
    variables = {"OMP_NUM_THREADS": "1"} if bench.settings.quick else {}

    def once(tool: Tool) -> Iterator[Reading]:
        assert isinstance(tool, Way)
        for library in LIBRARIES:
            found = tool.measured(library, rows, **variables)
            note = f"{rows:,} rows, accuracy {found['accuracy']:.4f}"
            yield Reading(measure=fit_of(library), values=(found["fit"] * 1000,), note=note)
            yield Reading(measure=row_of(library), values=(found["row"] * 1000,))

    tools = (Way(OURS, "ours"), Way(PLAIN, "plain"))
    yield from bench.alternate("estimators", fit_of("xgboost"), tools, bench.settings.times(5, 1), once)
