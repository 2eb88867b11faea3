"""Tables of databases that SQLAlchemy knows: what their connectors share, and those that run on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

import pandas as pd
from filelock import FileLock

from mlpipeline import errors
from mlpipeline.config_text import near_miss
from mlpipeline.data.connection import Connection
from mlpipeline.data.named import connections
from mlpipeline.data.table_name import TableName
from mlpipeline.errors import ConfigurationError, DataFault
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.types.data import DataConnector

_OPEN = "_open"


class SQLDataConnector(DataConnector):
    """Tables of a database. The database is named in one of two ways.

    Attributes:
        connection: one of the project's config/database.cfg.
        database_url: as SQLAlchemy writes it, e.g. `${env:DATABASE_URL}`.
        save_mode: whether rows are appended to what a table has, or replace it; its columns stay.
    """

    CHANGES_UNSEEN: ClassVar[bool] = True
    WRITES: ClassVar[frozenset[str]] = DataConnector.WRITES | {"duckdb_path"}

    connection: str | None = None
    database_url: str | None = None
    save_mode: Literal["append", "replace"] = "append"

    def get_data(self, source: str, sql: str | None = None) -> pd.DataFrame:
        """Returns the rows of a table, or of a query where `sql` is given; their order is its own without ORDER BY."""
        with self._asked() as database:
            if sql is not None:
                return _frame(database, sql)
            names = database.columns(source)
            if not names:
                raise DataFault(f"there is no table {source}.{_near(database, source)}")
            listed = ", ".join(map(database.quote_identifier, names))
            return _frame(database, f"SELECT {listed} FROM {TableName.parse(source).quoted(database.quote_identifier)}")

    @side_effects
    def save_data(self, data: pd.DataFrame, target: str) -> str:
        """Adds rows to a table by the names of their columns; makes the table, and columns that it lacks."""
        with self._asked() as database:
            database.append(target, data, replace=self.save_mode == "replace")
            return f"{target} in {database.url}"

    @contextmanager
    def _asked(self) -> Iterator[Connection]:
        """Yields the connection, for one question."""
        yield self.database

    @property
    def database(self) -> Connection:
        """The connection; it is opened on first use.

        Raises:
            ConfigurationError: nothing says which database it is, or more than one thing does.
        """
        if _OPEN not in self.__dict__:
            self.__dict__[_OPEN] = self._connect()
        found: Connection = self.__dict__[_OPEN]
        return found

    def _url(self) -> str | None:
        """Returns where the database is, with its password; None where no key says it."""
        return self.database_url

    def _connect(self) -> Any:
        url = self._url()
        if (url is None) == (self.connection is None):
            told = "two things say" if url is not None else "nothing says"
            name = f"{type(self).__name__} ({self._name})"
            raise ConfigurationError(f"{name}: {told} which database it is: give connection or {self._keys()}")
        return connections[str(self.connection)] if url is None else Connection(url, name=self._name)

    @classmethod
    def _keys(cls) -> str:
        return "database_url"

    @property
    def _name(self) -> str:
        return self.address or type(self).__name__

    def __getstate__(self) -> dict[str, Any]:
        """Leaves the open connection out: no other process could use it."""
        return {key: value for key, value in super().__getstate__().items() if key != _OPEN}


def _frame(database: Connection, sql: str) -> pd.DataFrame:
    found: pd.DataFrame = database.dataframe(sql)
    return found


def _near(database: Connection, source: str) -> str:
    name = TableName.parse(source)
    known = database.tables(name.schema) or database.tables(None)
    return near_miss(name.name, known) or f" Tables: {', '.join(sorted(known)) or 'none'}"


class DuckDBDataConnector(SQLDataConnector):
    """Tables of a DuckDB file; its SQL reads other files as well: `SELECT * FROM 'data/*.parquet'`.

    Attributes:
        duckdb_path: of the file, which is made where it is not there; `:memory:` lasts as long as the process.
    """

    duckdb_path: str | None = None

    def _url(self) -> str | None:
        """Returns where the database is, with its password; None where no key says it."""
        return super()._url() if self.duckdb_path is None else f"duckdb:///{self.duckdb_path}"

    @contextmanager
    def _asked(self) -> Iterator[Connection]:
        """Yields the connection, and lets go of the file afterwards: DuckDB lets one process alone into it, and runs of
        several versions take turns."""
        if self.duckdb_path in (None, ":memory:"):
            yield self.database
            return
        with FileLock(f"{self.duckdb_path}.lock"):
            try:
                yield self.database
            finally:
                self.database.close()

    @classmethod
    def _keys(cls) -> str:
        return "duckdb_path"


class PostgresDataConnector(SQLDataConnector):
    """Tables of PostgreSQL.

    Attributes:
        postgres_host, postgres_port, postgres_user, postgres_password, postgres_dbname: where it is; write the
            password as `${env:NAME}`.
        postgres_schema: of tables that are named without one; by default the user's search path decides.
    """

    postgres_host: str | None = None
    postgres_port: int = 5432
    postgres_user: str | None = None
    postgres_password: str | None = None
    postgres_dbname: str | None = None
    postgres_schema: str | None = None

    def _url(self) -> str | None:
        """Returns where the database is, with its password; None where no key says it."""
        if self.postgres_host is None:
            return super()._url()
        query = {} if self.postgres_schema is None else {"options": f"-csearch_path={self.postgres_schema}"}
        return made_url(
            "postgresql",
            username=self.postgres_user,
            password=self.postgres_password,
            host=self.postgres_host,
            port=self.postgres_port,
            database=self.postgres_dbname,
            query=query,
        )

    @classmethod
    def _keys(cls) -> str:
        return "postgres_host"


def made_url(scheme: str, **parts: Any) -> str:
    """Returns a URL of its parts, special characters escaped, the password in it."""
    sa = errors.require("sqlalchemy", extra="sql")
    return str(sa.URL.create(scheme, **parts).render_as_string(hide_password=False))
