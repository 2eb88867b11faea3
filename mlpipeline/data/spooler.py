"""Writes rows to a spool as they come: first as they are, then divided, then in its place by a rename."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.data.bars import bar
from mlpipeline.data.row_hash import hash_rows
from mlpipeline.data.schema import check_columns
from mlpipeline.data.split import PARTS, Codes, Keys, Split
from mlpipeline.data.spool import FORMAT, MANIFEST, Spool
from mlpipeline.data.spool_files import ChunkFiles, PartFile, by_group, partial_directory, remove_abandoned
from mlpipeline.errors import DataFault, DiskFull, WrongType, require


def spool(frames: Iterable[pd.DataFrame], split: Split, root: Path, whose: str) -> Spool:
    """Writes rows to a directory below `root`, unless the same rows, divided in the same way, are there already.

    Rows of a group lie side by side where the split is by groups.

    Args:
        frames: chunks of the rows.
        split: how they are divided.
        root: holds spools; it is made where it is not there.
        whose: says in messages where the frames are from.

    Raises:
        WrongType: (a TypeError) something is no frame, or a column changes its type from one chunk to another.
        DataFault: (a ValueError) there are no rows, or a chunk has other columns than those before it.
        DiskFull: there is no space left.
    """
    root.mkdir(parents=True, exist_ok=True)
    remove_abandoned(root)
    try:
        with partial_directory(root) as directory:
            return _Spooler(directory, split, whose).spool(frames)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(f"{root} is full: free some space, or set spool_dir to another disk") from error
        raise


class _Spooler:
    """One pass of rows to disk.

    Args:
        directory: to write in, and to rename at the end.
        split: how rows are divided.
        whose: says in messages where the frames are from.
    """

    def __init__(self, directory: Path, split: Split, whose: str) -> None:
        self.pa = require("pyarrow", extra="data")
        self.directory, self.split, self.whose = directory, split, whose
        self.keys: list[Keys] = []
        self.names: list[str] = []
        self.rows = self.total = self.chunks = 0
        self.raw = ChunkFiles(directory)

    def spool(self, frames: Iterable[pd.DataFrame]) -> Spool:
        with bar(f"{self.whose} to disk") as progress:
            for frame in frames:
                self._take(frame)
                progress.update(len(frame))
        self.raw.close()
        if not self.rows:
            raise DataFault(f"{self.whose} gave no rows: look at the query, or at the file that it reads")
        schema = self._schema()
        place = self.directory.parent / self._digest(schema)
        found = Spool.open(place)
        if found is None:
            self._divide(schema)
            found = self._finish(schema, place)
        return found

    def _take(self, frame: Any) -> None:
        self.chunks += 1
        where = f"{self.whose}, chunk {self.chunks}"
        if not isinstance(frame, pd.DataFrame):
            raise WrongType(f"{where} is {type(frame).__name__}: yield pandas DataFrames")
        if frame.empty and not len(frame.columns):
            return
        self.names = self.names or [str(name) for name in frame.columns]
        check_columns(frame, self.names, where)
        if extra := sorted(set(map(str, frame.columns)) - set(self.names)):
            raise DataFault(
                f"{where}: column {', '.join(map(repr, extra))} was not in the chunks before it: yield the same in all"
            )
        keys = self.split.keys(frame)
        hashes = keys.rows if self.split.group_by is None and self.split.row_key is None else hash_rows(frame)
        self.total = (self.total + int(hashes.sum(dtype=np.uint64))) % 2**64
        self.rows += len(frame)
        self.keys.append(keys)
        self.raw.write(self._table(frame, where))

    def _table(self, frame: pd.DataFrame, where: str) -> Any:
        try:
            table = self.pa.Table.from_pandas(frame[self.names], preserve_index=False).replace_schema_metadata()
        except (self.pa.ArrowException, TypeError) as error:
            raise WrongType(f"{where}: a column holds what no file can: {error}") from error
        for place, field in enumerate(table.schema):
            if self.pa.types.is_dictionary(field.type):
                plain = table.column(place).cast(field.type.value_type)
                table = table.set_column(place, field.name, plain)
        return table

    def _schema(self) -> Any:
        """Returns a type for each column in which all chunks can be written."""
        try:
            return self.pa.unify_schemas(self.raw.schemas, promote_options="permissive")
        except self.pa.ArrowException as error:
            for name in self.names:
                kinds = list(dict.fromkeys(str(schema.field(name).type) for schema in self.raw.schemas))
                if len(set(kinds) - {"null"}) > 1 and not self._goes_together(name):
                    found = " and ".join(kinds)
                    raise WrongType(
                        f"{self.whose}: column {name!r} is {found} in different chunks: convert it"
                    ) from error
            raise

    def _goes_together(self, name: str) -> bool:
        fields = [self.pa.schema([schema.field(name)]) for schema in self.raw.schemas]
        try:
            self.pa.unify_schemas(fields, promote_options="permissive")
        except self.pa.ArrowException:
            return False
        return True

    def _digest(self, schema: Any) -> str:
        told = f"{FORMAT}\n{self.rows}\n{self.total}\n{schema.to_string(show_field_metadata=False)}\n{self.split!r}"
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    def _divide(self, schema: Any) -> None:
        keys = Keys.joined(self.keys)
        self.keys.clear()
        codes = self.split.assign(keys)
        tables = self._numbered(schema)
        divided: Iterator[tuple[Any, Codes]] = ((table, codes[places]) for table, places in tables)
        if self.split.group_by is not None:
            divided = by_group(divided, keys.rows, self.directory, schema)
        writers = [PartFile(self.directory / f"{part}.parquet", schema) for part in PARTS]
        with bar(f"{self.whose} divided", total=self.rows) as progress:
            for table, parts in divided:
                for code, writer in enumerate(writers):
                    writer.write(table.filter(self.pa.array(parts == code)))
                progress.update(len(table))
        for writer in writers:
            writer.close()

    def _numbered(self, schema: Any) -> Iterator[tuple[Any, slice]]:
        begin = 0
        for table in self.raw.tables(schema):
            yield table, slice(begin, begin + len(table))
            begin += len(table)

    def _finish(self, schema: Any, place: Path) -> Spool:
        self.raw.remove()
        parquet = require("pyarrow.parquet", extra="data")
        files = {f"{part}.parquet": self.directory / f"{part}.parquet" for part in PARTS}
        rows = {part: parquet.read_metadata(self.directory / f"{part}.parquet").num_rows for part in PARTS}
        sizes = {name: path.stat().st_size for name, path in files.items()}
        manifest = {"format": FORMAT, "columns": schema.names, "rows": rows, "files": sizes, "whose": self.whose}
        (self.directory / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
        if Spool.open(place) is None:
            shutil.rmtree(place, ignore_errors=True)  # what lies there is damaged, or of another format
        try:
            self.directory.rename(place)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        found = Spool.open(place)  # where another process was faster, it has written the same
        if found is None:
            raise DataFault(f"{place} was changed while it was written: delete it and try again")
        return found
