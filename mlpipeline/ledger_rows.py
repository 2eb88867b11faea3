"""How runs and attempts stand in the ledger's tables, and how they are read back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlpipeline.run import Attempt, Cause, Run, State

ATTEMPT_COLUMNS = tuple(name for name in Attempt.__slots__ if name != "run_id")
"""Of the table; `run` stands before them."""
_METRICS, _CHANGES = (1 + ATTEMPT_COLUMNS.index(name) for name in ("metrics", "changes"))

_COPIED = ("id", "model", "version", "replicate", "seed", "code_digest", "params_digest", "invocation", "model_dir")
_OF_LAST = ("state", "cause", "last_attempt", "counted_attempts", "ended_at", "message", "retry_asked", "changed")
RUN_COLUMNS = (*_COPIED, "created_at", *_OF_LAST, "params")
"""Of the table, but for `seq` and `source`."""

SELECT_RUN = (
    f"SELECT runs.seq, {', '.join(f'runs.{name}' for name in _COPIED)}, created_at, retry_asked, params, sources.sha "
    "FROM runs JOIN sources ON sources.seq = runs.source"
)
SELECT_ATTEMPT = f"SELECT run, {', '.join(ATTEMPT_COLUMNS)} FROM attempts"
INSERT_RUN = f"INSERT INTO runs (source, {', '.join(RUN_COLUMNS)}) VALUES (?{', ?' * len(RUN_COLUMNS)})"
INSERT_ATTEMPT = f"INSERT INTO attempts (run, {', '.join(ATTEMPT_COLUMNS)}) VALUES (?{', ?' * len(ATTEMPT_COLUMNS)})"
UPDATE_RUN = f"UPDATE runs SET {', '.join(f'{name} = ?' for name in _OF_LAST)} WHERE seq = ?"
UPDATE_ATTEMPT = (
    f"UPDATE attempts SET {', '.join(f'{name} = ?' for name in ATTEMPT_COLUMNS)} WHERE run = ? AND number = ?"
)


def ended_last(states: Collection[str], most: int) -> tuple[str, list[Any]]:
    """Returns the clause after SELECT_RUN, and its values, for the runs that ended last in any of these states."""
    marks = ", ".join("?" * len(states))
    # The sign keeps SQLite from the index of states: to go through all rows in order takes half as long.
    chosen = f"SELECT seq FROM runs WHERE +state IN ({marks}) ORDER BY ended_at DESC, seq DESC LIMIT ?"
    return f"WHERE runs.seq IN ({chosen}) ORDER BY runs.ended_at DESC, runs.seq DESC", [*states, most]


def choice(
    known: Mapping[str, str | int], states: Collection[str] | None, most: int, *, newest_first: bool
) -> tuple[str, list[Any]]:
    """Returns the clause after SELECT_RUN, and its values, for the runs with these columns in any of these states.

    The clause is empty where there can be none. `most` is negative for no limit.
    """
    order = "DESC" if newest_first else "ASC"
    parts: list[str] = []
    values: list[Any] = []
    # A part for each state, so that each ends at the limit, by the index, however many runs there are.
    for state in [None] if states is None else states:
        equal = dict(known) if state is None else {**known, "state": state}
        where = " AND ".join(f"{name} = ?" for name in equal) or "TRUE"
        parts.append(f"SELECT * FROM (SELECT seq FROM runs WHERE {where} ORDER BY seq {order} LIMIT ?)")
        values += [*equal.values(), most]
    if not parts:
        return "", []
    return f"WHERE runs.seq IN ({' UNION ALL '.join(parts)}) ORDER BY runs.seq {order} LIMIT ?", [*values, most]


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def moment(text: str | None) -> datetime | None:
    """Reads a stored time."""
    return None if text is None else datetime.fromisoformat(text)


def run_values(run: Run) -> tuple[Any, ...]:
    """Returns the values of RUN_COLUMNS."""
    copied = (_stored(getattr(run, name)) for name in _COPIED)
    params = json.dumps(dict(run.params), separators=(",", ":"))
    return (*copied, _text(run.created_at), *last_values(run), params)


def last_values(run: Run) -> tuple[Any, ...]:
    """Returns what a run's row repeats of its attempts."""
    last = run.last
    counted, ended = run.counted_attempts, _text(last.ended_at)
    message = _stored(last.message)
    asked, changed = int(run.retry_asked), int(bool(last.changes))
    return (last.state.value, last.cause.value, last.number, counted, ended, message, asked, changed)


def attempt_values(attempt: Attempt) -> tuple[Any, ...]:
    """Returns the values of ATTEMPT_COLUMNS."""
    return tuple(_stored(getattr(attempt, name)) for name in ATTEMPT_COLUMNS)


def _stored(value: Any) -> Any:
    match value:
        case None | float():
            return value
        case bool():
            return int(value)
        case State() | Cause():
            return value.value
        case int():
            return value
        case str():  # a user's message may hold halves of characters, which are no UTF-8
            return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")
        case datetime():
            return _text(value)
    return json.dumps(dict(value), separators=(",", ":"))


def read_runs(rows: Sequence[Sequence[Any]], attempts: Mapping[int, Sequence[Attempt]]) -> Iterator[tuple[int, Run]]:
    """Yields the run of each row of SELECT_RUN, after its number within the ledger.

    Args:
        rows: of runs.
        attempts: of each run, by its number.
    """
    for row, params in zip(rows, _parsed([row[-2] for row in rows]), strict=True):
        seq, *copied, created_at, retry_asked, _, sha = row
        yield (
            seq,
            Run(
                **dict(zip(_COPIED, copied, strict=True)),
                sources=sha,
                params=params,
                created_at=datetime.fromisoformat(created_at),
                retry_asked=bool(retry_asked),
                attempts=tuple(attempts[seq]),
            ),
        )


def read_attempts(rows: Sequence[Sequence[Any]], ids: Mapping[int, str]) -> dict[int, list[Attempt]]:
    """Returns the attempts of rows of SELECT_ATTEMPT, by the number of their run within the ledger.

    Args:
        rows: of attempts, the first ones of a run first.
        ids: of the runs, by their numbers.
    """
    found: dict[int, list[Attempt]] = {seq: [] for seq in ids}
    columns = (_parsed([row[place] for row in rows]) for place in (_METRICS, _CHANGES))
    for row, metrics, changes in zip(rows, *columns, strict=True):
        values = dict(zip(ATTEMPT_COLUMNS, row[1:], strict=True))
        for name in ("submitted_at", "started_at", "ended_at"):
            values[name] = moment(values[name])
        values["state"], values["cause"] = State(values["state"]), Cause(values["cause"])
        values["metrics"], values["changes"], values["reported"] = metrics, changes, bool(values["reported"])
        found[row[0]].append(Attempt(run_id=ids[row[0]], **values))
    return found


def _parsed(texts: Sequence[str]) -> list[Any]:
    """Reads many small JSON texts: all at once, in half the time that they take one by one, and equal ones once."""
    distinct = dict.fromkeys(texts)
    known = dict(zip(distinct, json.loads(f"[{','.join(distinct)}]"), strict=True))
    return [known[each] for each in texts]
