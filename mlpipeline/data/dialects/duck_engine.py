"""Lets SQLAlchemy speak to DuckDB: connecting, closing, errors and types; no reflection.

The dialects on PyPI hold DuckDB below 2.
"""

from __future__ import annotations

import threading
from typing import Any

from mlpipeline import errors

_default: Any = errors.require("sqlalchemy.engine.default", extra="sql")
_compiler: Any = errors.require("sqlalchemy.sql.compiler", extra="sql")
_pool: Any = errors.require("sqlalchemy.pool", extra="sql")

DRIVER = "mlpipeline"


class DuckTypeCompiler(_compiler.GenericTypeCompiler):  # type: ignore[misc]
    """DuckDB's names of types where they are not everyone's: its FLOAT has 32 bits."""

    def visit_FLOAT(self, type_: Any, **_: Any) -> str:  # noqa: N802 - SQLAlchemy's name
        """Returns the name."""
        return "DOUBLE"

    def visit_datetime(self, type_: Any, **_: Any) -> str:
        """Returns the name."""
        return "TIMESTAMPTZ" if type_.timezone else "TIMESTAMP"

    def visit_interval(self, type_: Any, **_: Any) -> str:
        """Returns the name."""
        return "INTERVAL"


class DuckCursor:
    """A cursor on a connection itself: DuckDB's own cursors are connections with transactions of their own."""

    arraysize = 1
    rowcount = -1

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.description: Any = None

    def execute(self, sql: str, parameters: Any = None) -> DuckCursor:
        """Runs a statement."""
        self._connection.execute(sql, parameters or None)
        self.description = self._connection.description
        return self

    def executemany(self, sql: str, parameters: Any) -> DuckCursor:
        """Runs a statement once for each item."""
        self._connection.executemany(sql, parameters)
        self.description = None
        return self

    def fetchone(self) -> Any:
        """Returns the next row."""
        return self._connection.fetchone()

    def fetchmany(self, size: int | None = None) -> Any:
        """Returns the next rows."""
        return self._connection.fetchmany(size or self.arraysize)

    def fetchall(self) -> Any:
        """Returns the rest of the rows."""
        return self._connection.fetchall()

    def close(self) -> None:
        """Leaves the connection open."""
        self.description = None


class DuckConnection:
    """DuckDB's connection, with cursors that share its transaction.

    Attributes:
        duck: DuckDB's own.
    """

    def __init__(self, duck: Any) -> None:
        self.duck = duck

    def cursor(self) -> DuckCursor:
        """Returns a cursor."""
        return DuckCursor(self.duck)

    def commit(self) -> None:
        """Commits, where a transaction is open."""
        self._end(self.duck.commit)

    def rollback(self) -> None:
        """Rolls back, where a transaction is open."""
        self._end(self.duck.rollback)

    def _end(self, end: Any) -> None:
        duckdb = errors.require("duckdb", extra="sql")
        try:
            end()
        except duckdb.TransactionException as error:
            if "no transaction is active" not in str(error):
                raise

    def close(self) -> None:
        """Closes the connection; a database in memory stays, as long as the engine."""
        self.duck.close()


class DuckEngineDialect(_default.DefaultDialect):  # type: ignore[misc]
    """SQLAlchemy's side of DuckDB. All connections of an engine see the same database, also one in memory."""

    name = "duckdb"
    driver = DRIVER
    default_paramstyle = "qmark"
    supports_statement_cache = True
    supports_native_boolean = True
    max_identifier_length = 1000
    type_compiler_cls = DuckTypeCompiler

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._in_memory: Any = None
        self._lock = threading.Lock()

    @classmethod
    def import_dbapi(cls) -> Any:
        """Returns the driver."""
        return errors.require("duckdb", extra="sql")

    @classmethod
    def get_pool_class(cls, url: Any) -> Any:
        """Returns the kind of pool."""
        return _pool.QueuePool

    def create_connect_args(self, url: Any) -> tuple[list[Any], dict[str, Any]]:
        """Returns what DuckDB is asked: `?name=value` are its settings, `?read_only=true` opens the file so."""
        config = dict(url.query)
        is_read_only = str(config.pop("read_only", "")).lower() in ("true", "1")
        return [url.database or ":memory:"], {"config": config, "read_only": is_read_only}

    def connect(self, *arguments: Any, **options: Any) -> DuckConnection:
        """Opens a connection."""
        if arguments[0] != ":memory:":
            return DuckConnection(self.loaded_dbapi.connect(*arguments, **options))
        with self._lock:
            if self._in_memory is None:
                self._in_memory = self.loaded_dbapi.connect(*arguments, **options)
            return DuckConnection(self._in_memory.cursor())

    def do_begin(self, dbapi_connection: Any) -> None:
        """Does nothing: transactions are begun in SQL."""

    def get_isolation_level_values(self, dbapi_conn: Any) -> list[str]:
        """Returns the one that there is."""
        return ["AUTOCOMMIT"]

    def set_isolation_level(self, dbapi_connection: Any, level: str) -> None:
        """Does nothing: each statement is committed by itself anyhow."""

    def get_isolation_level(self, dbapi_connection: Any) -> str:
        """Returns the one that there is."""
        return "AUTOCOMMIT"

    def get_default_isolation_level(self, dbapi_conn: Any) -> str:
        """Returns the one that there is."""
        return "AUTOCOMMIT"

    def _get_server_version_info(self, connection: Any) -> None:
        return None

    def _get_default_schema_name(self, connection: Any) -> str:
        return "main"
