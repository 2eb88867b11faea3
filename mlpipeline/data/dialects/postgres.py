"""PostgreSQL through psycopg 3: rows come and go by COPY, whole tables change places."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlpipeline import errors
from mlpipeline.config_text import near_or_known
from mlpipeline.data import arrow, binds
from mlpipeline.data.dialects import postgres_csv, postgres_swap
from mlpipeline.data.dialects.dialect import Dialect, Tell, batches, statement_with
from mlpipeline.data.rendering import Rendered
from mlpipeline.data.table_name import TableName
from mlpipeline.errors import DataFault

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_BLOCK_BYTES = 4 << 20


def connect_args() -> dict[str, Any]:
    """Returns what psycopg is told: values are bound by the client, so that they may stand in COPY and CREATE too."""
    return {"cursor_factory": errors.require("psycopg", extra="sql").ClientCursor}


class PostgresDialect(Dialect):
    """The ways of PostgreSQL."""

    empty = "array"

    def frame(self, live: Any, statement: Rendered, tell: Tell) -> pd.DataFrame:
        """Returns all rows as a frame; times with a zone are in UTC."""
        if (types := self._types(live, statement)) is None:
            return _in_utc(super().frame(live, statement, tell))
        pa = arrow.library()
        arrow.check_names(list(types))
        try:
            return arrow.to_frame(pa.Table.from_batches(list(self._copied(live, statement, types, tell))))
        except pa.ArrowInvalid:
            # A date beyond what Arrow reads, such as `infinity` or one before our era: the driver says what it is.
            return _in_utc(super().frame(live, statement, tell))

    def frames(self, live: Any, statement: Rendered, size: int, tell: Tell) -> Iterator[pd.DataFrame]:
        """Yields frames of so many rows; at least one."""
        if (types := self._types(live, statement)) is None:
            yield from super().frames(live, statement, size, tell)
        else:
            arrow.check_names(list(types))
            yield from map(arrow.to_frame, self._copied_tables(live, statement, types, size, tell))

    def tables(self, live: Any, statement: Rendered, size: int, tell: Tell) -> Iterator[pa.Table]:
        """Yields Arrow tables of so many rows; at least one."""
        if (types := self._types(live, statement)) is None:
            yield from super().tables(live, statement, size, tell)
        else:
            arrow.check_names(list(types))
            yield from self._copied_tables(live, statement, types, size, tell)

    def _copied_tables(
        self, live: Any, statement: Rendered, types: dict[str, Any], size: int, tell: Tell
    ) -> Iterator[pa.Table]:
        pa = arrow.library()
        found = map(pa.Table.from_batches, ([batch] for batch in self._copied(live, statement, types, tell)))
        try:
            count = 0
            for count, table in enumerate(arrow.batches(found, size), 1):  # noqa: B007 - the count is asked for below
                yield table
            if count == 0:
                yield pa.schema(list(types.items())).empty_table()
        except pa.ArrowInvalid as error:
            raise DataFault(f"a value cannot be read in parts ({error}): cast the column to text in the SQL") from error

    def _types(self, live: Any, statement: Rendered) -> dict[str, Any] | None:
        """Returns Arrow's types by column; None where the rows must come one by one."""
        connection = live.connection.driver_connection
        style = connection.info.parameter_status("DateStyle") or ""
        if not binds.is_query(statement.tokens) or not style.startswith("ISO"):
            return None
        described = postgres_csv.describe(connection, self._bound(connection, statement))
        names = [name for name, _ in described]
        arrow.check_names(names)
        types = [postgres_csv.arrow_type(oid) for _, oid in described]
        return dict(zip(names, types, strict=True)) if names and None not in types else None

    def _bound(self, connection: Any, statement: Rendered) -> str:
        psycopg = errors.require("psycopg", extra="sql")
        if not statement.parameters:
            return statement.sql
        return str(psycopg.ClientCursor(connection).mogrify(statement.sql, statement.parameters))

    def _copied(self, live: Any, statement: Rendered, types: dict[str, Any], tell: Tell) -> Iterator[pa.RecordBatch]:
        """Yields what COPY sends, read as it comes; at least one batch."""
        connection = live.connection.driver_connection
        sql = f"COPY ({self._bound(connection, statement)}) TO STDOUT (FORMAT csv)"
        # Server-side parameters are not there, so percent signs are nothing special without values.
        with connection.cursor() as cursor, cursor.copy(sql) as copy:
            for batch in postgres_csv.read(postgres_csv.Blocks(copy), types, _BLOCK_BYTES):
                tell(batch.num_rows)
                yield batch

    def insert(self, live: Any, table: TableName, frame: pd.DataFrame, batch: int, tell: Tell) -> None:
        """Inserts a frame's rows by COPY, by the names of its columns."""
        self.copy_in(live, table, frame, self.columns_of(live, table), batch, tell)

    def copy_in(
        self, live: Any, table: TableName, frame: pd.DataFrame, kinds: dict[str, Any], batch: int, tell: Tell
    ) -> None:
        """Sends rows into a table whose columns are known."""
        for name in frame.columns:
            if name not in kinds:
                raise DataFault(f"the table {table.name} has no column {name!r}.{near_or_known(str(name), kinds)}")
        names = ", ".join(map(self.quote, frame.columns))
        sql = f"COPY {table.quoted(self.quote)} ({names}) FROM STDIN (FORMAT csv)"
        with live.connection.driver_connection.cursor() as cursor, cursor.copy(sql) as copy:
            for part in batches(frame, batch):
                sink = io.BytesIO()
                postgres_csv.write(part, kinds, sink)
                copy.write(sink.getbuffer())
                tell(len(part))

    def replace(self, live: Any, table: TableName, frame: pd.DataFrame, batch: int, tell: Tell) -> None:
        """Fills a new table beside the old one and lets them change places: readers never wait for the rows."""
        swap = postgres_swap.Swap(self, live, table)
        swap.prepare()
        self.copy_in(live, swap.new, frame, self.columns_of(live, table), batch, tell)
        swap.finish()

    def create_temporary_as(self, live: Any, table: TableName, statement: Rendered) -> None:
        """Makes a temporary table of what a query gives, and lets the planner know what is in it."""
        name = table.quoted(self.quote)
        self.ask(live, statement_with(statement, f"CREATE TEMPORARY TABLE {name} AS ", ""))
        self.plain(live, f"ANALYZE {name}")

    def drop_temporary(self, live: Any, table: TableName) -> None:
        """Drops a temporary table, if it is there; never a lasting one of the same name."""
        self.plain(live, f"DROP TABLE IF EXISTS pg_temp.{self.quote(table.name)}")


def _in_utc(frame: pd.DataFrame) -> pd.DataFrame:
    zoned = [
        name
        for name in frame.columns
        if str(frame[name].dtype).startswith("datetime64") and "," in str(frame[name].dtype)
    ]
    return frame.assign(**{name: frame[name].dt.tz_convert("UTC") for name in zoned}) if zoned else frame
