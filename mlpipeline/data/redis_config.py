"""Reads config/redis.cfg: which Redis servers there are, and makes clients for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlpipeline import errors
from mlpipeline.config_text import near_miss
from mlpipeline.data import config_files, credentials
from mlpipeline.data.config_files import Section
from mlpipeline.data.engine import boolean
from mlpipeline.errors import ConfigurationError

NAME = "redis.cfg"
PORT = 6379
TIMEOUT_SECONDS = 30.0
_OPTIONS: dict[str, Callable[[str], Any]] = {
    "db": int,
    "decode_responses": boolean,
    "health_check_interval": float,
    "max_connections": int,
    "port": int,
    "socket_connect_timeout": float,
    "socket_timeout": float,
}


def read(root: Path) -> dict[str, Section]:
    """Returns the sections of the file by the names of connections, in small letters.

    Raises:
        ConfigurationError: a section has no url, an unknown key, or the name of another one.
    """
    found: dict[str, Section] = {}
    for section in config_files.sections(root, NAME):
        name = section.name.lower()
        if name in found:
            raise ConfigurationError(f"{section.file}: connection {name!r} is named twice: rename one")
        if not section.items.get("url", "").strip():
            raise ConfigurationError(f"{section.file}: section [{section.name}] has no url: write url: $REDIS_URL")
        for key in section.items:
            if key not in _OPTIONS and key != "url":
                near = near_miss(key, ["url", *_OPTIONS])
                raise ConfigurationError(f"{section.where[key]}: unknown key {key!r}.{near}")
        found[name] = section
    return found


def client(section: Section, variables: Mapping[str, str]) -> Any:
    """Returns a client of the redis package; nothing is connected yet.

    Args:
        section: of the file. `url` may be that of a server, or the name of a host.
        variables: for `$NAME`.

    Raises:
        ConfigurationError: a variable is not set, or a value cannot be read.
        MissingExtra: the redis package is not installed.
    """
    redis = errors.require("redis", extra="redis")
    text = {key: config_files.expand(each, variables, section.where[key]) for key, each in section.items.items()}
    url, options = text.pop("url").strip(), {key: _value(section, key, each) for key, each in text.items()}
    if "://" not in url:
        url = f"redis://{url}:{options.pop('port', PORT)}/{options.pop('db', 0)}"
    elif "port" in options:
        raise ConfigurationError(f"{section.where['port']}: url names the port already: remove this key")
    limits = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    try:
        return redis.Redis.from_url(url, **{**limits, **options})
    except ValueError as error:
        shown = credentials.place(url)
        raise ConfigurationError(f"{section.where['url']}: {shown}: {error}: write redis://host:port/0") from None


def _value(section: Section, key: str, text: str) -> Any:
    try:
        return _OPTIONS[key](text)
    except ValueError as error:
        raise ConfigurationError(f"{section.where[key]}: {key} = {text}: {error}") from error
