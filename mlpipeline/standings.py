"""How the wishes stand: which run answers each, looked up in the ledger's tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mlpipeline.run import BY_HAND, IMPORTED, IMPORTED_AS_DONE, Cause, State

WIDTHS = {"code": 5, "params": 4, "never": 3}
"""By `rerun_on`: how many of a key's parts must be equal."""


class Key(NamedTuple):
    """What makes two runs the same wish."""

    model: str
    version: str
    replicate: int
    params_digest: str
    code_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the run that answers a wish stands: its last attempt's state and what led there."""

    run_id: str
    state: State
    cause: Cause
    counted_attempts: int
    attempts: int
    ended_at: datetime | None
    retry_asked: bool
    message: str
    changed: bool = False


_COLUMNS = ("id", "state", "cause", "counted_attempts", "last_attempt", "ended_at", "retry_asked", "message", "changed")


def look_up(
    connection: sqlite3.Connection, keys: Sequence[Key], *, match: str, invocation: str | None
) -> dict[Key, Standing]:
    """Returns the standing of each wish that something happened to; see `Ledger.standings`."""
    same = " AND ".join(f"r.{name} = wish.value ->> {place}" for place, name in enumerate(Key._fields[: WIDTHS[match]]))
    # What was fitted by hand answers no wish: it is tried by nobody again, and its weights lie where no version's do.
    # What was trained elsewhere answers none either, unless a person said so: then it has another invocation.
    outside = (BY_HAND, IMPORTED)
    extra, values = ("NOT IN (?2, ?3)", outside) if invocation is None else ("= ?2", (invocation,))
    # One statement for all wishes, and the index for each: half the time of a statement for each wish.
    sql = (
        f"SELECT wish.key, {', '.join(f'found.{name}' for name in _COLUMNS)} FROM json_each(?1) AS wish "
        "CROSS JOIN runs AS found ON found.seq = ("
        f"SELECT r.seq FROM runs AS r INDEXED BY wishes WHERE {same} AND r.invocation {extra} "
        "ORDER BY r.state = 'succeeded' DESC, r.seq DESC LIMIT 1)"
    )
    rows = connection.execute(sql, (json.dumps(keys), *values))
    return {keys[place]: _standing(row) for place, *row in rows}


def states(connection: sqlite3.Connection, since: datetime) -> list[tuple[str, str]]:
    """Returns the runs of the queue or by hand that were made since, oldest first, each with its attempt and state."""
    sql = (
        "SELECT id, last_attempt || ' ' || state FROM runs WHERE created_at >= ? AND invocation NOT IN (?, ?) "
        "ORDER BY seq"
    )
    values = (since.astimezone(UTC).isoformat(), IMPORTED, IMPORTED_AS_DONE)
    return [(row[0], row[1]) for row in connection.execute(sql, values)]


def peaks(connection: sqlite3.Connection, model: str, version: str | None, most: int) -> list[int]:
    """Returns the peak memory of the newest attempts that succeeded or failed; see `Ledger.peaks`."""
    # By itself SQLite walks through every run of a state, which in a long history takes as long as a training's start.
    index, values = ("models", (model, most)) if version is None else ("wishes", (model, version, most))
    same = "model = ?" if version is None else "model = ? AND version = ?"
    sql = (
        "SELECT peak_memory_bytes FROM "
        f"(SELECT seq FROM runs INDEXED BY {index} WHERE {same} ORDER BY seq DESC LIMIT ?) "
        "JOIN attempts ON run = seq WHERE state IN ('succeeded', 'failed') AND peak_memory_bytes > 0 "
        "ORDER BY seq DESC, number DESC"
    )
    return [row[0] for row in connection.execute(sql, values)][:most]


_STATES = {state.value: state for state in State}
_CAUSES = {cause.value: cause for cause in Cause}


def _standing(row: Sequence[Any]) -> Standing:
    run_id, state, cause, counted, attempts, ended_at, retry_asked, message, changed = row
    return Standing(
        run_id=run_id,
        state=_STATES[state],
        cause=_CAUSES[cause],
        counted_attempts=counted,
        attempts=attempts,
        ended_at=None if ended_at is None else datetime.fromisoformat(ended_at),
        retry_asked=retry_asked == 1,
        message=message,
        changed=changed == 1,
    )
