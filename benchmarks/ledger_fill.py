"""Fills a ledger with many runs quickly, for measurements; and the wishes that some of them answer."""

from __future__ import annotations

import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mlpipeline import ledger_rows
from mlpipeline.ledger import Key, Ledger
from mlpipeline.run import Attempt, Cause, Run, State

if TYPE_CHECKING:
    from mlpipeline.queue.plan import Wanted

VERSIONS_PER_MODEL = 100
RUNS_PER_WISH = 4
_BATCH = 10_000
_INSERT_RUN = ledger_rows.INSERT_RUN.replace("(source,", "(seq, source,").replace("VALUES (?", "VALUES (?, ?")
_START = datetime(2020, 1, 1, tzinfo=UTC)
_ENDS = (State.SUCCEEDED,) * 7 + (State.FAILED, State.LOST, State.CANCELLED)
_CAUSES = {State.FAILED: Cause.EXCEPTION, State.LOST: Cause.KILLED, State.CANCELLED: Cause.CANCELLED}


def key_of(number: int) -> Key:
    """Returns the n-th wish: 100 versions a model, one seed each."""
    model, version = divmod(number, VERSIONS_PER_MODEL)
    return Key(f"family/model-{model:05d}.py", f"version-{version:03d}", 0, f"{number:016x}", f"{model:016x}")


def fill(path: Path, count: int) -> None:
    """Adds so many ended runs, about four a wish, spread over the file as a long history spreads them."""
    Ledger.open(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -500000")
    first = connection.execute("SELECT coalesce(max(seq), 0) + 1 FROM runs").fetchone()[0]
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    connection.execute("BEGIN")
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    wishes = max(1, count // RUNS_PER_WISH)
    connection.executemany(
        "INSERT OR IGNORE INTO sources (sha, code_digest) VALUES (?, ?)",
        ((_sha(key_of(number)), key_of(number).code_digest) for number in range(0, wishes, VERSIONS_PER_MODEL)),
    )
    sources = dict(connection.execute("SELECT sha, seq FROM sources"))
    for batch in range(0, count, _BATCH):
        made = [(first + n, run_of(first + n, n * 7919 % wishes)) for n in range(batch, min(batch + _BATCH, count))]
        runs = ((seq, sources[run.sources], *ledger_rows.run_values(run)) for seq, run in made)
        connection.executemany(_INSERT_RUN, runs)
        attempts = ((seq, *ledger_rows.attempt_values(run.last)) for seq, run in made)
        connection.executemany(ledger_rows.INSERT_ATTEMPT, attempts)
    for _, sql in indexes:
        connection.execute(sql)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _sha(key: Key) -> str:
    return key.code_digest * 4


def run_of(seq: int, number: int) -> Run:
    """Returns the run with this place in the ledger, an answer to the n-th wish."""
    key, state = key_of(number), _ENDS[seq % len(_ENDS)]
    at = _START + timedelta(seconds=seq)
    run_id = f"{at:%Y%m%d-%H%M%S}-bench{'abcdefghijklmnopqrstuvwxyz'[seq % 26]}"
    attempt = Attempt(
        run_id=run_id,
        number=1,
        token=f"{seq:032x}",
        state=state,
        executor="local",
        directory=f"models/outputs/runs/{run_id}/1",
        submitted_at=at,
        started_at=at,
        ended_at=at + timedelta(seconds=30),
        cause=_CAUSES.get(state, Cause.NONE),
        message="" if state is State.SUCCEEDED else "ValueError: the loss is no number (models/digits.py:42)",
        exit_code=0 if state is State.SUCCEEDED else 1,
        peak_memory_bytes=1 << 28,
        cpu_seconds=29.5,
        steps=1000,
        metrics={"train": {"loss": 0.25}, "test": {"accuracy": round(0.9 + seq % 99991 * 1e-6, 6), "loss": 0.3}},
        reported=True,
    )
    return Run(
        id=run_id,
        model=key.model,
        version=key.version,
        replicate=0,
        seed=7,
        sources=_sha(key),
        code_digest=key.code_digest,
        params_digest=key.params_digest,
        params={"batch_size": 32, "epochs": 10, "learning_rate": 0.001, "number": number},
        invocation="20200101-000000-bench",
        model_dir=f"{key.model.replace('/', '%2F')}-{key.version}",
        created_at=at,
        attempts=(attempt,),
    )


def wanted_of(count: int) -> list[Wanted]:
    """Returns so many wishes, of which a filled ledger has answers to nearly all."""
    from mlpipeline.model_options import ModelOptions
    from mlpipeline.queue.plan import Wanted

    options = ModelOptions()
    return [
        Wanted(
            model=key.model,
            version=key.version,
            replicate=0,
            seed=7,
            key=key,
            options=options,
            position=number // VERSIONS_PER_MODEL,
            rank=number % VERSIONS_PER_MODEL,
            model_dir=f"{key.model}-{key.version}",
        )
        for number, key in ((number, key_of(number)) for number in range(count))
    ]


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]))
