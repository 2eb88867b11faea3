"""What a database can do, as any driver can do it; the kinds of databases do it faster or otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlpipeline import errors
from mlpipeline.data import arrow, columns
from mlpipeline.data.arrow import Row
from mlpipeline.data.rendering import Rendered
from mlpipeline.data.table_name import TableName

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Tell = Callable[[int], object]
"""Is told how many rows have come or gone."""
_FETCH_ROWS = 20_000


class Dialect:
    """The ways of one engine's database.

    Attributes:
        style: how parameters are written; see `rendering.render`.
        empty: how an empty list is written; see `rendering.render`.
        savepoints: whether a transaction can have parts that fail alone.
        can_read_apart: whether another connection sees the same tables.
        must_answer: whether the server can go away, so that a connection is asked before something is changed.
    """

    empty = "select"
    savepoints = True
    can_read_apart = True
    must_answer = True
    begin_sql = "BEGIN"

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.sa: Any = errors.require("sqlalchemy", extra="sql")
        self.name: str = engine.dialect.name
        self.style: str = engine.dialect.paramstyle
        self.quote: Callable[[str], str] = engine.dialect.identifier_preparer.quote

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What drivers and SQLAlchemy raise."""
        return (self.sa.exc.SQLAlchemyError, self.engine.dialect.loaded_dbapi.Error)

    def adapt(self, value: Any) -> Any:
        """Returns a value as the driver takes it."""
        return value

    def is_lost(self, error: BaseException, live: Any) -> bool:
        """Whether an error means that the connection is gone."""
        if isinstance(error, self.sa.exc.DBAPIError):
            return bool(error.connection_invalidated)
        if not isinstance(error, self.engine.dialect.loaded_dbapi.Error) or live.closed or live.invalidated:
            return False
        return bool(self.engine.dialect.is_disconnect(error, live.connection.dbapi_connection, None))

    def answers(self, live: Any) -> bool:
        """Whether the server still answers on a connection."""
        return not self.must_answer or bool(self.engine.dialect.do_ping(live.connection.dbapi_connection))

    def begin(self, live: Any, level: int) -> None:
        """Begins a transaction, or a part of one where `level` is not 0."""
        if level == 0:
            self.plain(live, self.begin_sql)
        elif self.savepoints:
            self.plain(live, f"SAVEPOINT mlp_{level}")

    def commit(self, live: Any, level: int) -> None:
        """Commits what `begin` began."""
        if level == 0:
            self.plain(live, "COMMIT")
        elif self.savepoints:
            self.plain(live, f"RELEASE SAVEPOINT mlp_{level}")

    def rollback(self, live: Any, level: int) -> None:
        """Rolls back what `begin` began."""
        if level == 0:
            self.plain(live, "ROLLBACK")
        elif self.savepoints:
            self.plain(live, f"ROLLBACK TO SAVEPOINT mlp_{level}")
            self.plain(live, f"RELEASE SAVEPOINT mlp_{level}")

    def plain(self, live: Any, sql: str) -> Any:
        """Runs SQL without parameters; percent signs are nothing special."""
        return live.exec_driver_sql(sql, execution_options={"no_parameters": True})

    def ask(self, live: Any, statement: Rendered) -> Any:
        """Runs a statement. Returns the driver's cursor, None where it gives no rows."""
        parameters = statement.parameters
        if isinstance(parameters, tuple):
            values: Any = tuple(self.adapt(value) for value in parameters)
        else:
            values = {key: self.adapt(value) for key, value in parameters.items()}
        if not values:
            result = self.plain(live, statement.sql)
        else:
            result = live.exec_driver_sql(statement.sql, values)
        return result.cursor if result.returns_rows else None

    def rows(self, live: Any, statement: Rendered, tell: Tell) -> tuple[list[str], list[Row]]:
        """Returns names of columns, and all rows."""
        cursor = self.ask(live, statement)
        if cursor is None:
            return [], []
        return _names(cursor), [row for part in _parts(cursor, _FETCH_ROWS, tell) for row in part]

    def frame(self, live: Any, statement: Rendered, tell: Tell) -> pd.DataFrame:
        """Returns all rows as a frame."""
        names, rows = self.rows(live, statement, tell)
        return columns.frame(names, rows)

    def frames(self, live: Any, statement: Rendered, size: int, tell: Tell) -> Iterator[pd.DataFrame]:
        """Yields frames of so many rows; at least one, which may be empty."""
        cursor = self.ask(live, statement)
        names = [] if cursor is None else _names(cursor)
        count = 0
        for part in () if cursor is None else _parts(cursor, size, tell):
            count += 1
            yield columns.frame(names, part)
        if count == 0:
            yield columns.frame(names, [])

    def tables(self, live: Any, statement: Rendered, size: int, tell: Tell) -> Iterator[pa.Table]:
        """Yields Arrow tables of so many rows, all of the first one's schema; at least one.

        Raises:
            DataFault: when later rows do not fit the types of the first ones.
        """
        yield from arrow.of_frames(self.frames(live, statement, size, tell))

    def columns_of(self, live: Any, table: TableName) -> dict[str, Any]:
        """Returns a table's columns in order with SQLAlchemy's types; empty where there is no such table."""
        inspector = self.sa.inspect(live)
        try:
            found = inspector.get_columns(table.name, schema=table.schema)
        except self.sa.exc.NoSuchTableError:
            return {}
        return {column["name"]: column["type"] for column in found}

    def table_names(self, live: Any, schema: str | None) -> list[str]:
        """Returns the names of the tables of a schema; None is the connection's own."""
        return list(self.sa.inspect(live).get_table_names(schema=schema))

    def create(self, live: Any, table: TableName, frame: pd.DataFrame) -> None:
        """Creates a table with a column for each of a frame, of the type that holds it."""
        made = [self.sa.Column(name, kind) for name, kind in columns.sql_types(frame).items()]
        self.sa.Table(table.name, self.sa.MetaData(), *made, schema=table.schema).create(live)

    def add_columns(self, live: Any, table: TableName, frame: pd.DataFrame) -> None:
        """Adds a column for each of a frame to a table, of the type that holds it; what is there gets NULL."""
        for name, kind in columns.sql_types(frame).items():
            written = kind.compile(dialect=self.engine.dialect)
            self.plain(live, f"ALTER TABLE {table.quoted(self.quote)} ADD COLUMN {self.quote(name)} {written}")

    def insert(self, live: Any, table: TableName, frame: pd.DataFrame, batch: int, tell: Tell) -> None:
        """Inserts a frame's rows, by the names of its columns. A transaction is open."""
        names = ", ".join(map(self.quote, frame.columns))
        marks = self._marks(len(frame.columns))
        sql = f"INSERT INTO {table.quoted(self.quote)} ({names}) VALUES ({marks})"
        for part in batches(frame, batch):
            live.exec_driver_sql(sql, self.values(part))
            tell(len(part))

    def _marks(self, width: int) -> str:
        return ", ".join(["%s" if self.engine.dialect.paramstyle in ("format", "pyformat") else "?"] * width)

    def values(self, frame: pd.DataFrame) -> list[Row]:
        """Returns a frame's rows as the driver takes them."""
        return columns.rows(frame)

    def replace(self, live: Any, table: TableName, frame: pd.DataFrame, batch: int, tell: Tell) -> None:
        """Puts a frame's rows in the place of a table's. A transaction is open: readers see the old rows or the new."""
        self.plain(live, f"DELETE FROM {table.quoted(self.quote)}")
        self.insert(live, table, frame, batch, tell)

    def drop_temporary(self, live: Any, table: TableName) -> None:
        """Drops a temporary table, if it is there."""
        self.plain(live, f"DROP TABLE IF EXISTS {table.quoted(self.quote)}")

    def create_temporary_as(self, live: Any, table: TableName, statement: Rendered) -> None:
        """Makes a temporary table of what a query gives."""
        self.ask(live, statement_with(statement, f"CREATE TEMPORARY TABLE {table.quoted(self.quote)} AS ", ""))

    def unload_sql(self, url: str) -> str | None:
        """Returns SQL by which the database itself writes Parquet, `{}` for the query; None where it cannot."""
        return None

    def load_sql(self, table: TableName, url: str) -> str | None:
        """Returns SQL by which the database itself reads Parquet; None where it cannot."""
        return None


def statement_with(statement: Rendered, before: str, after: str) -> Rendered:
    """Returns a statement with SQL around it, without a new line, so that lines of messages stay right."""
    return Rendered(
        sql=f"{before}{statement.sql}{after}",
        parameters=statement.parameters,
        tokens=statement.tokens,
        line=statement.line,
    )


def batches(frame: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    """Yields a frame in parts of so many rows."""
    for start in range(0, len(frame), size):
        yield frame.iloc[start : start + size]


def _names(cursor: Any) -> list[str]:
    return [each[0] for each in cursor.description]


def _parts(cursor: Any, size: int, tell: Tell) -> Iterator[Sequence[Row]]:
    fetch: Callable[[], Iterable[Row]] = lambda: cursor.fetchmany(size)  # noqa: E731
    while rows := list(fetch()):
        tell(len(rows))
        yield rows
