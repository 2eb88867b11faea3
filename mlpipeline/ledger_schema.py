"""The ledger's tables, and how an older ledger becomes a newer one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from mlpipeline.errors import LedgerError, LedgerTooNew
from mlpipeline.wire import sync_directory

_SOURCES = """
CREATE TABLE sources (
    seq INTEGER PRIMARY KEY,
    sha TEXT NOT NULL UNIQUE,
    algorithm TEXT NOT NULL DEFAULT '',
    code_digest TEXT NOT NULL
) STRICT
"""

# Parameters come last: a row that overflows its page is still read quickly up to there. What `standings` needs of the
# last attempt stands here a second time, so that one row answers.
_RUNS = """
CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    version TEXT NOT NULL,
    replicate INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    source INTEGER NOT NULL REFERENCES sources(seq),
    code_digest TEXT NOT NULL,
    params_digest TEXT NOT NULL,
    invocation TEXT NOT NULL,
    model_dir TEXT NOT NULL,
    created_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN ('submitted', 'running', 'succeeded', 'failed', 'cancelled', 'yielded', 'lost')
    ),
    cause TEXT NOT NULL,
    last_attempt INTEGER NOT NULL CHECK (last_attempt >= 1),
    counted_attempts INTEGER NOT NULL,
    ended_at TEXT,
    message TEXT NOT NULL,
    retry_asked INTEGER NOT NULL DEFAULT 0,
    params TEXT NOT NULL
) STRICT
"""

_ATTEMPTS = """
CREATE TABLE attempts (
    run INTEGER NOT NULL REFERENCES runs(seq),
    number INTEGER NOT NULL CHECK (number >= 1),
    token TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN ('submitted', 'running', 'succeeded', 'failed', 'cancelled', 'yielded', 'lost')
    ),
    executor TEXT NOT NULL,
    directory TEXT NOT NULL,
    submitted_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    cause TEXT NOT NULL,
    message TEXT NOT NULL,
    exit_code INTEGER,
    signal INTEGER,
    peak_memory_bytes INTEGER,
    cpu_seconds REAL,
    steps INTEGER,
    metrics TEXT NOT NULL,
    reported INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID
"""

_FIRST = (
    _SOURCES,
    _RUNS,
    _ATTEMPTS,
    # In the order in which `standings` prefers runs: succeeded before all others, then the newest.
    "CREATE INDEX wishes ON runs(model, version, replicate, params_digest, code_digest, (state = 'succeeded'))",
    "CREATE INDEX models ON runs(model)",
    "CREATE INDEX states ON runs(state)",
    "CREATE INDEX sources_of_runs ON runs(source)",
    "CREATE UNIQUE INDEX live ON attempts(run) WHERE state IN ('submitted', 'running')",
    "CREATE INDEX unreported ON attempts(run, number) WHERE reported = 0",
    """
    CREATE TRIGGER finished_is_final BEFORE UPDATE OF state ON attempts
    WHEN OLD.state NOT IN ('submitted', 'running') AND NEW.state <> OLD.state
    BEGIN SELECT RAISE(ABORT, 'a finished attempt stays as it is'); END
    """,
)

_SECOND = (
    "ALTER TABLE attempts ADD COLUMN changes TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE runs ADD COLUMN changed INTEGER NOT NULL DEFAULT 0",
    """
    CREATE TABLE answers (
        id TEXT PRIMARY KEY,
        key TEXT UNIQUE,
        ok INTEGER NOT NULL,
        content TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND)
"""The n-th, counted from 1, makes schema n of schema n - 1. A released one is never changed."""


def version_of(connection: sqlite3.Connection) -> int:
    """Returns the schema's number; 0 where there are no tables yet.

    Raises:
        LedgerError: the file is a database of something else.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        raise LedgerError("the file is a database, but no ledger: move it away")
    return version


def check_version(version: int, path: Path | None, newest: int | None = None) -> None:
    """Refuses what this release does not know.

    Raises:
        LedgerTooNew: when a newer mlpipeline wrote it.
    """
    newest = len(MIGRATIONS) if newest is None else newest
    if version > newest:
        raise LedgerTooNew(f"{path}: has schema {version}, this mlpipeline knows up to {newest}: upgrade mlpipeline")


def migrate(
    connection: sqlite3.Connection, path: Path | None, migrations: Sequence[Sequence[str]] | None = None
) -> None:
    """Brings a ledger to the newest schema, in one transaction, after a copy of the file was kept beside it.

    Raises:
        LedgerTooNew: when a newer mlpipeline wrote it. Nothing is changed then.
    """
    migrations = MIGRATIONS if migrations is None else migrations
    version = version_of(connection)
    check_version(version, path, len(migrations))
    if version == len(migrations):
        return
    if version and path is not None:
        _keep_copy(connection, path, version)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in (each for migration in migrations[version:] for each in migration):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise


def _keep_copy(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Copies the file beside itself; the copy appears whole."""
    beside = path.with_name(f"{path.name}.part")
    beside.unlink(missing_ok=True)
    backup = sqlite3.connect(beside)
    try:
        connection.backup(backup)
    finally:
        backup.close()
    beside.replace(path.with_name(f"{path.name}.schema-{version}"))
    sync_directory(path.parent)
