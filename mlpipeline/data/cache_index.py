"""The cache's index: what is kept, in one SQLite file; every change of it is one transaction."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mlpipeline.data.cache_key import Question

NAME = "index.db"
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, file TEXT NOT NULL, bytes INTEGER NOT NULL, crc INTEGER NOT NULL, rows INTEGER NOT NULL,
    created_at REAL NOT NULL, used_at REAL NOT NULL, uses INTEGER NOT NULL, seconds REAL NOT NULL,
    connection TEXT NOT NULL, name TEXT NOT NULL, dialect TEXT NOT NULL, sql TEXT NOT NULL, parameters TEXT NOT NULL,
    extract TEXT NOT NULL, extract_digest TEXT NOT NULL, form TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entries_used ON entries (used_at);
"""
_QUESTION = tuple(each.name for each in fields(Question))
_COLUMNS = ("key", "file", "bytes", "crc", "rows", "created_at", "used_at", "uses", "seconds", *_QUESTION)
_log = logging.getLogger("mlpipeline.data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An answer that is kept. Times are seconds since 1970; `seconds` is how long the database took."""

    key: str
    file: str
    bytes: int
    crc: int
    rows: int
    created_at: float
    used_at: float
    uses: int
    seconds: float
    question: Question


class Index:
    """The index of one directory. Nothing is made before something is written."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / NAME

    def record(self, entry: Entry, limit_bytes: int) -> list[str]:
        """Puts an entry in and takes those beyond the limit out, used least lately first.

        Returns:
            The files that are not needed any more.

        Raises:
            sqlite3.Error: when the index cannot be written; nothing has changed then.
            OSError: likewise.
        """
        values = [getattr(entry, name) for name in _COLUMNS[:9]]
        values += [getattr(entry.question, name) for name in _QUESTION]
        with self._open_for_writing() as index:
            removed = [row[0] for row in index.execute("SELECT file FROM entries WHERE key = ?", (entry.key,))]
            marks = ",".join("?" * len(_COLUMNS))
            index.execute(f"INSERT OR REPLACE INTO entries ({','.join(_COLUMNS)}) VALUES ({marks})", values)
            beyond = index.execute(
                "SELECT key, file FROM (SELECT key, file, sum(bytes) OVER (ORDER BY key != ?, used_at DESC, rowid DESC)"
                " AS total FROM entries) WHERE total > ?",
                (entry.key, limit_bytes),
            ).fetchall()
            index.executemany("DELETE FROM entries WHERE key = ?", [(key,) for key, _ in beyond])
        return removed + [file for _, file in beyond]

    def note_use(self, entry: Entry, now: float) -> None:
        """Records that an entry was used; where that cannot be written, it is not."""
        try:
            with self._open_for_writing() as index:
                index.execute("UPDATE entries SET used_at = ?, uses = uses + 1 WHERE key = ?", (now, entry.key))
        except (sqlite3.Error, OSError) as error:
            _log.debug("cache: the use is not recorded: %s", error)

    def forget(self, entries: list[Entry]) -> bool:
        """Takes entries out. Returns whether that could be written."""
        try:
            with self._open_for_writing() as index:
                index.executemany(
                    "DELETE FROM entries WHERE key = ? AND file = ?", [(each.key, each.file) for each in entries]
                )
        except (sqlite3.Error, OSError) as error:
            _log.debug("cache: %d entries cannot be removed: %s", len(entries), error)
            return False
        return True

    def entries(self, prefix: str = "") -> list[Entry]:
        """Returns what is kept, used last first; with a prefix, where the key begins so. What is damaged is said."""
        if not self.path.exists():
            return []
        try:
            with contextlib.closing(self._connect(f"{self.path.resolve().as_uri()}?mode=ro")) as index:
                rows = index.execute(
                    f"SELECT {','.join(_COLUMNS)} FROM entries WHERE substr(key, 1, ?) = ? ORDER BY used_at DESC, key",
                    (len(prefix), prefix),
                ).fetchall()
        except (sqlite3.Error, OSError) as error:
            _log.warning("cache: %s cannot be read (%s)", self.path, error)
            return []
        return [_entry(row) for row in rows]

    def _connect(self, uri: str) -> sqlite3.Connection:
        return sqlite3.connect(uri, timeout=30, isolation_level=None, uri=True)

    @contextlib.contextmanager
    def _open_for_writing(self) -> Iterator[sqlite3.Connection]:
        """Opens one transaction. A damaged index is put aside, and an empty one takes its place."""
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            index = self._begin()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode not in _DAMAGE:
                raise
            aside = self.path.with_suffix(".damaged")
            _log.warning("cache: %s is damaged: it is kept as %s, and the cache begins empty", self.path, aside.name)
            self.path.replace(aside)
            index = self._begin()
        with contextlib.closing(index):
            yield index
            index.execute("COMMIT")

    def _begin(self) -> sqlite3.Connection:
        index = self._connect(self.path.resolve().as_uri())
        try:
            index.executescript(_SCHEMA)
            index.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            index.close()
            raise
        return index


def _entry(row: tuple[Any, ...]) -> Entry:
    own = dict(zip(_COLUMNS[:9], row, strict=False))
    return Entry(**own, question=Question(**dict(zip(_QUESTION, row[9:], strict=True))))
