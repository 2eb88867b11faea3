"""Parquet files below any URL of fsspec: what a query gives goes out, and comes in again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlpipeline import errors
from mlpipeline.data import arrow
from mlpipeline.data.asking import Asker
from mlpipeline.data.dialects.dialect import Tell
from mlpipeline.data.extracts import Query
from mlpipeline.data.remote import Place, place
from mlpipeline.data.rendering import Rendered
from mlpipeline.data.table_name import TableName
from mlpipeline.errors import DataFault

if TYPE_CHECKING:
    import pandas as pd

_SUFFIX = ".parquet"
_TEMPORARY = "mlp_unload"


def unload(asker: Asker, query: Query, to: str, rows_per_file: int, *, overwrite: bool) -> list[str]:
    """Writes what a query gives; see `Connection.unload`. The database itself writes where it can."""
    target = place(to)
    with target.translated():
        if found := _parts(target):
            if not overwrite:
                raise DataFault(f"{target} holds {len(found)} Parquet files: choose another place, or overwrite=True")
            target.system.rm(found)
    dialect = asker.dialect
    native = dialect.unload_sql(to)
    if native is None:
        tables = asker.parts(query, lambda live, last, tell: dialect.tables(live, last, rows_per_file, tell))
        return _write(target, tables)
    name = TableName(_TEMPORARY)

    def gather(live: Any, statement: Rendered, _: Tell) -> None:
        # Values cannot be bound within the literal that holds the query.
        dialect.drop_temporary(live, name)
        dialect.create_temporary_as(live, name, statement)

    asker.run(query, gather, changes=True)
    asker.change(lambda live: dialect.plain(live, native.format(f"SELECT * FROM {_TEMPORARY}")))
    with target.translated():
        return [target.url_of(path) for path in _parts(target)]


def _write(target: Place, tables: Iterator[Any]) -> list[str]:
    parquet = errors.require("pyarrow.parquet", extra="sql")
    written = []
    for number, table in enumerate(tables):
        path = target.below(f"part-{number:05}{_SUFFIX}")
        with target.translated():
            if number == 0:
                target.system.makedirs(target.path, exist_ok=True)
            with target.system.open(path, "wb") as file:
                parquet.write_table(table, file, compression="zstd")
        written.append(target.url_of(path))
    return written


def frames(source: str, rows: int) -> Iterator[pd.DataFrame]:
    """Yields the rows of Parquet files as frames of at most so many rows, files in the order of their names.

    Raises:
        DataFault: when there is no such file, or one is damaged.
        StoreError: when they cannot be read.
    """
    target = place(source)
    parquet, pa = errors.require("pyarrow.parquet", extra="sql"), arrow.library()
    with target.translated():
        found = _parts(target)
    if not found:
        raise DataFault(f"{target} holds no Parquet file: unload something there first")
    for path in found:
        with target.translated(), target.system.open(path, "rb") as file:
            try:
                for batch in parquet.ParquetFile(file).iter_batches(batch_size=rows):
                    yield arrow.to_frame(pa.Table.from_batches([batch]))
            except pa.ArrowException as error:
                raise DataFault(
                    f"{target.url_of(path)} is no Parquet file, or damaged: unload it again ({error})"
                ) from error


def frame(source: str) -> pd.DataFrame:
    """Returns the rows of Parquet files as one frame.

    Raises:
        DataFault: when there is no such file, one is damaged, or they do not fit together.
        StoreError: when they cannot be read.
    """
    target = place(source)
    parquet, pa = errors.require("pyarrow.parquet", extra="sql"), arrow.library()
    tables = []
    with target.translated():
        for path in _parts(target):
            with target.system.open(path, "rb") as file:
                try:
                    tables.append(parquet.read_table(file))
                except pa.ArrowException as error:
                    raise DataFault(
                        f"{target.url_of(path)} is no Parquet file, or damaged: unload it again ({error})"
                    ) from error
    if not tables:
        raise DataFault(f"{target} holds no Parquet file: unload something there first")
    return arrow.to_frame(pa.concat_tables(tables, promote_options="permissive"))


def _parts(target: Place) -> list[str]:
    if target.system.isfile(target.path):
        return [target.path]
    if not target.system.isdir(target.path):
        return []
    return sorted(path for path in target.system.ls(target.path, detail=False) if path.endswith(_SUFFIX))
