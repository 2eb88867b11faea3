"""The files that a spool is written through, and the directory in which that happens."""

from __future__ import annotations

import math
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from mlpipeline.data.row_hash import Hashes
from mlpipeline.data.split import Codes
from mlpipeline.errors import require

ROW_GROUP = 131_072
"""Rows that are written, and read, at a time."""
BUCKET = 1_048_576
"""Rows, about, that are put in order of their groups at a time."""
MOST_BUCKETS = 256

PARTIAL = ".partial"
"""How directories end that are not whole, or not needed any more."""
_LOCK = ".lock"
_GROUP, _PART = "__group__", "__part__"


@contextmanager
def partial_directory(root: Path) -> Iterator[Path]:
    """Makes a directory that is gone afterwards, if it was not renamed; its lock tells others that it is in use."""
    name = uuid.uuid4().hex
    lock = FileLock(root / f"{name}{_LOCK}")
    with lock:
        directory = root / f"{name}{PARTIAL}"
        directory.mkdir()
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)
            Path(lock.lock_file).unlink(missing_ok=True)


def remove_abandoned(root: Path) -> None:
    """Removes what processes left behind that ended while they wrote."""
    for directory in root.glob(f"*{PARTIAL}"):
        lock = FileLock(directory.with_suffix(_LOCK), timeout=0)
        try:
            with lock:
                shutil.rmtree(directory, ignore_errors=True)
                Path(lock.lock_file).unlink(missing_ok=True)
        except Timeout:
            continue


class ChunkFiles:
    """Chunks as they came: a file for each run of chunks that have the same types."""

    def __init__(self, directory: Path) -> None:
        self.pa, self.ipc = require("pyarrow", extra="data"), require("pyarrow.ipc", extra="data")
        self.directory = directory
        self.schemas: list[Any] = []
        self._writer: Any = None

    def write(self, table: Any) -> None:
        """Adds rows; with other types than the last ones, to a new file."""
        if self._writer is None or not table.schema.equals(self.schemas[-1]):
            self.close()
            self.schemas.append(table.schema)
            self._writer = _stream(self._path(len(self.schemas)), table.schema)
        self._writer.write_table(table, max_chunksize=ROW_GROUP)

    def close(self) -> None:
        """Ends the file that is being written."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def tables(self, schema: Any) -> Iterator[Any]:
        """Yields all rows in the order in which they came, with the types of a schema."""
        for number in range(1, len(self.schemas) + 1):
            with self.ipc.open_stream(str(self._path(number))) as reader:
                for batch in reader:
                    yield self.pa.Table.from_batches([batch]).cast(schema, safe=False)

    def remove(self) -> None:
        """Removes the files."""
        for number in range(1, len(self.schemas) + 1):
            self._path(number).unlink()

    def _path(self, number: int) -> Path:
        return self.directory / f"raw-{number}.arrows"


class PartFile:
    """A Parquet file, written in groups of rows of the same size."""

    def __init__(self, path: Path, schema: Any) -> None:
        self.pa, parquet = require("pyarrow", extra="data"), require("pyarrow.parquet", extra="data")
        types = self.pa.types
        texts = [each.name for each in schema if types.is_string(each.type) or types.is_large_string(each.type)]
        self._writer = parquet.ParquetWriter(
            path, schema, compression="lz4", use_dictionary=texts or False, write_statistics=False
        )
        self._held: list[Any] = []
        self._rows = 0

    def write(self, table: Any) -> None:
        """Adds rows, which are written as soon as they fill a group."""
        self._held.append(table)
        self._rows += len(table)
        if self._rows >= ROW_GROUP:
            self._flush(self._rows - self._rows % ROW_GROUP)

    def close(self) -> None:
        """Writes the rows that are left, and ends the file."""
        if self._rows:
            self._flush(self._rows)
        self._writer.close()

    def _flush(self, rows: int) -> None:
        held = self.pa.concat_tables(self._held)
        self._writer.write_table(held.slice(0, rows), row_group_size=ROW_GROUP)
        self._held = [held.slice(rows)]
        self._rows -= rows


def by_group(
    divided: Iterable[tuple[Any, Codes]], groups: Hashes, directory: Path, schema: Any
) -> Iterator[tuple[Any, Codes]]:
    """Yields the same rows and their parts, in order of their groups: those of one lie side by side.

    They are distributed to files by the hash of the group, each small enough to be sorted in memory.

    Args:
        divided: rows, and the part of each.
        groups: the hash of each row's group.
        directory: for the files.
        schema: of the rows.
    """
    pa = require("pyarrow", extra="data")
    count = min(max(math.ceil(len(groups) / BUCKET), 1), MOST_BUCKETS)
    extended = schema.append(pa.field(_GROUP, pa.uint64())).append(pa.field(_PART, pa.uint8()))
    paths = [directory / f"bucket-{number}.arrows" for number in range(count)]
    _distribute(divided, groups, [_stream(path, extended) for path in paths])
    for path in paths:
        with pa.ipc.open_stream(str(path)) as reader:
            table = reader.read_all().sort_by([(_GROUP, "ascending")])
        path.unlink()
        if len(table):
            yield table.select(schema.names), table.column(_PART).to_numpy()


def _stream(path: Path, schema: Any) -> Any:
    ipc = require("pyarrow.ipc", extra="data")
    return ipc.new_stream(str(path), schema, options=ipc.IpcWriteOptions(compression="lz4"))


def _distribute(divided: Iterable[tuple[Any, Codes]], groups: Hashes, buckets: list[Any]) -> None:
    pa = require("pyarrow", extra="data")
    begin = 0
    for table, parts in divided:
        hashes = groups[begin : begin + len(table)]
        begin += len(table)
        table = table.append_column(_GROUP, pa.array(hashes)).append_column(_PART, pa.array(parts))
        places = (hashes >> np.uint64(32)) * np.uint64(len(buckets)) >> np.uint64(32)
        for number in np.unique(places):
            buckets[int(number)].write_table(table.filter(pa.array(places == number)))
    for bucket in buckets:
        bucket.close()
