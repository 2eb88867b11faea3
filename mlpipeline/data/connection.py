"""A connection to a database: queries as frames, rows in bulk, transactions, and answers that are kept."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mlpipeline.data import appending, arrow, cache_key, credentials, dialects, engine, extracts, transport
from mlpipeline.data.arrow import Row
from mlpipeline.data.asking import Asker
from mlpipeline.data.bars import bar
from mlpipeline.data.cached import Cache
from mlpipeline.data.dialects.dialect import Tell
from mlpipeline.data.extracts import Query
from mlpipeline.data.rendering import Rendered
from mlpipeline.data.session import Session
from mlpipeline.data.table_name import TableName
from mlpipeline.errors import DataFault, UsageError

if TYPE_CHECKING:
    import pandas as pd

BATCH_ROWS = 100_000


class _Blocks(threading.local):
    """The `with` blocks that a thread has entered."""

    def __init__(self) -> None:
        self.entered: list[AbstractContextManager[Any]] = []


class Connection:
    """A database, and the calling thread's way to it. Nothing is opened before the first question.

    SQL is given as `sql`, or as `extract` (or `filename`), the name of a file below `extracts/`. Its parameters
    `:name` or `%(name)s` are passed by name, and bound; lists expand. Several statements in one text are one
    transaction; apart from that each is committed by itself, unless a `with` block makes them a transaction.

    Args:
        url: the database's, as SQLAlchemy writes it.
        name: what messages call it.
        root: the project's directory: extracts and paths of embedded databases begin there. None is the working one.
        cache: keeps answers; None for a connection that keeps none.
        annotated: whether each statement says who asks, in a comment.
        options: for SQLAlchemy's `create_engine`.

    Raises:
        ConfigurationError: when the URL is none.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "connection",
        root: Path | None = None,
        cache: Cache | None = None,
        annotated: bool = True,
        **options: Any,
    ) -> None:
        self.name, self.cache = name, cache
        self.root = (root or Path.cwd()).resolve()
        self._url = credentials.parse(url, f"connection {name!r}")
        self._identity = credentials.identity(self._url, self.root, uuid.uuid4().hex)
        hidden = credentials.secrets(self._url, options.items())
        session = Session(lambda: engine.make(self._url, options, self.root), dialects.of)
        self._asker = Asker(session, self._url, hidden, self.root, annotated=annotated)
        self._blocks = _Blocks()
        self._after_replace: list[Callable[[str, pd.DataFrame], object]] = []

    def __repr__(self) -> str:
        return f"Connection({self.url!r}, name={self.name!r})"

    @property
    def adapter(self) -> str:
        """The name of the dialect: `postgresql`, `sqlite`, `duckdb`, …"""
        return str(self._url.get_backend_name())

    @property
    def url(self) -> str:
        """The URL, with stars for what is secret."""
        return credentials.shown(self._url)

    @property
    def engine(self) -> Any:
        """SQLAlchemy's engine, for what is not here."""
        return self._asker.session.engine

    @property
    def holds_temporary(self) -> bool:
        """Whether the calling thread has made temporary tables here, or is in a transaction."""
        session = self._asker.session
        return session.has_temporary or session.in_transaction

    def query(
        self, sql: str | None = None, *, extract: str | None = None, filename: str | None = None, **values: Any
    ) -> Query:
        """Returns SQL, read and checked; nothing is asked.

        Raises:
            UsageError: when not exactly one of `sql` and `extract` is given.
            ExtractNotFound: when there is no such extract.
            DataFault: when it cannot be read, a parameter has no value, or a value no parameter.
        """
        extract = extract or filename
        if (sql is None) == (extract is None):
            raise UsageError("a question is needed: give either sql or extract")
        if sql is not None:
            return extracts.written(sql, values)
        return extracts.read(self.root, str(extract), values, self.quote_identifier)

    def execute(self, sql: str | None = None, **values: Any) -> None:
        """Runs statements; see `query`.

        Raises:
            DatabaseError: what the database refused, with file, line and statement.
        """
        self._asker.run(self.query(sql, **values), self._asker.dialect.rows)

    def select(self, sql: str | None = None, *, cache: bool = False, **values: Any) -> list[Row]:
        """Returns the rows of the last statement as tuples; see `query`."""
        query = self.query(sql, **values)

        def ask() -> list[Row]:
            return self._asker.run(query, self._asker.dialect.rows)[1]

        if not cache:
            return ask()
        return self._kept().answer(self.question(query, "rows"), ask, arrow.of_rows, arrow.to_rows)

    def dataframe(
        self, sql: str | None = None, *, cache: bool = False, chunksize: int | None = None, **values: Any
    ) -> Any:
        """Returns the rows of the last statement as a frame; with `chunksize`, an iterator of frames of so many rows.

        Decimals are floats; integers with missing values, too. See `query` for the SQL and its parameters.

        Raises:
            DataFault: when both `cache` and `chunksize` are asked for, or two columns share a name.
            DatabaseError: what the database refused, with file, line and statement.
        """
        if cache and chunksize is not None:
            raise DataFault("the cache keeps whole answers, and chunksize reads parts: choose one")
        if chunksize is not None and chunksize < 1:
            raise DataFault(f"chunksize is {chunksize}: 1 or more is needed")
        query = self.query(sql, **values)
        dialect = self._asker.dialect
        if chunksize is not None:
            return self._asker.parts(query, lambda live, last, tell: dialect.frames(live, last, chunksize, tell))

        def ask() -> pd.DataFrame:
            return self._asker.run(query, dialect.frame)

        if not cache:
            return ask()
        return self._kept().answer(self.question(query), ask, arrow.of_frame, arrow.unpack_frame)

    def question(self, query: Query, form: str = "frame") -> cache_key.Question:
        """Returns what the cache makes of a query."""
        return cache_key.question(
            query, connection=self._identity, name=self.name, dialect=self._asker.dialect.name, form=form
        )

    def _kept(self) -> Cache:
        if self.cache is None:
            raise UsageError(f"connection {self.name!r} has no cache: ask without cache=True, or give it one")
        return self.cache

    def insert(self, table: str, frame: pd.DataFrame, *, batch_size: int = BATCH_ROWS, create: bool = False) -> None:
        """Inserts a frame's rows, all or none, by the names of its columns.

        Args:
            table: `table` or `schema.table`.
            frame: its index is not inserted.
            batch_size: how many rows are prepared at a time.
            create: makes the table where it is not there.

        Raises:
            DataFault: when the table or a column is missing, or a value does not fit.
            DatabaseError: what the database refused.
        """
        appending.insert(self._asker, table, frame, batch_size, create=create)

    def append(self, table: str, frame: pd.DataFrame, *, replace: bool = False) -> None:
        """Adds rows by the names of their columns, and what the table lacks of these; see `appending.append`."""
        appending.append(self._asker, table, frame, BATCH_ROWS, replace=replace)

    def replace(self, table: str, frame: pd.DataFrame, *, batch_size: int = BATCH_ROWS) -> None:
        """Puts a frame's rows in the place of a table's; who reads meanwhile sees the old rows, then the new ones.

        Indexes, rights and views stay. PostgreSQL keeps the former rows in `<table>_b`. Listeners are told afterwards.

        Raises:
            DataFault: when the table is missing, or something hangs on it that could not follow; the message names it.
            DatabaseError: what the database refused; the table is as it was.
        """
        name, dialect = TableName.parse(table), self._asker.dialect
        appending.check(self._asker, table, frame)
        with self._asker.transaction(), bar(table, total=len(frame)) as shown:
            self._asker.change(lambda live: dialect.replace(live, name, frame, batch_size, shown.update))
        for listener in self._after_replace:
            listener(table, frame)

    def columns(self, table: str) -> tuple[str, ...]:
        """Returns the names of a table's columns, in order, and reads no row; none where there is no such table."""
        name = TableName.parse(table)
        return tuple(self._asker.look(lambda live: self._asker.dialect.columns_of(live, name)))

    def tables(self, schema: str | None = None) -> tuple[str, ...]:
        """Returns the names of the tables of a schema; by default of the connection's own."""
        return tuple(self._asker.look(lambda live: self._asker.dialect.table_names(live, schema)))

    def after_replace(self, listener: Callable[[str, pd.DataFrame], object]) -> Callable[[str, pd.DataFrame], object]:
        """Has a function called with table and frame after each `replace`; good as a decorator."""
        self._after_replace.append(listener)
        return listener

    def temp_table(self, name: str, sql: str | None = None, *, drop: bool = True, **values: Any) -> None:
        """Makes a temporary table of what a query gives. It is the calling thread's, until the connection is closed.

        Args:
            name: of the table.
            sql: the query; or `extract`, see `query`.
            drop: whether one that is there already goes first.
            values: of the query's parameters.
        """
        table, dialect = TableName.parse(name), self._asker.dialect
        query = self.query(sql, **values)
        if len(query.statements) != 1:
            raise DataFault(f"{query.source}: a temporary table is made of one query, not of {len(query.statements)}")

        def make(live: Any, statement: Rendered, _: Tell) -> None:
            if drop:
                dialect.drop_temporary(live, table)
            dialect.create_temporary_as(live, table, statement)

        self._asker.run(query, make, changes=True)
        self._asker.session.note_temporary()

    def unload(
        self, to: str, sql: str | None = None, *, rows_per_file: int = 1_000_000, overwrite: bool = False, **values: Any
    ) -> list[str]:
        """Writes what a query gives as Parquet files below a URL of fsspec, or a directory. Returns where they lie.

        Raises:
            DataFault: when Parquet files lie there already, and `overwrite` does not say that they may go.
            StoreError: when they cannot be written.
        """
        return transport.unload(self._asker, self.query(sql, **values), to, rows_per_file, overwrite=overwrite)

    def load(self, table: str, source: str, *, create: bool = False) -> None:
        """Inserts the rows of Parquet files into a table, all or none.

        Raises:
            DataFault: when there is no Parquet file, or its columns do not fit.
            StoreError: when they cannot be read.
        """
        native = self._asker.dialect.load_sql(TableName.parse(table), source)
        if native is not None:
            self._asker.change(lambda live: self._asker.dialect.plain(live, native))
            return
        with self.transaction():
            for part in transport.frames(source, BATCH_ROWS):
                self.insert(table, part, create=create)

    def load_dataframe(self, source: str) -> pd.DataFrame:
        """Returns the rows of Parquet files below a URL of fsspec, or a directory, as one frame."""
        return transport.frame(source)

    def quote_identifier(self, name: str) -> str:
        """Returns a name as this database's SQL has it."""
        return str(self._asker.dialect.quote(name))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Commits at the end of the block, rolls back on an exception; a block within a block can fail alone."""
        with self._asker.transaction():
            yield self

    def __enter__(self) -> Connection:
        block = self.transaction()
        block.__enter__()
        self._blocks.entered.append(block)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._blocks.entered.pop().__exit__(kind, error, trace)

    def close(self) -> None:
        """Rolls back what is open and closes; the next question connects again. Temporary tables are gone."""
        self._asker.session.close()
