"""What other tools have been told of runs, so that each thing is told once; one process writes it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

_MOST_BYTES = 1 << 20
_TABLES = """
CREATE TABLE IF NOT EXISTS sinks (sink TEXT PRIMARY KEY, since TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS deliveries (
    sink TEXT NOT NULL, run TEXT NOT NULL, attempt INTEGER NOT NULL, place INTEGER NOT NULL, rows INTEGER NOT NULL,
    identity TEXT NOT NULL, sizes TEXT NOT NULL, told TEXT NOT NULL, PRIMARY KEY (sink, run)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How much of a run a tool has.

    Attributes:
        attempt: that is being read.
        place: bytes of its recorded metrics that were told.
        rows: how many rows that were.
        identity: what the tool calls the run.
        sizes: of the files that were written for it, by path.
        told: the attempt and the state that were told last; empty: not even that there is such a run.
    """

    sink: str
    run: str
    attempt: int = 1
    place: int = 0
    rows: int = 0
    identity: str = ""
    sizes: dict[str, int] = field(default_factory=dict)
    told: str = ""

    def at_attempt(self, number: int) -> Delivery:
        """Returns it at the beginning of a later attempt."""
        return replace(self, attempt=number, place=0, rows=0)

    def as_told(self, mark: str) -> Delivery:
        """Returns it with the state that was told."""
        return replace(self, told=mark)

    def read(self, path: Path) -> list[tuple[int, dict[str, Any]]]:
        """Returns the next rows of recorded metrics, at most a mebibyte, each with the place where it ends.

        A line that is being written is left for the next time.
        """
        try:
            with path.open("rb") as file:
                file.seek(self.place)
                data = file.read(_MOST_BYTES)
                while data and b"\n" not in data and (more := file.read(len(data))):
                    data += more
        except OSError:  # none was recorded, or the outputs were removed
            return []
        found = []
        end = self.place
        for line in data.splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            end += len(line)
            found.append((end, _row(line)))
        return found


def _row(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}


class Deliveries:
    """A small database beside the ledger.

    Args:
        path: of its file.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def since(self, sink: str, now: datetime) -> datetime:
        """Returns since when a tool is told of runs; that is from now on where it never was."""
        self._connection.execute("INSERT OR IGNORE INTO sinks VALUES (?, ?)", (sink, now.isoformat()))
        row = self._connection.execute("SELECT since FROM sinks WHERE sink = ?", (sink,)).fetchone()
        return datetime.fromisoformat(row[0])

    def told(self, sink: str) -> dict[str, str]:
        """Returns the state that was told last, by run."""
        rows = self._connection.execute("SELECT run, told FROM deliveries WHERE sink = ?", (sink,))
        return {run: told for run, told in rows if told}

    def get(self, sink: str, run: str) -> Delivery:
        """Returns how much of a run a tool has."""
        sql = "SELECT attempt, place, rows, identity, sizes, told FROM deliveries WHERE sink = ? AND run = ?"
        row = self._connection.execute(sql, (sink, run)).fetchone()
        if row is None:
            return Delivery(sink=sink, run=run)
        attempt, place, rows, identity, sizes, told = row
        return Delivery(
            sink=sink, run=run, attempt=attempt, place=place, rows=rows, identity=identity, sizes=json.loads(sizes),
            told=told,
        )  # fmt: skip

    def put(self, delivery: Delivery) -> None:
        """Remembers how much it has."""
        values = (*(getattr(delivery, name) for name in ("sink", "run", "attempt", "place", "rows", "identity")),)
        sql = "INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        self._connection.execute(sql, (*values, json.dumps(delivery.sizes), delivery.told))
