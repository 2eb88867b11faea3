"""Keeps passwords out of everything that is shown: URLs, messages of drivers, keys of the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from mlpipeline import errors

_SECRET_WORDS = ("password", "passwd", "pwd", "secret", "token", "passcode", "private_key", "credential", "api_key")
_HIDDEN = "***"
_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "duckdb": "duckdb+mlpipeline",
}


def is_secret(key: str) -> bool:
    """Whether a key of a URL or of options names something that must not be shown."""
    return any(word in key.lower() for word in _SECRET_WORDS)


def secrets(url: Any, options: Iterable[tuple[str, Any]] = ()) -> tuple[str, ...]:
    """Returns every spelling of what must not be shown of a SQLAlchemy URL and of options, longest first."""
    found = [str(url.password)] if url.password else []
    found += [str(value) for key, value in [*url.query.items(), *options] if is_secret(key) and value]
    spelled = {
        spelling for each in found for spelling in (each, quote(each, safe=""), quote_plus(each), repr(each)[1:-1])
    }
    return tuple(sorted(spelled, key=lambda each: (-len(each), each)))


def clean(text: str, hidden: Iterable[str]) -> str:
    """Returns text with each secret replaced by stars."""
    for each in hidden:
        text = text.replace(each, _HIDDEN)
    return text


def shown(url: Any) -> str:
    """Returns a SQLAlchemy URL without its secrets."""
    query = {key: _HIDDEN if is_secret(key) else value for key, value in url.query.items()}
    text = str(url.set(query=query).render_as_string(hide_password=True))
    return text.replace(quote(_HIDDEN, safe=""), _HIDDEN).replace("duckdb+mlpipeline:", "duckdb:", 1)


def place(text: str) -> str:
    """Returns where a URL leads and nothing of who asks: `postgres://u:p@h:5432/db?x=1` is `h:5432/db`."""
    parts = urlsplit(text)
    host = parts.netloc.rpartition("@")[2]
    return f"{host}{parts.path}" if host else parts.path


def identity(url: Any, root: Path | None, unique: str) -> str:
    """Returns a digest of what decides which data a connection sees: everything of the URL but its secrets.

    Args:
        url: the SQLAlchemy URL.
        root: where relative paths of files begin.
        unique: stands for a database in memory, which no other connection sees.
    """
    database = url.database or ""
    if url.get_backend_name() in ("sqlite", "duckdb"):
        in_memory = database in ("", ":memory:") or "mode=memory" in str(url)
        database = unique if in_memory else str((root or Path.cwd()) / database)
    query = sorted((key, str(value)) for key, value in url.query.items() if not is_secret(key))
    parts = [url.get_backend_name(), url.username or "", url.host or "", str(url.port or ""), database, repr(query)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def parse(text: str, where: str) -> Any:
    """Reads a URL into SQLAlchemy's. `postgres://` means psycopg 3, `duckdb://` our dialect.

    Raises:
        ConfigurationError: when it is none; its text is not shown, for it may hold a password.
    """
    sa = errors.require("sqlalchemy", extra="sql")
    scheme, colon, rest = text.partition("://")
    scheme = _DRIVERS.get(scheme, scheme)
    if scheme == _DRIVERS["duckdb"]:
        sa.dialects.registry.register(
            scheme.replace("+", "."), "mlpipeline.data.dialects.duck_engine", "DuckEngineDialect"
        )
    try:
        url = sa.make_url(f"{scheme}{colon}{rest}")
        url.get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        raise errors.ConfigurationError(
            f"{where}: is no database URL: write dialect://user:password@host:port/name, with special characters of "
            "the password percent-encoded"
        ) from None
    return url
