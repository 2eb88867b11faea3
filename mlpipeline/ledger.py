"""The durable record of what happened to runs on one host; one writer."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from mlpipeline import events, ledger_schema
from mlpipeline.errors import AmbiguousRun, DiskFull, LedgerDamaged, NotWritable, RunNotFound
from mlpipeline.ledger_rows import ATTEMPT_COLUMNS, RUN_COLUMNS, attempt_values, read_attempt, read_run, run_values
from mlpipeline.run import Attempt, Cause, Run, State, counts, parse_reference

_BATCH = 900


class Key(NamedTuple):
    """What makes two runs the same wish."""

    model: str
    version: str
    replicate: int
    params_digest: str
    code_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the run that answers a wish stands."""

    run_id: str
    state: State
    cause: Cause
    counted_attempts: int
    attempts: int
    ended_at: datetime | None
    retry_asked: bool
    message: str


class Ledger:
    """Runs and attempts in SQLite. What `record` returned from is on disk."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self.connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """Opens the ledger for its one writer, making or migrating it.

        Raises:
            LedgerDamaged, LedgerTooNew, NotWritable, DiskFull: each says what to do.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with _translated(path):
            connection = sqlite3.connect(path, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                ledger_schema.migrate(connection, path)
            except BaseException:
                connection.close()
                raise
        return cls(connection, path)

    @classmethod
    def open_readonly(cls, path: Path) -> Ledger:
        """Opens the ledger for reading, also while a scheduler writes; one that does not exist is empty."""
        if not path.exists():
            return cls.in_memory()
        with _translated(path):
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
            try:
                connection.execute("SELECT count(*) FROM counts").fetchone()
            except sqlite3.OperationalError as error:
                connection.close()
                if "no such table" not in str(error):
                    raise
                return cls.in_memory()  # its writer is about to make the tables
            except BaseException:
                connection.close()
                raise
        return cls(connection, path)

    @classmethod
    def in_memory(cls) -> Ledger:
        """Makes a ledger that nobody will read again (test mode)."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        ledger_schema.migrate(connection, None)
        return cls(connection, None)

    def close(self) -> None:
        """Closes the file."""
        self.connection.close()

    def record(self, event: events.Event) -> bool:
        """Writes an event down, durably.

        Returns:
            False when the event's token is stale or it says nothing new: nothing has changed then.

        Raises:
            IllegalTransition: the event contradicts the record; nothing has changed.
            DiskFull, NotWritable: it could not be written; nothing has changed.
        """
        with self._transaction():
            if isinstance(event, events.Submitted):
                return self._submitted(event.run)
            if isinstance(event, events.Reported):
                return self._reported(event)
            run = events.apply(self._exact(event.run_id), event)
            if run is not None:
                self._update(run)
            return run is not None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with _translated(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def _submitted(self, run: Run) -> bool:
        known = self.connection.execute("SELECT state FROM runs WHERE id = ?", (run.id,)).fetchone()
        attempt = run.last
        if known is None:
            marks = ", ".join("?" * (len(RUN_COLUMNS) + 1))
            names = ", ".join((*RUN_COLUMNS, "state"))
            self.connection.execute(
                f"INSERT INTO runs ({names}) VALUES ({marks})", (*run_values(run), attempt.state.value)
            )
        else:
            sql = "UPDATE runs SET state = ?, retry_asked = 0 WHERE id = ?"
            self.connection.execute(sql, (attempt.state.value, run.id))
        marks = ", ".join("?" * len(ATTEMPT_COLUMNS))
        self.connection.execute(
            f"INSERT INTO attempts ({', '.join(ATTEMPT_COLUMNS)}) VALUES ({marks})", attempt_values(attempt)
        )
        return True

    def _reported(self, event: events.Reported) -> bool:
        sql = "UPDATE attempts SET reported = 1 WHERE run_id = ? AND number = ? AND reported = 0"
        return self.connection.execute(sql, (event.run_id, event.number)).rowcount > 0

    def _update(self, run: Run) -> None:
        last = run.last
        pairs = ", ".join(f"{name} = ?" for name in ATTEMPT_COLUMNS)
        self.connection.execute(
            f"UPDATE attempts SET {pairs} WHERE run_id = ? AND number = ? AND token = ?",
            (*attempt_values(last), run.id, last.number, last.token),
        )
        sql = "UPDATE runs SET state = ?, retry_asked = ? WHERE id = ?"
        self.connection.execute(sql, (last.state.value, int(run.retry_asked), run.id))

    def import_run(self, run: Run) -> None:
        """Writes a whole run with its attempts, as a rebuilt ledger needs it."""
        with self._transaction():
            names = ", ".join((*RUN_COLUMNS, "state"))
            marks = ", ".join("?" * (len(RUN_COLUMNS) + 1))
            self.connection.execute(
                f"INSERT INTO runs ({names}) VALUES ({marks})", (*run_values(run), run.state.value)
            )
            marks = ", ".join("?" * len(ATTEMPT_COLUMNS))
            self.connection.executemany(
                f"INSERT INTO attempts ({', '.join(ATTEMPT_COLUMNS)}) VALUES ({marks})", map(attempt_values, run.attempts)
            )

    def _exact(self, run_id: str) -> Run:
        found = self._runs("WHERE id = ?", (run_id,))
        if not found:
            raise RunNotFound(f"no run {run_id}: `mlpipeline history` lists them")
        return found[0]

    def run(self, reference: str) -> Run:
        """Returns the run that an id, an unambiguous prefix of it, or `RUN.N` names.

        Raises:
            RunNotFound, AmbiguousRun, UsageError: each says what to do.
        """
        prefix, _ = parse_reference(reference)
        found = self._runs("WHERE id >= ? AND id < ? ORDER BY id LIMIT 6", (prefix, prefix + "~"))
        exact = [run for run in found if run.id == prefix]
        if not found:
            raise RunNotFound(f"no run begins with {prefix}: `mlpipeline history` lists them")
        if len(found) > 1 and not exact:
            shown = "\n".join(f"  {run.id}  {run.model}:{run.version}" for run in found[:5])
            raise AmbiguousRun(f"{prefix} is the beginning of several runs: give more of the id\n{shown}")
        return exact[0] if exact else found[0]

    def runs(
        self,
        *,
        model: str | None = None,
        version: str | None = None,
        states: Collection[State] | None = None,
        limit: int | None = None,
        newest_first: bool = True,
    ) -> list[Run]:
        """Returns runs, those created last first."""
        conditions: list[str] = []
        values: list[Any] = []
        for column, value in (("model", model), ("version", version)):
            if value is not None:
                conditions.append(f"{column} = ?")
                values.append(value)
        if states is not None:
            conditions.append(f"state IN ({', '.join('?' * len(states))})")
            values += [state.value for state in states]
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        order = "DESC" if newest_first else "ASC"
        values.append(-1 if limit is None else limit)
        return self._runs(f"{where}ORDER BY number {order} LIMIT ?", values)

    def live(self) -> list[Run]:
        """Returns the runs whose last attempt is submitted or running, oldest first."""
        return self.runs(states=(State.SUBMITTED, State.RUNNING), newest_first=False)

    def unreported(self) -> list[tuple[Run, Attempt]]:
        """Returns finished attempts whose block of results is not known to stand in the output file."""
        rows = self.connection.execute("SELECT run_id, number FROM attempts WHERE reported = 0").fetchall()
        found = []
        for run_id, number in rows:
            run = self._exact(run_id)
            attempt = next(each for each in run.attempts if each.number == number)
            if attempt.state.is_final:
                found.append((run, attempt))
        return found

    def counts(self) -> dict[State, int]:
        """Returns how many runs are in each state, without counting them."""
        rows = self.connection.execute("SELECT state, number FROM counts WHERE number > 0").fetchall()
        return {State(state): number for state, number in rows}

    def _runs(self, clause: str, values: Sequence[Any]) -> list[Run]:
        with _translated(self.path):
            rows = self.connection.execute(f"SELECT {', '.join(RUN_COLUMNS)} FROM runs {clause}", values).fetchall()
            tries = self._attempts([str(row[0]) for row in rows])
        return [read_run(row, tuple(tries.get(str(row[0]), ()))) for row in rows]

    def _attempts(self, ids: Sequence[str]) -> dict[str, list[Attempt]]:
        found: dict[str, list[Attempt]] = {}
        for start in range(0, len(ids), _BATCH):
            part = ids[start : start + _BATCH]
            sql = f"SELECT {', '.join(ATTEMPT_COLUMNS)} FROM attempts WHERE run_id IN ({', '.join('?' * len(part))})"
            for row in self.connection.execute(f"{sql} ORDER BY run_id, number", part):
                found.setdefault(str(row[0]), []).append(read_attempt(row))
        return found

    def standings(
        self, keys: Sequence[Key], *, match: str = "code", invocation: str | None = None
    ) -> dict[Key, Standing]:
        """Returns how each wish stands; one that nothing happened to is left out.

        Args:
            keys: the wishes.
            match: what must be equal beside model, version and replicate: `code` (parameters and sources), `params`,
                or `never` (nothing).
            invocation: only runs of this invocation count; None counts all.

        A run that succeeded answers a wish before any other; else the newest does.
        """
        wheres = ["model = ?", "version = ?", "replicate = ?"]
        if match in ("code", "params"):
            wheres.append("params_digest = ?")
        if match == "code":
            wheres.append("code_digest = ?")
        width = len(wheres)
        if invocation is not None:
            wheres.append("invocation = ?")
        sql = (
            f"SELECT id, state, retry_asked FROM runs INDEXED BY wishes WHERE {' AND '.join(wheres)} "
            "ORDER BY state = 'succeeded' DESC, number DESC LIMIT 1"
        )
        extra = () if invocation is None else (invocation,)
        execute = self.connection.execute
        found = {}
        with _translated(self.path):
            for key in keys:
                row = execute(sql, (*key[:width], *extra)).fetchone()
                if row is not None:
                    found[key] = self._standing(*row)
        return found

    def _standing(self, run_id: str, state: str, retry_asked: int) -> Standing:
        if state == "succeeded":
            return Standing(
                run_id=run_id,
                state=State.SUCCEEDED,
                cause=Cause.NONE,
                counted_attempts=0,
                attempts=0,
                ended_at=None,
                retry_asked=False,
                message="",
            )
        attempts = self._attempts([run_id])[run_id]
        last = attempts[-1]
        return Standing(
            run_id=run_id,
            state=last.state,
            cause=last.cause,
            counted_attempts=sum(counts(each.state, each.cause) for each in attempts),
            attempts=len(attempts),
            ended_at=last.ended_at,
            retry_asked=bool(retry_asked),
            message=last.message,
        )

    def known_sources(self) -> dict[str, tuple[str, str]]:
        """Returns algorithm and code digest of every snapshot that was digested, by its address."""
        rows = self.connection.execute("SELECT sha, algorithm, code_digest FROM sources").fetchall()
        return {sha: (algorithm, digest) for sha, algorithm, digest in rows}

    def set_code_digest(self, sha: str, algorithm: str, digest: str) -> None:
        """Remembers a snapshot's digest, and gives it to every run of that snapshot."""
        with self._transaction():
            sql = "INSERT INTO sources VALUES (?, ?, ?) ON CONFLICT(sha) DO UPDATE SET algorithm = ?2, code_digest = ?3"
            self.connection.execute(sql, (sha, algorithm, digest))
            self.connection.execute(
                "UPDATE runs SET code_digest = ? WHERE sources = ? AND code_digest <> ?", (digest, sha, digest)
            )

    def rename(self, old: tuple[str, str | None], new: tuple[str, str | None]) -> int:
        """Gives runs of a model (and version) a new name. Returns how many there were."""
        with self._transaction():
            if old[1] is None:
                done = self.connection.execute("UPDATE runs SET model = ? WHERE model = ?", (new[0], old[0]))
            else:
                sql = "UPDATE runs SET model = ?, version = ? WHERE model = ? AND version = ?"
                done = self.connection.execute(sql, (new[0], new[1], old[0], old[1]))
        return done.rowcount


@contextlib.contextmanager
def _translated(path: Path | None) -> Iterator[None]:
    """Says in this package's words what SQLite found."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "full" in text or "disk I/O" in text:
            raise DiskFull(f"{path}: the disk is full or failing ({text}): free some space") from error
        if "readonly" in text or "unable to open" in text:
            raise NotWritable(f"{path}: cannot be written ({text}): mend its permissions") from error
        if "malformed" in text:
            raise LedgerDamaged(f"{path}: is damaged: `mlpipeline fsck --rebuild` makes it again") from error
        raise
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise LedgerDamaged(
            f"{path}: is damaged ({error}): `mlpipeline fsck --rebuild` makes it again from the run directories"
        ) from error
