"""The project's connections by name, `connections.main`: made on first use, of config/database.cfg, redis.cfg, .env."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from mlpipeline.config_text import near_miss
from mlpipeline.data import config_files, data_settings, database_config, redis_config
from mlpipeline.data.cached import Cache
from mlpipeline.data.connection import Connection
from mlpipeline.data.replicas import Replicas
from mlpipeline.errors import ConfigurationError, UnknownConnection
from mlpipeline.project import Project


class Connections:
    """Connections by name: as attributes, or as items. Nothing is read before the first is asked for.

    Args:
        root: the project's directory; None finds it from the working directory upwards, anew when that changes.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._root = root
        self._made: dict[tuple[Path, str], Any] = {}
        self._lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        """Returns a connection to a database, or a client of a Redis server.

        Raises:
            UnknownConnection: when neither file has one of this name; the nearest is named.
            ConfigurationError: when the file is faulty, or a variable is not set.
        """
        root = self._root or Project.load().root
        with self._lock:
            if (root, name) not in self._made:
                self._made[root, name] = _make(root, name)
            return self._made[root, name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.names()]

    def names(self) -> list[str]:
        """Returns the names that config/database.cfg and config/redis.cfg have."""
        root = self._root or Project.load().root
        return [*database_config.read(root), *redis_config.read(root)]

    def close(self) -> None:
        """Closes all that were made, and forgets what the files said."""
        with self._lock:
            for made in self._made.values():
                made.close()
            self._made.clear()


def _make(root: Path, name: str) -> Any:
    entries, servers = database_config.read(root), redis_config.read(root)
    for both in entries.keys() & servers.keys():
        other = servers[both].where["url"]
        raise ConfigurationError(f"{entries[both].place}: {both!r} is a server of Redis too, at {other}: rename one")
    if name.lower() in servers:
        return redis_config.client(servers[name.lower()], config_files.environment(root))
    if name.lower() not in entries:
        raise UnknownConnection(_unknown(root, name, [*entries, *servers]))
    entry = entries[name.lower()]
    variables, cache = config_files.environment(root), cache_of(Project.load(root))
    expanded = [config_files.expand(text, variables, entry.place) for text in entry.urls]
    members = [_connect(url, entry, root, cache) for text in expanded for url in text.split()]
    return members[0] if len(members) == 1 else Replicas(members, name=entry.name, sticky=entry.sticky)


def _unknown(root: Path, name: str, known: list[str]) -> str:
    file = config_files.path_of(root, database_config.NAME)
    listed = ", ".join(known) or ("none" if (root / file).is_file() else "the file is not there")
    return f"{file} has no connection {name!r}.{near_miss(name, known)} Connections: {listed}"


def _connect(url: str, entry: database_config.Entry, root: Path, cache: Cache) -> Connection:
    try:
        return Connection(url, name=entry.name, root=root, cache=cache, **entry.options)
    except ConfigurationError as error:
        raise ConfigurationError(f"{entry.place}: {error}") from None


def cache_of(project: Project) -> Cache:
    """Returns a project's cache: `[DATA]` of mlp.config names its directory, its size and how old an answer may be.

    Raises:
        ConfigurationError: when a key is not known, or its value cannot be read.
    """
    settings = data_settings.read(project)
    return Cache(settings.cache_dir, limit_bytes=settings.cache_limit, ttl_seconds=settings.cache_ttl)


connections = Connections()
"""The connections of the project in which the process works."""
