"""The durable record of what happened to runs on one host; one writer."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from mlpipeline import events, ledger_file, ledger_rows
from mlpipeline.errors import AmbiguousRun, IllegalTransition, RunNotFound, UsageError
from mlpipeline.ledger_file import translated
from mlpipeline.run import Attempt, Run, State, parse_reference, story
from mlpipeline.standings import Key, Standing, look_up, peaks

__all__ = ["Key", "Ledger", "Standing"]

_SHOWN = 5
_LIVE = (State.SUBMITTED, State.RUNNING)


class Ledger:
    """Runs and attempts in SQLite. What `record` has returned from is on disk.

    Every method raises DiskFull, NotWritable, LedgerDamaged or LedgerError where the file cannot be used; nothing has
    changed then.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self.connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Ledger:
        """Opens the ledger for its one writer, making or migrating it.

        Raises:
            LedgerDamaged, LedgerTooNew, NotWritable, DiskFull: each says what to do.
        """
        return cls(ledger_file.open_writer(path), path)

    @classmethod
    def open_readonly(cls, path: Path) -> Ledger:
        """Opens the ledger for reading, also while a scheduler writes; one that does not exist is empty.

        Raises:
            LedgerDamaged, LedgerTooNew: each says what to do.
        """
        return cls(ledger_file.open_reader(path) or ledger_file.in_memory(), path)

    @classmethod
    def in_memory(cls) -> Ledger:
        """Makes a ledger that nobody will read again (test mode)."""
        return cls(ledger_file.in_memory(), None)

    def close(self) -> None:
        """Closes the file."""
        self.connection.close()

    def record(self, event: events.Event) -> bool:
        """Writes an event down, durably.

        Returns:
            False when the event's token is stale or it says nothing new: nothing has changed then.

        Raises:
            IllegalTransition: the event contradicts the record; nothing has changed.
            RunNotFound: the event's run was never submitted.
        """
        with self.together():
            if isinstance(event, events.Submitted):
                return self._submitted(event.run)
            seq, before = self._known(event.run_id)
            after = events.apply(before, event)
            if after is None:
                return False
            self._update(seq, before, after)
            return True

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Makes everything that is recorded within it one transaction: all of it is on disk afterwards, or nothing."""
        is_part = self.connection.in_transaction
        if is_part:
            yield
            return
        with translated(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:  # Ctrl-C too must leave no transaction open
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def _submitted(self, run: Run) -> bool:
        attempt = run.last
        found = self._select("WHERE runs.id = ?", (run.id,))
        if not found:
            if attempt.number != 1 or attempt.state is not State.SUBMITTED:
                raise IllegalTransition(f"{run.id}: a new run begins with attempt 1, submitted\n{story(run)}")
            self._insert(run)
            return True
        seq, known = found[0]
        if any((each.number, each.token) == (attempt.number, attempt.token) for each in known.attempts):
            return False
        is_next = attempt.number == known.last.number + 1 and attempt.state is State.SUBMITTED
        if not is_next or not known.state.is_final or known.state is State.SUCCEEDED:
            raise IllegalTransition(f"{run.id}: attempt {attempt.number} cannot follow\n{story(known)}")
        self.connection.execute(ledger_rows.INSERT_ATTEMPT, (seq, *ledger_rows.attempt_values(attempt)))
        self.connection.execute(ledger_rows.UPDATE_RUN, (*ledger_rows.last_values(run), seq))
        return True

    def _insert(self, run: Run) -> int:
        execute = self.connection.execute
        sql = "INSERT INTO sources (sha, code_digest) VALUES (?, ?) ON CONFLICT (sha) DO NOTHING"
        execute(sql, (run.sources, run.code_digest))
        source = execute("SELECT seq FROM sources WHERE sha = ?", (run.sources,)).fetchone()[0]
        seq = execute(ledger_rows.INSERT_RUN, (source, *ledger_rows.run_values(run))).lastrowid
        rows = [(seq, *ledger_rows.attempt_values(attempt)) for attempt in run.attempts]
        self.connection.executemany(ledger_rows.INSERT_ATTEMPT, rows)
        return 1

    def _update(self, seq: int, before: Run, after: Run) -> None:
        for old, new in zip(before.attempts, after.attempts, strict=True):
            if old is not new:
                values = ledger_rows.attempt_values(new)
                self.connection.execute(ledger_rows.UPDATE_ATTEMPT, (*values, seq, new.number))
        if (last := ledger_rows.last_values(after)) != ledger_rows.last_values(before):
            self.connection.execute(ledger_rows.UPDATE_RUN, (*last, seq))

    def import_run(self, run: Run) -> None:
        """Writes a whole run with its attempts, as a rebuilt ledger needs it."""
        self.import_runs((run,))

    def import_runs(self, runs: Iterable[Run]) -> int:
        """Writes whole runs, oldest first, all of them or none. Returns how many there were."""
        with self.together():
            return sum(self._insert(run) for run in runs)

    def run(self, reference: str) -> Run:
        """Returns the run that an id, an unambiguous beginning of one, or `RUN.N` names.

        Raises:
            RunNotFound: there is none; also where the reference is no run's id at all.
            AmbiguousRun: there are several; the message lists them.
        """
        try:
            prefix, _ = parse_reference(reference)
        except UsageError as error:
            raise RunNotFound(str(error)) from error
        found = self._select("WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?", (prefix, f"{prefix}~", _SHOWN + 1))
        runs = [run for _, run in found]
        if not runs:
            raise RunNotFound(f"no run begins with {prefix}: `mlpipeline history` lists them")
        if len(runs) > 1 and runs[0].id != prefix:
            shown = "\n".join(f"  {run.id}  {run.model}:{run.version}" for run in runs[:_SHOWN])
            more = "\n  …" if len(runs) > _SHOWN else ""
            raise AmbiguousRun(f"several runs begin with {prefix}: give more of the id\n{shown}{more}")
        return runs[0]

    def runs(
        self,
        *,
        model: str | None = None,
        version: str | None = None,
        replicate: int | None = None,
        states: Collection[State] | None = None,
        limit: int | None = None,
        newest_first: bool = True,
    ) -> list[Run]:
        """Returns runs, by default those first that were created last."""
        given = {"model": model, "version": version, "replicate": replicate}
        known = {name: value for name, value in given.items() if value is not None}
        chosen = None if states is None else {state.value for state in states}
        clause, values = ledger_rows.choice(known, chosen, -1 if limit is None else limit, newest_first=newest_first)
        return [run for _, run in self._select(clause, values)] if clause else []

    def live(self) -> list[Run]:
        """Returns the runs whose last attempt is submitted or running, oldest first."""
        return self.runs(states=_LIVE, newest_first=False)

    def ended(self, states: Collection[State], limit: int) -> list[Run]:
        """Returns the runs that ended last in any of these states, the last one first."""
        return [run for _, run in self._select(*ledger_rows.ended_last([each.value for each in states], limit))]

    def unreported(self) -> list[tuple[Run, Attempt]]:
        """Returns finished attempts whose block of results is not known to stand in the output file."""
        found = self._select("WHERE runs.seq IN (SELECT run FROM attempts WHERE reported = 0) ORDER BY runs.seq", ())
        return [
            (run, attempt)
            for _, run in found
            for attempt in run.attempts
            if attempt.state.is_final and not attempt.reported
        ]

    def counts(self) -> dict[State, int]:
        """Returns how many runs are in each state; states without any are left out."""
        with translated(self.path):
            rows = self.connection.execute("SELECT state, count(*) FROM runs GROUP BY state").fetchall()
        return {State(state): count for state, count in rows}

    def standings(
        self,
        keys: Sequence[Key],
        *,
        match: Literal["code", "params", "never"] | str = "code",
        invocation: str | None = None,
    ) -> dict[Key, Standing]:
        """Returns how each wish stands; one that nothing happened to is left out.

        A run that succeeded answers a wish before any other; else the newest does.

        Args:
            keys: the wishes.
            match: what must be equal beside model, version and replicate: `code` (parameters and sources), `params`
                (these alone), or `never` (nothing).
            invocation: only runs of this invocation count; None counts all.
        """
        with translated(self.path):
            return look_up(self.connection, keys, match=match, invocation=invocation)

    def peaks(self, model: str, version: str | None, most: int) -> list[int]:
        """Returns the peak memory of the newest runs of a model or of one version, so many runs at most."""
        with translated(self.path):
            return peaks(self.connection, model, version, most)

    def known_sources(self) -> dict[str, tuple[str, str]]:
        """Returns algorithm and code digest of every snapshot of sources, by its address."""
        with translated(self.path):
            rows = self.connection.execute("SELECT sha, algorithm, code_digest FROM sources").fetchall()
        return {sha: (algorithm, digest) for sha, algorithm, digest in rows}

    def set_code_digest(self, sha: str, algorithm: str, digest: str) -> None:
        """Remembers a snapshot's digest by another algorithm, and gives it to every run of that snapshot.

        So a change of the algorithm, as a new Python may bring, makes nothing stale.
        """
        with self.together():
            values = (sha, algorithm, digest)
            sql = "INSERT INTO sources (sha, algorithm, code_digest) VALUES (?, ?, ?) ON CONFLICT (sha) "
            self.connection.execute(sql + "DO UPDATE SET algorithm = ?2, code_digest = ?3", values)
            sql = "UPDATE runs SET code_digest = ?2 WHERE source = (SELECT seq FROM sources WHERE sha = ?1)"
            self.connection.execute(sql, (sha, digest))

    def rename(self, old: tuple[str, str | None], new: tuple[str, str | None]) -> int:
        """Gives the runs of a model, or of one version of it, a new name. Returns how many there were.

        Args:
            old, new: model and version; None as the version means the model with all of them.
        """
        with self.together():
            if old[1] is None:
                done = self.connection.execute("UPDATE runs SET model = ? WHERE model = ?", (new[0], old[0]))
            else:
                sql = "UPDATE runs SET model = ?, version = ? WHERE model = ? AND version = ?"
                done = self.connection.execute(sql, (*new, *old))
        return done.rowcount

    def keep_answer(self, request_id: str, key: str | None, ok: bool, content: Mapping[str, Any]) -> None:
        """Records what became of a request, for ever."""
        with self.together():
            values = (request_id, key, int(ok), json.dumps(dict(content), separators=(",", ":")))
            self.connection.execute("INSERT INTO answers (id, key, ok, content) VALUES (?, ?, ?, ?)", values)

    def answer(self, request_id: str, key: str | None = None) -> dict[str, Any] | None:
        """Returns the answer to a request, or to an earlier one with the same key; None when there is none."""
        with translated(self.path):
            sql = "SELECT content FROM answers WHERE id = ? OR key = ?"
            found = self.connection.execute(sql, (request_id, key)).fetchone()
        return None if found is None else dict(json.loads(found[0]))

    def faults(self) -> list[str]:
        """Returns what SQLite itself finds wrong with the file: torn pages, indexes that lie, rows without a run."""
        with translated(self.path):
            torn = [str(row[0]) for row in self.connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
            loose = self.connection.execute("PRAGMA foreign_key_check").fetchall()
        return torn + [f"table {row[0]}: row {row[1]} belongs to nothing" for row in loose[:20]]

    def _known(self, run_id: str) -> tuple[int, Run]:
        found = self._select("WHERE runs.id = ?", (run_id,))
        if not found:
            raise RunNotFound(f"run {run_id} was never submitted: `mlpipeline history` lists what was")
        return found[0]

    def _select(self, clause: str, values: Sequence[Any]) -> list[tuple[int, Run]]:
        with translated(self.path):
            rows = self.connection.execute(f"{ledger_rows.SELECT_RUN} {clause}", values).fetchall()
            attempts = self._attempts({row[0]: row[1] for row in rows})
        return list(ledger_rows.read_runs(rows, attempts))

    def _attempts(self, ids: dict[int, str]) -> dict[int, list[Attempt]]:
        sql = f"{ledger_rows.SELECT_ATTEMPT} WHERE run IN (SELECT value FROM json_each(?)) ORDER BY run, number"
        rows = self.connection.execute(sql, (json.dumps(list(ids)),)).fetchall()
        return ledger_rows.read_attempts(rows, ids)
