"""PostgreSQL's CSV, as COPY speaks it, to and from Arrow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from mlpipeline import errors
from mlpipeline.data import arrow
from mlpipeline.errors import DataFault

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def arrow_type(oid: int) -> Any:
    """Returns the Arrow type of a PostgreSQL type; None where CSV does not say enough of it."""
    pa = arrow.library()
    # The numbers are those of pg_type.dat, which never change.
    kinds = {
        pa.bool_(): (16,),  # bool
        pa.int64(): (20, 21, 23, 26),  # int8 int2 int4 oid
        pa.float64(): (700, 701, 1700),  # float4 float8 numeric
        pa.string(): (18, 19, 25, 1042, 1043, 705),  # char name text bpchar varchar unknown
        pa.date32(): (1082,),
        pa.timestamp("us"): (1114,),
        pa.timestamp("us", tz="UTC"): (1184,),
    }
    return next((kind for kind, oids in kinds.items() if oid in oids), None)


def describe(connection: Any, sql: str) -> list[tuple[str, int]]:
    """Returns names and types of a query's columns; the server plans nothing and runs nothing.

    Raises:
        psycopg.Error: what the server says of the query.
    """
    pq = errors.require("psycopg.pq", extra="sql")
    faults = errors.require("psycopg.errors", extra="sql")
    encoding = connection.info.encoding
    for result in (
        connection.pgconn.prepare(b"", sql.encode(encoding)),
        described := connection.pgconn.describe_prepared(b""),
    ):
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise faults.error_from_result(result, encoding=encoding)
    return [(described.fname(n).decode(encoding), described.ftype(n)) for n in range(described.nfields)]


class Blocks:
    """A file of what COPY sends."""

    closed = False

    def __init__(self, copy: Any) -> None:
        self._copy = copy
        self._rest = b""
        self._is_over = False

    def read(self, size: int = -1) -> bytes:
        """Returns at most so many bytes; none at the end."""
        parts, count = [self._rest], len(self._rest)
        while not self._is_over and (size < 0 or count < size):
            block = bytes(self._copy.read())
            self._is_over = not block
            parts.append(block)
            count += len(block)
        data = b"".join(parts)
        cut = len(data) if size < 0 else size
        self._rest = data[cut:]
        return data[:cut]

    def readable(self) -> bool:
        """It can be read."""
        return True

    def close(self) -> None:
        """Forgets what was not read."""
        self.closed = True


def read(source: Blocks, types: dict[str, Any], block_bytes: int) -> Iterator[pa.RecordBatch]:
    """Yields record batches; one without rows where there are none.

    Raises:
        pyarrow.ArrowInvalid: when a value is beyond its Arrow type.
    """
    pa = arrow.library()
    csv = errors.require("pyarrow.csv", extra="sql")
    schema = pa.schema(list(types.items()))
    first = source.read(1)
    if not first:
        yield pa.RecordBatch.from_pylist([], schema=schema)
        return
    source._rest = first + source._rest
    reader = csv.open_csv(
        pa.PythonFile(source, mode="r"),
        read_options=csv.ReadOptions(column_names=list(types), block_size=block_bytes, use_threads=True),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
            true_values=["t"], false_values=["f"],
        ),
    )  # fmt: skip
    yield from reader


def write(frame: pd.DataFrame, kinds: dict[str, Any], sink: BinaryIO) -> None:
    """Writes rows as CSV that tells a missing value from an empty text.

    Args:
        frame: the rows.
        kinds: SQLAlchemy's types of the table's columns.
        sink: is written to.

    Raises:
        DataFault: when a value does not fit its column.
    """
    pa = arrow.library()
    csv = errors.require("pyarrow.csv", extra="sql")
    columns = [_column(frame[name], str(name), kinds[name]) for name in frame.columns]
    table = pa.table(columns, names=list(map(str, frame.columns)))
    csv.write_csv(table, sink, csv.WriteOptions(include_header=False, quoting_style="all_valid"))


def _column(column: pd.Series, name: str, kind: Any) -> Any:
    pa = arrow.library()
    try:
        found = pa.array(_prepared(column, kind), from_pandas=True)
        if isinstance(found, pa.ChunkedArray):
            found = found.combine_chunks()
        if pa.types.is_dictionary(found.type):
            found = found.dictionary_decode()
        if pa.types.is_floating(found.type) and _holds_integers(kind):
            found = found.cast(pa.int64())
        if pa.types.is_binary(found.type) or pa.types.is_large_binary(found.type):
            found = pa.array([None if value is None else "\\x" + value.hex() for value in found.to_pylist()])
        if pa.types.is_duration(found.type):
            microseconds = found.cast(pa.duration("us")).cast(pa.int64()).cast(pa.string())
            compute = errors.require("pyarrow.compute", extra="sql")
            found = compute.binary_join_element_wise(microseconds, pa.scalar("microseconds"), " ")
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise DataFault(f"the column {name!r} has a value that does not fit {kind} ({error}): mend it") from error
    if pa.types.is_nested(found.type):
        raise DataFault(f"the column {name!r} holds lists or mappings, and the table's is {kind}: make it JSON")
    return found


def _prepared(column: pd.Series, kind: Any) -> pd.Series:
    """Writes out what Arrow knows otherwise than PostgreSQL: JSON, and objects such as UUIDs."""
    if column.dtype != object:
        return column
    if str(kind).startswith("JSON"):
        return column.map(lambda value: json.dumps(value), na_action="ignore")
    if str(kind) == "UUID":
        return column.map(str, na_action="ignore")
    return column


def _holds_integers(kind: Any) -> bool:
    sa = errors.require("sqlalchemy", extra="sql")
    return isinstance(kind, sa.Integer)
