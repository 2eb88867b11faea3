"""Frames and rows as Arrow tables, and those as Parquet: nothing is kept that would not come back the same."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlpipeline import errors
from mlpipeline.errors import DataFault

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Row = tuple[Any, ...]


def library() -> Any:
    """Returns pyarrow."""
    return errors.require("pyarrow", extra="sql")


def to_parquet(table: pa.Table) -> bytes:
    """Returns a table as a Parquet file."""
    library()
    parquet = errors.require("pyarrow.parquet", extra="sql")
    sink = library().BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd", compression_level=1)
    return bytes(sink.getvalue().to_pybytes())


def from_parquet(data: bytes) -> pa.Table:
    """Reads a Parquet file that is in memory.

    Raises:
        DataFault: when it is damaged.
    """
    pa = library()
    parquet = errors.require("pyarrow.parquet", extra="sql")
    try:
        return parquet.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise DataFault(f"it is no Parquet file: write it again ({error})") from error


def checksum(data: bytes) -> int:
    """Returns CRC-32: it finds damage, and is no protection against a forger."""
    return zlib.crc32(data)


def of_frame(frame: pd.DataFrame) -> pa.Table:
    """Returns a frame as a table.

    Raises:
        DataFault: when a column holds what Arrow cannot, or what it would give back as something else.
    """
    pa = library()
    check_names(list(frame.columns))
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise DataFault(f"a column holds values of several kinds ({error}): cast it in the SQL") from error
    numpy = errors.require("numpy", extra="sql")
    # pandas' own text says kind O as well; it is no column of objects, and comes back as it is.
    for name in (each for each in frame.columns if frame[each].dtype == numpy.dtype(object)):
        if not _same(frame[name], table.column(name).to_pandas()):
            raise DataFault(f"the column {name!r} would come back with other types: cast it in the SQL")
    return table


def _same(before: pd.Series, after: pd.Series) -> bool:
    return before.dtype == after.dtype and all(
        type(one) is type(two) and (one == two or one != one) for one, two in zip(before, after, strict=True)
    )


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Returns a table as a frame with the dtypes of any driver's rows: int64, float64 (also of decimals), dates."""
    pa = library()
    for place, field in enumerate(table.schema):
        if (kind := _wider(field.type)) is not None:
            column = table.column(place)
            try:
                column = column.cast(kind)
            except pa.ArrowInvalid:  # a whole number beyond 64 bits, or digits beyond those of a float
                column = column.cast(pa.float64(), safe=False)
            table = table.set_column(place, field.name, column)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _wider(kind: Any) -> Any:
    types, pa = library().types, library()
    if types.is_decimal(kind):
        return pa.int64() if kind.scale == 0 else pa.float64()
    if types.is_integer(kind) and kind not in (pa.int64(), pa.uint64()):
        return pa.int64()
    return pa.float64() if kind in (pa.float16(), pa.float32()) else None


def of_rows(rows: Sequence[Row]) -> pa.Table:
    """Returns rows as a table.

    Raises:
        DataFault: when a value would come back as something else.
    """
    pa = library()
    width = len(rows[0]) if rows else 0
    try:
        columns = [pa.array([row[place] for row in rows]) for place in range(width)]
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise DataFault(f"a column holds values of several kinds ({error}): cast it in the SQL") from error
    table = pa.table(columns, names=[str(place) for place in range(width)])
    if [[(type(each), each) for each in row] for row in to_rows(table)] != [
        [(type(each), each) for each in row] for row in rows
    ]:
        raise DataFault("a value would come back as another type: cast it in the SQL")
    return table


def to_rows(table: pa.Table) -> list[Row]:
    """Returns a table's rows."""
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def of_frames(frames: Iterable[pd.DataFrame]) -> Iterator[pa.Table]:
    """Yields frames as tables of one schema; the first are held back while a column of theirs has no value.

    Raises:
        DataFault: when later rows do not fit the types of the first ones.
    """
    pa = library()
    waiting: list[Any] = []
    schema = None
    for frame in frames:
        check_names(list(frame.columns))
        try:
            table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
            if schema is None:
                waiting.append(table.replace_schema_metadata())
                merged = pa.unify_schemas([each.schema for each in waiting], promote_options="permissive")
                if any(pa.types.is_null(kind) for kind in merged.types):
                    continue
                schema, ready, waiting = merged, waiting, []
                yield from (each.cast(schema) for each in ready)
            else:
                yield table.replace_schema_metadata()
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise DataFault(f"a later row does not fit the types of the first ones ({error}): CAST it") from error
    if waiting:
        yield from (each.cast(merged) for each in waiting)


def check_names(columns: Sequence[Any]) -> None:
    """Refuses columns that share a name.

    Raises:
        DataFault: naming the first.
    """
    seen: set[Any] = set()
    for name in columns:
        if name in seen:
            raise DataFault(f"two columns are called {name!r}: name one of them with AS")
        seen.add(name)


def batches(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Yields the same rows as tables of so many rows each; the last may have fewer."""
    pa = library()
    waiting: list[Any] = []
    count = 0
    for table in tables:
        waiting.append(table)
        count += table.num_rows
        while count >= rows:
            joined = pa.concat_tables(waiting)
            yield joined.slice(0, rows)
            waiting, count = [joined.slice(rows)], count - rows
    if count:
        yield pa.concat_tables(waiting)


def unpack_frame(table: pa.Table) -> pd.DataFrame:
    """Returns the frame of which `of_frame` made a table."""
    frame: pd.DataFrame = table.to_pandas()
    return frame
