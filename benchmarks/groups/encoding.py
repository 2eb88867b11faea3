"""What it takes to fit and encode ten columns of a million rows, in time and in memory."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator

from benchmarks import processes
from benchmarks.bench import Bench, Reading
from benchmarks.environments import Environment, Unavailable
from benchmarks.figures import Series
from benchmarks.peers.in_process import DRIVERS
from benchmarks.peers.tool import Tool

FIT = "ten encoders fitted on 1,000,000 rows"
ENCODE = "1,000,000 rows of ten columns encoded"
PEAK = "peak of memory while they are encoded, the output included, by the size of the output"
OURS, SKLEARN, APPLY = "mlpipeline encoders", "scikit-learn ColumnTransformer", "pandas `apply`, value by value"
_ROWS, _FEW_ROWS = 1_000_000, 50_000
_NEEDED = ("pandas", "pyarrow", "sklearn")
# Freed memory goes back at once, so that the peak is that of what is held; seconds are taken without that.
_EXACT = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "ARROW_DEFAULT_MEMORY_POOL": "system"}


class Way(Tool):
    """A way to encode.

    Args:
        name: what people read.
        way: what the driver calls it.
        key: of the peer.
        environment: whose interpreter runs it; None means that of this benchmark.
    """

    def __init__(
        self, name: str, way: str, *, key: str, package: str = "", environment: Environment | None = None
    ) -> None:
        self.name, self.way, self.key, self.package, self.environment = name, way, key, package, environment
        self.cheap = environment is None

    def prepare(self) -> None:
        """Needs the libraries of the data, where it runs in this interpreter."""
        missing = [each for each in _NEEDED if importlib.util.find_spec(each) is None]
        if self.environment is None and missing:
            raise Unavailable(f"{', '.join(missing)} not installed beside this benchmark")
        super().prepare()

    def measured(self, rows: int, *, exactly: bool) -> dict[str, float]:
        """Fits and encodes once, in a process of its own."""
        python = sys.executable if self.environment is None else self.environment.python
        with processes.directory() as root:
            variables = processes.environment() if self.environment is None else processes.environment(root)
            command = [python, "-W", "ignore", str(DRIVERS / "encode.py"), self.way, str(rows)]
            processes.run(command, root, variables | (_EXACT if exactly else {}))
            found: dict[str, float] = json.loads((root / "said").read_text("utf-8").splitlines()[-1])
        return found


WAYS = (
    Way(OURS, "ours", key="mlpipeline"),
    Way(SKLEARN, "sklearn", key="scikit-learn"),
    Way(APPLY, "apply", key="pandas"),
    Way(
        "category_encoders for words, scikit-learn for numbers",
        "category_encoders",
        key="category_encoders",
        package="category_encoders",
        environment=Environment("category-encoders", "category_encoders", "scikit-learn", "pandas", "pyarrow"),
    ),
)


def measure(bench: Bench) -> Iterator[Series]:
    """Measures every way."""
    chosen = bench.settings.peers
    tools = [each for each in WAYS if chosen is None or each.environment is None or each.key in chosen]
    rows = bench.settings.count(_ROWS, _FEW_ROWS)

    def once(tool: Tool) -> Iterator[Reading]:
        assert isinstance(tool, Way)
        found = tool.measured(rows, exactly=False)
        yield Reading(measure=FIT, values=(found["fit"] * 1000,), note=f"{rows:,} rows")
        yield Reading(measure=ENCODE, values=(found["encode"] * 1000,), note=f"{rows:,} rows")
        if bench.settings.quick and tool.name != OURS:
            return
        found = tool.measured(rows, exactly=True)
        size = found["output"] / 1e6
        yield Reading(measure=PEAK, unit="x", values=(found["peak"] / found["output"],), note=f"output {size:.0f} MB")

    yield from bench.alternate("encoding", ENCODE, tools, bench.settings.times(3, 1), once)
