"""DuckDB: embedded, and Arrow on both ways."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlpipeline.config_text import near_or_known
from mlpipeline.data import arrow, binds
from mlpipeline.data.dialects.dialect import Dialect, Tell, batches
from mlpipeline.data.rendering import Rendered
from mlpipeline.data.table_name import TableName
from mlpipeline.errors import DataFault

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class DuckDialect(Dialect):
    """The ways of DuckDB. It has no savepoints: a block within a transaction is part of the whole."""

    savepoints = False
    must_answer = False
    begin_sql = "BEGIN TRANSACTION"

    def __init__(self, engine: Any) -> None:
        super().__init__(engine)
        self.style = "dollar"

    def frame(self, live: Any, statement: Rendered, tell: Tell) -> pd.DataFrame:
        """Returns all rows as a frame."""
        if not binds.is_query(statement.tokens):
            return super().frame(live, statement, tell)
        relation = self._relation(live, statement)
        arrow.check_names(relation.columns)
        table = relation.to_arrow_table()
        tell(table.num_rows)
        return arrow.to_frame(table)

    def frames(self, live: Any, statement: Rendered, size: int, tell: Tell) -> Iterator[pd.DataFrame]:
        """Yields frames of so many rows; at least one."""
        if not binds.is_query(statement.tokens):
            yield from super().frames(live, statement, size, tell)
        else:
            yield from map(arrow.to_frame, self.tables(live, statement, size, tell))

    def tables(self, live: Any, statement: Rendered, size: int, tell: Tell) -> Iterator[pa.Table]:
        """Yields Arrow tables of so many rows; at least one."""
        if not binds.is_query(statement.tokens):
            yield from super().tables(live, statement, size, tell)
            return
        pa = arrow.library()
        relation = self._relation(live, statement)
        arrow.check_names(relation.columns)
        reader = relation.to_arrow_reader(size)
        count = 0
        for table in arrow.batches((pa.Table.from_batches([batch]) for batch in reader), size):
            count += 1
            tell(table.num_rows)
            yield table
        if count == 0:
            yield reader.schema.empty_table()

    def _relation(self, live: Any, statement: Rendered) -> Any:
        duck = live.connection.driver_connection.duck
        if not statement.parameters:
            return duck.sql(statement.sql)
        return duck.sql(statement.sql, params=dict(statement.parameters))

    def columns_of(self, live: Any, table: TableName) -> dict[str, Any]:
        """Returns a table's columns in order with the names of their types; empty where there is no such table."""
        found = live.exec_driver_sql(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?"
            " AND (schema_name = ? OR ? IS NULL) AND database_name IN (current_database(), 'temp')"
            " ORDER BY column_index",
            (table.name, table.schema, table.schema),
        )
        return dict(map(tuple, found.fetchall()))

    def table_names(self, live: Any, schema: str | None) -> list[str]:
        """Returns the names of the tables of a schema; None is the connection's own."""
        found = live.exec_driver_sql(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = coalesce(?, current_schema())", (schema,)
        )
        return [name for (name,) in found.fetchall()]

    def create(self, live: Any, table: TableName, frame: pd.DataFrame) -> None:
        """Creates a table with the types that DuckDB gives a frame's columns."""
        with _registered(live, _empty(frame)) as name:
            self.plain(live, f"CREATE TABLE {table.quoted(self.quote)} AS SELECT * FROM {name}")

    def add_columns(self, live: Any, table: TableName, frame: pd.DataFrame) -> None:
        """Adds a column for each of a frame to a table, of the type that DuckDB gives it."""
        with _registered(live, _empty(frame)) as source:
            described = self.plain(live, f"DESCRIBE SELECT * FROM {source}").fetchall()
        for name, kind, *_ in described:
            self.plain(live, f"ALTER TABLE {table.quoted(self.quote)} ADD COLUMN {self.quote(name)} {kind}")

    def insert(self, live: Any, table: TableName, frame: pd.DataFrame, batch: int, tell: Tell) -> None:
        """Inserts a frame's rows as Arrow, by the names of its columns."""
        kinds = self.columns_of(live, table)
        for name in frame.columns:
            if name not in kinds:
                raise DataFault(f"the table {table.name} has no column {name!r}.{near_or_known(str(name), kinds)}")
        names = ", ".join(map(self.quote, frame.columns))
        for part in batches(frame, batch):
            with _registered(live, arrow.of_frame(part)) as source:
                self.plain(live, f"INSERT INTO {table.quoted(self.quote)} ({names}) SELECT {names} FROM {source}")
            tell(len(part))


@contextmanager
def _registered(live: Any, table: pa.Table) -> Iterator[str]:
    """Lets SQL see an Arrow table under a name, which is quoted."""
    duck, name = live.connection.driver_connection.duck, f"mlp_{uuid.uuid4().hex}"
    duck.register(name, table)
    yield f'"{name}"'
    duck.unregister(name)  # where the statement fails, the transaction takes it back


def _empty(frame: pd.DataFrame) -> pa.Table:
    """Returns a table of a frame's columns without its rows; where all is missing, text may come."""
    pa = arrow.library()
    schema = pa.Schema.from_pandas(frame, preserve_index=False)
    kinds = [(each.name, pa.string() if pa.types.is_null(each.type) else each.type) for each in schema]
    return pa.schema(kinds).empty_table()
