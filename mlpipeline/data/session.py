"""One live connection per thread: opened on use, kept, opened again once when it is lost; and its transactions."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from mlpipeline.data.dialects.dialect import Dialect
from mlpipeline.errors import DatabaseError

_Result = TypeVar("_Result")


class ConnectionLost(Exception):
    """The connection was lost while something ran that must not be done twice."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(type(error)))
        self.error = error


class Unreachable(Exception):
    """No connection could be opened."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(type(error)))
        self.error = error


class _State(threading.local):
    """What one thread has: its connection, how deep in transactions it is, and whether it made temporary tables."""

    def __init__(self) -> None:
        self.connection: Any = None
        self.depth = 0
        self.is_broken = False
        self.has_temporary = False
        self.generation = 0
        self.pid = 0


class Session:
    """Gives each thread its connection.

    Args:
        make_engine: makes the engine, on first use.
        make_dialect: makes what knows the database's ways, of the engine.
    """

    def __init__(self, make_engine: Callable[[], Any], make_dialect: Callable[[Any], Dialect]) -> None:
        self._make_engine, self._make_dialect = make_engine, make_dialect
        self._engine: Any = None
        self._dialect: Dialect | None = None
        self._lock = threading.RLock()
        self._state = _State()
        self._generation = 0
        self._pid = os.getpid()
        self._inherited: list[Any] = []
        self._held: dict[threading.Thread, Any] = {}

    @property
    def engine(self) -> Any:
        """The engine; made on first use."""
        with self._lock:
            if self._engine is None:
                self._engine = self._make_engine()
            if self._pid != os.getpid():
                # What a fork inherited belongs to the parent: not even closing it is allowed here.
                self._engine.dispose(close=False)
                self._pid = os.getpid()
            return self._engine

    @property
    def dialect(self) -> Dialect:
        """What knows the database's ways."""
        with self._lock:
            if self._dialect is None:
                self._dialect = self._make_dialect(self.engine)
            return self._dialect

    @property
    def in_transaction(self) -> bool:
        """Whether this thread is in a transaction."""
        return self._own().depth > 0

    @property
    def has_temporary(self) -> bool:
        """Whether this thread has made temporary tables on its connection."""
        return self._own().has_temporary

    def note_temporary(self) -> None:
        """Remembers that this thread's connection holds temporary tables."""
        self._own().has_temporary = True

    def _own(self) -> _State:
        state = self._state
        if state.connection is not None and (state.generation, state.pid) != (self._generation, os.getpid()):
            if state.pid != os.getpid():
                self._inherited += [state.connection, *self._held.values()]
                self._held.clear()
                state.connection = None
            self._drop(state)
        return state

    def live(self) -> Any:
        """Returns this thread's connection, opened where there is none."""
        state = self._own()
        if state.is_broken:
            raise DatabaseError("the connection was lost within this transaction: leave the block and begin again")
        if state.connection is None:
            self._take_back()
            state.connection = self._held[threading.current_thread()] = self._connect()
            state.generation, state.pid = self._generation, os.getpid()
            state.has_temporary = False
        return state.connection

    def _take_back(self) -> None:
        """Gives connections of threads that have ended back to the pool: nobody else would, at a time that is known."""
        with self._lock:
            for thread in [each for each in self._held if not each.is_alive()]:
                with contextlib.suppress(*self.dialect.errors):
                    self._held.pop(thread).close()

    def _connect(self) -> Any:
        try:
            return self.engine.connect()
        except self.dialect.errors as error:
            raise Unreachable(error) from error

    def run(self, work: Callable[[Any], _Result], *, again: bool) -> _Result:
        """Does something with the connection of this thread.

        Args:
            work: is given the connection.
            again: whether it may be done a second time on a new connection when the first is lost. What must not be
                done twice is begun only after the connection has answered.
        """
        state = self._own()
        if not again and state.depth == 0 and state.connection is not None and not self._answers(state.connection):
            self._drop(state)
        try:
            return work(self.live())
        except Exception as error:
            if not self._is_lost(error, state.connection):
                raise
            depth = state.depth
            self._drop(state)
            state.depth, state.is_broken = depth, depth > 0
            if depth or not again:
                raise ConnectionLost(error) from error
        return work(self.live())

    def _answers(self, connection: Any) -> bool:
        try:
            return self.dialect.answers(connection)
        except Exception as error:
            if not self._is_lost(error, connection):
                raise
            return False

    def _is_lost(self, error: Exception, connection: Any) -> bool:
        return connection is not None and self.dialect.is_lost(error, connection)

    def _drop(self, state: _State) -> None:
        """Forgets a connection; what was open in it is rolled back by whoever gets its end."""
        connection, state.connection = state.connection, None
        state.depth, state.is_broken, state.has_temporary = 0, False, False
        if connection is not None:
            self._held.pop(threading.current_thread(), None)
            connection.invalidate()
            connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits at the end, rolls back on an exception. Within another transaction it is a part that can fail alone.

        Raises:
            DatabaseError: when the connection was closed within the block.
        """
        state = self._own()
        level = state.depth
        self.run(lambda live: self.dialect.begin(live, level), again=level == 0)
        connection = state.connection
        state.depth += 1
        try:
            yield
        except BaseException:  # whatever went wrong, Ctrl-C too, nothing of the transaction stays
            self._end(connection, level, commit=False)
            raise
        if state.is_broken or state.connection is not connection:
            self._end(connection, level, commit=False)
            raise DatabaseError(
                "the connection was closed within the transaction: nothing of it was kept, begin it again"
            )
        self._end(connection, level, commit=True)

    def _end(self, connection: Any, level: int, *, commit: bool) -> None:
        state = self._state
        if state.connection is not connection or state.is_broken:
            state.depth = min(state.depth, level)
            state.is_broken = state.is_broken and level > 0
            return
        try:
            self.dialect.commit(connection, level) if commit else self.dialect.rollback(connection, level)
        except Exception as error:
            if self._is_lost(error, connection) or not self._rolled_back(connection, level):
                self._drop(state)
            if commit:  # a lost connection has rolled back by itself
                raise
        finally:
            state.depth = level

    def _rolled_back(self, connection: Any, level: int) -> bool:
        """Ends what could not be committed, lest the next statement join it."""
        try:
            self.dialect.rollback(connection, level)
        except self.dialect.errors:
            return False
        return True

    def close(self) -> None:
        """Rolls back what is open, and closes all connections: this thread's now, others' when they ask next."""
        with self._lock:
            self._generation += 1
            self._own()
            if self._engine is not None:
                self._take_back()
                self._engine.dispose()

    @contextmanager
    def apart(self) -> Iterator[Any]:
        """Gives a connection of its own for a long read; in a transaction, or with temporary tables, the thread's."""
        if self.in_transaction or self.has_temporary or not self.dialect.can_read_apart:
            yield self.live()
            return
        connection = self._connect()
        try:
            yield connection
        except Exception as error:
            if self._is_lost(error, connection):
                connection.invalidate()
            raise
        finally:
            connection.close()
