"""Reads config/database.cfg: which connections to databases there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlpipeline.config_text import near_miss
from mlpipeline.data import config_files, engine
from mlpipeline.data.config_files import Section
from mlpipeline.errors import ConfigurationError

NAME = "database.cfg"
_MANY = "databases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the file says of one connection. `urls` are as written, variables and all."""

    name: str
    urls: tuple[str, ...]
    place: str
    sticky: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


def read(root: Path) -> dict[str, Entry]:
    """Returns the connections of a project by name, in small letters. No variable is looked up yet.

    Raises:
        ConfigurationError: with every fault of the file, and its line.
    """
    found: dict[str, Entry] = {}
    for section in config_files.sections(root, NAME):
        for entry in _entries(section):
            if entry.name in found:
                raise ConfigurationError(f"{entry.place}: connection {entry.name!r} is named twice: rename one")
            found[entry.name] = entry
    return found


def _entries(section: Section) -> list[Entry]:
    items, where = section.items, section.where
    if section.name.lower() == _MANY:
        return [Entry(name=key.lower(), urls=(url,), place=where[key]) for key, url in items.items()]
    known = {"url", "urls", "sticky_connection"}
    given = [key for key in ("url", "urls") if items.get(key, "").strip()]
    if len(given) != 1:
        both = "has url and urls: keep one" if given else f"has no url: write url: $DATABASE_URL{_near(items)}"
        raise ConfigurationError(f"{section.file}: section [{section.name}] {both}")
    try:
        sticky = engine.boolean(items.get("sticky_connection", "false"))
    except ValueError as error:
        raise ConfigurationError(f"{where['sticky_connection']}: sticky_connection: {error}") from error
    options = engine.read_options({key: text for key, text in items.items() if key not in known}, where)
    urls = tuple(items[given[0]].split()) if given[0] == "urls" else (items["url"].strip(),)
    return [Entry(name=section.name.lower(), urls=urls, place=where[given[0]], sticky=sticky, options=options)]


def _near(items: Mapping[str, str]) -> str:
    hint = next((near_miss(key, ["url", "urls"]) for key in items), "")
    return f".{hint}" if hint else ""
