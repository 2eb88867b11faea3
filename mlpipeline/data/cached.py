"""The cache of answers: Parquet files beside an SQLite index; what was used least lately goes first. No pickle."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mlpipeline.data import arrow
from mlpipeline.data.cache_index import Entry, Index
from mlpipeline.data.cache_key import Question, differences
from mlpipeline.data.data_settings import CACHE_LIMIT_BYTES
from mlpipeline.errors import DataFault, StoreError

if TYPE_CHECKING:
    import pyarrow as pa

_ORPHAN_SECONDS = 3600.0
_SUFFIX = ".parquet"
_log = logging.getLogger("mlpipeline.data")
_Answer = TypeVar("_Answer")


class Cache:
    """Keeps answers below one directory. Several threads and processes may use it at once.

    A file appears whole, by rename, before the index names it; a file is removed after the index has forgotten it. Who
    loses a race asks the database again. Whatever is wrong with the directory is told, and the question is answered.

    Args:
        directory: made on first use.
        limit_bytes: of all files together.
        ttl_seconds: how old an answer may be; None keeps it.
        clock: gives the time in seconds since 1970.
    """

    def __init__(
        self,
        directory: Path,
        *,
        limit_bytes: int = CACHE_LIMIT_BYTES,
        ttl_seconds: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.directory = directory
        self.index = Index(directory)
        self.limit_bytes, self.ttl_seconds, self.clock = limit_bytes, ttl_seconds, clock

    def answer(
        self,
        question: Question,
        ask: Callable[[], _Answer],
        pack: Callable[[_Answer], pa.Table],
        unpack: Callable[[pa.Table], _Answer],
    ) -> _Answer:
        """Returns what is kept for a question; asks, and keeps the answer, where nothing is.

        Args:
            question: what is asked.
            ask: asks the database.
            pack: makes a table of an answer; raises DataFault where the answer would not come back the same.
            unpack: makes the answer of it again.
        """
        what = question.extract or question.sql[:60]
        kept = self.find(question)
        if kept is not None:
            try:
                found = unpack(kept[1])
                age = self.clock() - kept[0].created_at
                _log.info("cache: %s: hit, %d rows, asked %.0f s ago", what, kept[0].rows, age)
                return found
            except (DataFault, ValueError, KeyError, TypeError) as error:
                _log.warning("cache: %s: what is kept cannot be used (%s): asked again", what, error)
        begun = time.monotonic()
        found = ask()
        took = time.monotonic() - begun
        _log.info("cache: %s: miss, asked in %.2f s", what, took)
        try:
            self.keep(question, pack(found), seconds=took)
        except (StoreError, DataFault) as error:
            _log.warning("cache: %s: the answer is not kept: %s", what, error)
        return found

    def find(self, question: Question) -> tuple[Entry, pa.Table] | None:
        """Returns the entry and the table kept for a question, and records the use; None where there is none.

        A file that is gone, damaged or too old is forgotten, and a damaged one said.
        """
        entry = self.entry(question.key)
        if entry is None:
            return None
        if self.is_expired(entry):
            self._forget([entry])
            return None
        path = self.directory / entry.file
        try:
            table = self._read(path, entry)
        except FileNotFoundError:  # another process has removed or replaced it
            self._forget([entry])
            return None
        except (OSError, DataFault) as error:
            _log.warning("cache: %s is damaged or cannot be read (%s): the database is asked again", path, error)
            self._forget([entry])
            return None
        self.index.note_use(entry, self.clock())
        return entry, table

    def _read(self, path: Path, entry: Entry) -> pa.Table:
        data = path.read_bytes()
        if len(data) != entry.bytes or arrow.checksum(data) != entry.crc:
            raise DataFault(f"{len(data)} bytes where {entry.bytes} were written, or other ones: it is asked for again")
        return arrow.from_parquet(data)

    def is_expired(self, entry: Entry) -> bool:
        """Whether an entry is older than an answer may be."""
        return self.ttl_seconds is not None and self.clock() - entry.created_at > self.ttl_seconds

    def keep(self, question: Question, table: pa.Table, *, seconds: float = 0.0) -> Entry:
        """Keeps a table as the answer to a question, and removes what was used least lately beyond the limit.

        Raises:
            StoreError: when it is larger than all that may be kept, or the directory cannot be written.
        """
        data = arrow.to_parquet(table)
        if len(data) > self.limit_bytes:
            raise StoreError(f"it has {len(data):,} bytes, more than cache_limit ({self.limit_bytes:,})")
        now = self.clock()
        file = f"{question.key[:24]}-{uuid.uuid4().hex[:8]}{_SUFFIX}"
        entry = Entry(
            key=question.key, file=file, bytes=len(data), crc=arrow.checksum(data), rows=table.num_rows, created_at=now,
            used_at=now, uses=0, seconds=seconds, question=question,
        )  # fmt: skip
        try:
            self._write(self.directory / file, data)
            removed = self.index.record(entry, self.limit_bytes)
        except (OSError, sqlite3.Error) as error:
            self._unlink([file])
            raise StoreError(f"{self.directory} cannot be written ({error}): free space, or set cache_dir") from error
        self._unlink(removed)
        self._sweep(now)
        return entry

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.part")
        try:
            beside.write_bytes(data)
            os.replace(beside, path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise

    def _forget(self, entries: list[Entry]) -> None:
        if self.index.forget(entries):
            self._unlink([each.file for each in entries])

    def _unlink(self, files: list[str]) -> None:
        for file in files:
            with contextlib.suppress(OSError):
                (self.directory / file).unlink(missing_ok=True)

    def _sweep(self, now: float) -> None:
        """Removes old files that no index names: what a killed process left."""
        with contextlib.suppress(OSError, sqlite3.Error):
            known = {entry.file for entry in self.entries()}
            for path in self.directory.iterdir():
                is_ours = path.name.endswith((_SUFFIX, ".part"))
                if is_ours and path.name not in known and now - path.stat().st_mtime > _ORPHAN_SECONDS:
                    path.unlink(missing_ok=True)

    def entry(self, key: str) -> Entry | None:
        """Returns what is kept under a key, read from the index alone."""
        return next(iter(self.entries(key)), None)

    def entries(self, prefix: str = "") -> list[Entry]:
        """Returns what is kept, used last first; with a prefix, where the key begins so."""
        return self.index.entries(prefix)

    def why_not(self, question: Question) -> list[str]:
        """Returns in words why a question would be asked; empty where its answer is kept."""
        entry = self.entry(question.key)
        if entry is not None:
            age, ttl = self.clock() - entry.created_at, self.ttl_seconds
            return (
                [f"the answer is {age:.0f} s old, more than cache_ttl ({ttl:.0f} s)"] if self.is_expired(entry) else []
            )
        near = [(differences(question, each.question), each) for each in self.entries()]
        same = [each for each in near if each[1].question.extract == question.extract]
        if not same:
            return ["nothing like it is kept"]
        return min(same, key=lambda each: (len(each[0]), -each[1].used_at))[0]

    def clear(self, chosen: Callable[[Entry], bool] = lambda _: True) -> list[Entry]:
        """Forgets entries and removes their files. A damaged index is removed with everything that it held."""
        entries = [entry for entry in self.entries() if chosen(entry)]
        self._forget(entries)
        return entries
