"""The ledger's tables, and how an older ledger becomes a newer one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from mlpipeline.errors import LedgerTooNew

FIRST = (
    """
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        model TEXT NOT NULL,
        version TEXT NOT NULL,
        replicate INTEGER NOT NULL,
        seed INTEGER NOT NULL,
        sources TEXT NOT NULL,
        code_digest TEXT NOT NULL,
        params_digest TEXT NOT NULL,
        params TEXT NOT NULL,
        invocation TEXT NOT NULL,
        model_dir TEXT NOT NULL,
        created_at TEXT NOT NULL,
        retry_asked INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE attempts (
        run_id TEXT NOT NULL REFERENCES runs(id),
        number INTEGER NOT NULL,
        token TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL,
        executor TEXT NOT NULL,
        directory TEXT NOT NULL,
        submitted_at TEXT NOT NULL,
        started_at TEXT,
        ended_at TEXT,
        cause TEXT NOT NULL DEFAULT 'none',
        message TEXT NOT NULL DEFAULT '',
        exit_code INTEGER,
        signal INTEGER,
        peak_memory_bytes INTEGER,
        cpu_seconds REAL,
        steps INTEGER,
        metrics TEXT NOT NULL DEFAULT '{}',
        reported INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (run_id, number)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE UNIQUE INDEX live ON attempts(run_id) WHERE state IN ('submitted', 'running')",
    "CREATE INDEX unreported ON attempts(run_id, number) WHERE reported = 0",
    "CREATE INDEX wishes ON runs(model, version, replicate)",
    "CREATE INDEX states ON runs(state)",
    "CREATE TABLE sources (sha TEXT PRIMARY KEY, algorithm TEXT NOT NULL, code_digest TEXT NOT NULL) STRICT",
    "CREATE TABLE counts (state TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT",
    """
    CREATE TRIGGER counted_insert AFTER INSERT ON runs BEGIN
        INSERT INTO counts VALUES (new.state, 1) ON CONFLICT(state) DO UPDATE SET number = number + 1;
    END
    """,
    """
    CREATE TRIGGER counted_update AFTER UPDATE OF state ON runs WHEN old.state <> new.state BEGIN
        UPDATE counts SET number = number - 1 WHERE state = old.state;
        INSERT INTO counts VALUES (new.state, 1) ON CONFLICT(state) DO UPDATE SET number = number + 1;
    END
    """,
    """
    CREATE TRIGGER counted_delete AFTER DELETE ON runs BEGIN
        UPDATE counts SET number = number - 1 WHERE state = old.state;
    END
    """,
)


def _create(connection: sqlite3.Connection) -> None:
    for statement in FIRST:
        connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_create,)
"""The n-th makes schema n + 1 of schema n. A released one is never changed."""
CURRENT = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, path: Path | None) -> None:
    """Brings a ledger to the current schema, in one transaction, after a copy of the file was kept beside it.

    Raises:
        LedgerTooNew: when a newer mlpipeline wrote it. Nothing is changed then.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > CURRENT:
        raise LedgerTooNew(f"{path}: has schema {version}, this mlpipeline knows {CURRENT}: upgrade mlpipeline")
    if version == CURRENT:
        return
    if version and path is not None:
        with sqlite3.connect(path.with_name(f"{path.name}.schema-{version}")) as backup:
            connection.backup(backup)
        backup.close()
    connection.execute("BEGIN IMMEDIATE")
    for step in MIGRATIONS[version:]:
        step(connection)
    connection.execute(f"PRAGMA user_version = {CURRENT}")
    connection.execute("COMMIT")
