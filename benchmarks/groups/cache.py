"""What an answer of a million rows costs: asked of a database, and kept."""

from __future__ import annotations

import contextlib
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.bench import Bench, Reading
from benchmarks.environments import Unavailable
from benchmarks.figures import Series
from benchmarks.peers.tool import Tool

ANSWER = "an answer of 1,000,000 rows and 5 columns as a frame"
SQL = "SELECT id, name, amount, kind, day FROM orders WHERE day < :days"
OURS = "mlpipeline, kept"
QUERY = "mlpipeline, SQLite asked"


class Way(Tool):
    """A way to get the frame.

    Args:
        name: what people read.
        prepare: is given database and directory, and returns what gives the frame.
        kind: of database.
    """

    cheap = True

    def __init__(self, name: str, prepare: Callable[[Any, Path], Callable[[], Any]], kind: str = "sqlite") -> None:
        self.key = self.name = name
        self.make, self.kind = prepare, kind

    def prepare(self) -> None:
        """Looks for the libraries.

        Raises:
            Unavailable: when they are missing.
        """
        for module in ("sqlalchemy", "pandas", "pyarrow", "duckdb"):
            try:
                __import__(module)
            except ImportError as error:
                raise Unavailable(f"{module} is not installed") from error

    def version(self) -> str:
        """Returns nothing: it is this package, or one whose version stands elsewhere."""
        return ""

    def times(self, rows: int, repeat: int) -> Iterator[float]:
        """Yields the milliseconds of each repetition; the first is not counted."""
        from mlpipeline.data.cached import Cache
        from mlpipeline.data.connection import Connection

        with processes.directory() as root:
            database = Connection(f"{self.kind}:///orders.db", root=root, cache=Cache(root / "cache"))
            with contextlib.closing(database):
                database.insert("orders", orders(rows), create=True)
                ask = self.make(database, root)
                for number in range(repeat + 1):
                    begun = time.perf_counter()
                    frame = ask()
                    took = (time.perf_counter() - begun) * 1000
                    assert frame.shape == (rows, 5)
                    if number:
                        yield took


def orders(rows: int) -> Any:
    """Returns rows as shops have them: whole numbers, text of few values, amounts of which some are missing."""
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(1)
    names = np.array([f"customer {number}" for number in range(5000)])
    amount = generator.random(rows).round(4)
    amount[::17] = np.nan
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "name": names[generator.integers(0, len(names), rows)],
            "amount": amount,
            "kind": generator.integers(0, 9, rows),
            "day": generator.integers(0, 1000, rows),
        }
    )


def _asked(database: Any, _: Path) -> Callable[[], Any]:
    return lambda: database.dataframe(SQL, days=1000)


def _kept(database: Any, _: Path) -> Callable[[], Any]:
    return lambda: database.dataframe(SQL, days=1000, cache=True)


def _pandas(database: Any, _: Path) -> Callable[[], Any]:
    import pandas as pd
    import sqlalchemy as sa

    def ask() -> Any:
        with database.engine.connect() as live:
            return pd.read_sql(sa.text(SQL), live, params={"days": 1000})

    return ask


def _pickled(database: Any, root: Path) -> Callable[[], Any]:
    path = root / "kept.pickle"
    path.write_bytes(pickle.dumps(database.dataframe(SQL, days=1000)))
    return lambda: pickle.loads(path.read_bytes())


WAYS = (
    Way(OURS, _kept),
    Way(QUERY, _asked),
    Way("pandas read_sql, SQLite asked", _pandas),
    Way("a pickle, unchecked", _pickled),
    Way("mlpipeline, DuckDB asked", _asked, "duckdb"),
)


def measure(bench: Bench) -> Iterator[Series]:
    """Measures every way."""
    rows, repeat = bench.settings.count(1_000_000, 50_000), bench.settings.times(3, 2)
    note = "" if rows == 1_000_000 else f"{rows:,} rows"

    def once(tool: Tool) -> Iterator[Reading]:
        assert isinstance(tool, Way)
        yield Reading(measure=ANSWER, values=tuple(tool.times(rows, repeat)), note=note)

    yield from bench.alternate("cache", ANSWER, WAYS, bench.settings.times(3, 1), once)
