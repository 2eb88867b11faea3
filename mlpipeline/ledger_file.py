"""How the ledger's file is opened, and what SQLite's complaints about it mean here."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from mlpipeline import ledger_schema
from mlpipeline.errors import DiskFull, LedgerDamaged, LedgerError, MlpipelineError, NotWritable
from mlpipeline.filesystems import belongs

_TIMEOUT_SECONDS = 10.0
_LITTLE_SPACE = 1 << 20


def open_writer(path: Path) -> sqlite3.Connection:
    """Opens the file for its one writer, making or migrating it. What is committed is on disk.

    Raises:
        LedgerDamaged, LedgerTooNew, NotWritable, DiskFull: each says what to do.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWritable(f"{path.parent}: cannot be made ({error.strerror}): mend its permissions") from error
    with translated(path):
        with contextlib.suppress(OSError):  # SQLite says it better; its files beside the ledger get the same mode
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, timeout=_TIMEOUT_SECONDS)
        with _closed_on_error(connection):
            # First of all, so that a file that is no ledger stays untouched.
            ledger_schema.check_version(ledger_schema.version_of(connection), path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            with _told_as_migration(path):
                ledger_schema.migrate(connection, path)
            # A file that it may not write SQLite opens for reading, and says so at the first record: too late.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"PRAGMA user_version = {len(ledger_schema.MIGRATIONS)}")
            connection.execute("ROLLBACK")
            return connection


def open_reader(path: Path) -> sqlite3.Connection | None:
    """Opens the file without changing a byte of it, also while it is written; None where nothing is recorded yet.

    What an older release wrote is read as it stands at this moment, from a copy in memory that is brought up to date.

    Raises:
        LedgerDamaged, LedgerTooNew, LedgerError: each says what to do.
    """
    if not path.exists():
        return None
    with translated(path):
        try:
            return _reader(path, "mode=ro")
        except sqlite3.OperationalError as error:
            # Where nothing can be written, or the disk is full, SQLite finds no place for its index of the journal.
            is_full = _code(error) == sqlite3.SQLITE_IOERR and _is_full(path) and not _has_journal(path)
            is_closed = _code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            if not (is_full or is_closed) or not os.access(path, os.R_OK):
                raise
            return _reader(path, "immutable=1")


def _has_journal(path: Path) -> bool:
    """Whether records stand beside the file that are not in it yet."""
    journal = path.with_name(f"{path.name}-wal")
    return journal.exists() and journal.stat().st_size > 0


def _reader(path: Path, how: str) -> sqlite3.Connection | None:
    uri = f"{path.absolute().as_uri()}?{how}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_TIMEOUT_SECONDS)
    with _closed_on_error(connection):
        version = ledger_schema.version_of(connection)
        ledger_schema.check_version(version, path)
        if version == len(ledger_schema.MIGRATIONS):
            return connection
        copy = _newer(connection, path) if version else None
    connection.close()
    return copy


def _newer(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Returns a copy in memory with the newest schema."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    with _closed_on_error(copy):
        connection.backup(copy)
        with _told_as_migration(path):
            ledger_schema.migrate(copy, None)
        return copy


def in_memory() -> sqlite3.Connection:
    """Makes an empty ledger that ends with its connection."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    ledger_schema.migrate(connection, None)
    return connection


@contextlib.contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:  # Ctrl-C too must leave no file open
        connection.close()
        raise


@contextlib.contextmanager
def translated(path: Path | None) -> Iterator[None]:
    """Says in this package's words what SQLite found.

    Raises:
        DiskFull, NotWritable, LedgerDamaged, LedgerError: each says what to do.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _meaning(error, path) from error


@contextlib.contextmanager
def _told_as_migration(path: Path) -> Iterator[None]:
    """Says of a statement that could not be carried out which ledger it was to bring up to date.

    Raises:
        LedgerError: with what is left, and what to do.
    """
    try:
        yield
    except sqlite3.Error as error:
        if _code(error) not in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT):
            raise
        raise LedgerError(
            f"{path}: could not be brought to schema {len(ledger_schema.MIGRATIONS)} ({error}): it is as it was; go on "
            "with the mlpipeline that wrote it, and report this"
        ) from error


def _code(error: sqlite3.Error) -> int:
    """Returns the primary result code; the extended one has more bits."""
    return int(getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _meaning(error: sqlite3.Error, path: Path | None) -> MlpipelineError:
    code = _code(error)
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
        return DiskFull(f"{path}: the disk is full ({error}): free some space; nothing that was recorded is lost")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        whose = "" if path is None else belongs(path)
        return NotWritable(f"{path}: cannot be used ({error}): mend its permissions and its directory's{whose}")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        remedy = "`mlpipeline fsck --rebuild` makes it again from the run directories"
        return LedgerDamaged(f"{path}: is damaged ({error}): {remedy}")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LedgerError(f"{path}: another program holds it ({error}): end that one")
    return LedgerError(f"{path}: {error}: run `mlpipeline fsck`")


def _is_full(path: Path | None) -> bool:
    if path is None:
        return False
    try:
        space = os.statvfs(path.parent)
    except OSError:
        return False
    return space.f_bavail * space.f_frsize < _LITTLE_SPACE
