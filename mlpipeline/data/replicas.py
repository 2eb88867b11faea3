"""Several databases under one name: each question goes to another one; what belongs together stays together."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from mlpipeline.data.connection import Connection
from mlpipeline.errors import UsageError

_SHARED = ("dataframe", "unload", "select", "execute", "temp_table")


class _Chosen(threading.local):
    """Which one a thread has used last, and how deep it is in transactions."""

    def __init__(self) -> None:
        self.member: Connection | None = None
        self.depth = 0


class Replicas:
    """Behaves as a Connection. A question goes to a random member that is not the last one.

    A thread that is in a transaction, or has made a temporary table, stays with its member.

    Args:
        members: two or more connections to the same data.
        name: what messages call them.
        sticky: whether each thread stays with its first member.
        choose: picks one of several.
    """

    def __init__(
        self,
        members: Sequence[Connection],
        *,
        name: str = "connection",
        sticky: bool = False,
        choose: Callable[[Sequence[Connection]], Connection] = random.choice,
    ) -> None:
        if not members:
            raise UsageError(f"connection {name!r} has no member: give it a URL")
        self.members, self.name, self.sticky = tuple(members), name, sticky
        self._choose, self._chosen = choose, _Chosen()

    def __repr__(self) -> str:
        return f"Replicas({[member.url for member in self.members]}, name={self.name!r})"

    def member(self, *, another: bool = False) -> Connection:
        """Returns the calling thread's member; another one where it may change."""
        chosen = self._chosen
        now = chosen.member
        if now is None:
            now = self._choose(self.members)
        elif another and not self.sticky and not chosen.depth and not now.holds_temporary and len(self.members) > 1:
            now = self._choose([each for each in self.members if each is not now])
        chosen.member = now
        return now

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.member(another=name in _SHARED), name)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Is a transaction on one member; see `Connection.transaction`."""
        member = self.member(another=True)
        self._chosen.depth += 1
        try:
            with member.transaction():
                yield member
        finally:
            self._chosen.depth -= 1

    def __enter__(self) -> Connection:
        member = self.member(another=True)
        member.__enter__()
        self._chosen.depth += 1
        return member

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._chosen.depth -= 1
        self.member().__exit__(kind, error, trace)

    def close(self) -> None:
        """Closes all members."""
        for member in self.members:
            member.close()
