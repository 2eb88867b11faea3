"""Asks a database: renders statements, says who asks, runs them where they belong, and translates what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from mlpipeline.data import annotate, binds, credentials, faults
from mlpipeline.data.bars import bar
from mlpipeline.data.binds import Token
from mlpipeline.data.dialects.dialect import Dialect, Tell
from mlpipeline.data.extracts import Query
from mlpipeline.data.rendering import Rendered, render
from mlpipeline.data.session import ConnectionLost, Session, Unreachable
from mlpipeline.errors import DatabaseError, DataFault

_Result = TypeVar("_Result")
_Work = Callable[[Any, Rendered, Tell], _Result]
_ALONE = {"BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "VACUUM", "PRAGMA", "ATTACH", "DETACH", "SET"}


class Asker:
    """Runs queries on a session.

    Args:
        session: gives connections.
        url: SQLAlchemy's, for messages.
        hidden: what must not be shown.
        root: the project's directory, from which callers are named.
        annotated: whether a comment says who asks.
    """

    def __init__(self, session: Session, url: Any, hidden: tuple[str, ...], root: Path, *, annotated: bool) -> None:
        self.session, self.url, self.hidden, self.root, self.annotated = session, url, hidden, root, annotated

    @property
    def dialect(self) -> Dialect:
        """What knows the database's ways."""
        return self.session.dialect

    @property
    def _raised(self) -> tuple[type[Exception], ...]:
        return (*self.dialect.errors, ConnectionLost, Unreachable)

    def run(self, query: Query, work: _Work[_Result], *, changes: bool = False) -> _Result:
        """Does something with each statement of a query. Returns what it gives for the last.

        Several statements are one transaction, unless one of them is about transactions.

        Args:
            query: what is asked.
            work: is given a connection, a statement, and what to tell of rows.
            changes: whether it changes something even where the statement only reads.

        Raises:
            DataFault: when there is no statement.
            DatabaseError: what the database refused.
        """
        statements = _statements(query)
        alone = any(set(binds.first_words(each, 1)) & _ALONE for each in statements)
        if len(statements) > 1 and not alone and not self.session.in_transaction:
            with self.transaction():
                return [self._one(query, each, work, changes) for each in statements][-1]
        return [self._one(query, each, work, changes) for each in statements][-1]

    def _one(self, query: Query, statement: tuple[Token, ...], work: _Work[_Result], changes: bool) -> _Result:
        rendered = self._rendered(query, statement)
        words = set(binds.first_words(statement, 4))
        with bar(query.name or "query") as shown:
            result = self.guarded(
                lambda: self.session.run(
                    lambda live: work(live, rendered, shown.update), again=binds.is_query(statement) and not changes
                ),
                query.source,
                rendered,
            )
        if "CREATE" in words and not words.isdisjoint({"TEMP", "TEMPORARY"}):
            self.session.note_temporary()
        return result

    def parts(self, query: Query, read: Callable[[Any, Rendered, Tell], Iterator[_Result]]) -> Iterator[_Result]:
        """Yields what the last statement gives, part by part, on a connection of its own where that sees the same.

        Raises:
            DatabaseError: what the database refused.
        """
        *before, last = _statements(query)
        for each in before:
            self._one(query, each, self.dialect.rows, changes=False)
        rendered = self._rendered(query, last)
        try:
            with self.session.apart() as live, bar(query.name or "query") as shown:
                yield from read(live, rendered, shown.update)
            return
        except self._raised as error:
            fault, cause = self._fault(error, query.source, rendered)
        raise fault from cause

    def guarded(self, work: Callable[[], _Result], source: str = "", statement: Rendered | None = None) -> _Result:
        """Does something; what the driver raises becomes ours, without a word that is secret.

        Raises:
            DatabaseError: what the database refused.
        """
        try:
            return work()
        except self._raised as error:
            fault, cause = self._fault(error, source, statement)
        # Raised here, and not above: a traceback would show the driver's error as its context.
        raise fault from cause

    def change(self, work: Callable[[Any], _Result]) -> _Result:
        """Changes something that no statement of the user's stands for."""
        return self.guarded(lambda: self.session.run(work, again=False))

    def look(self, work: Callable[[Any], _Result]) -> _Result:
        """Looks something up that no statement of the user's stands for."""
        return self.guarded(lambda: self.session.run(work, again=True))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits at the end, rolls back on an exception.

        Raises:
            DatabaseError: when it cannot be begun or committed.
        """
        try:
            with self.session.transaction():
                yield
            return
        except self._raised as error:
            fault, cause = self._fault(error, "", None)
        raise fault from cause

    def _fault(
        self, error: BaseException, source: str, statement: Rendered | None
    ) -> tuple[DatabaseError, BaseException | None]:
        is_lost = isinstance(error, ConnectionLost)
        cause = error.error if isinstance(error, ConnectionLost | Unreachable) else error
        chained = faults.chained(cause, self.hidden)
        if isinstance(error, Unreachable):
            said = faults.reason(cause, self.hidden)
            return DatabaseError(f"cannot connect to {credentials.shown(self.url)}: {said}"), chained
        return faults.refused(cause, source, statement, self.hidden, is_lost=is_lost), chained

    def _rendered(self, query: Query, statement: tuple[Token, ...]) -> Rendered:
        comment = ""
        if self.annotated:
            comment = annotate.comment(
                application=self.root.name, caller=annotate.caller(self.root), extract=query.name
            )
        return render(statement, query.values, self.dialect.style, comment=comment, empty=self.dialect.empty)


def _statements(query: Query) -> list[tuple[Token, ...]]:
    found = query.statements
    if not found:
        raise DataFault(f"{query.source} holds no statement: write one")
    return found
