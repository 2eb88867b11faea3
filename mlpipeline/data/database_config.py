"""Reads config/database.cfg: which connections there are, with `$VARIABLE` from the environment or from .env."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlpipeline import errors
from mlpipeline.config_text import Fault, near_miss
from mlpipeline.data import engine
from mlpipeline.errors import ConfigurationError

FILE = "config/database.cfg"
ENV = ".env"
_MANY = "databases"
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([^\W\d]\w*))")


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
    path = root / FILE
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{FILE}: cannot be read as UTF-8 text ({error}): mend or save it again") from error
    parser = configparser.ConfigParser(interpolation=None, default_section="\0", comment_prefixes=("#", ";"))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text, FILE)
    except configparser.Error as error:
        raise ConfigurationError(faults=[_fault(error)]) from None  # its message repeats the line, and a URL with it
    lines = _lines(text)
    found: dict[str, Entry] = {}
    for section in parser.sections():
        items = dict(parser.items(section, raw=True))
        for entry in _entries(section, items, {key: f"{FILE}:{lines.get((section, key), 1)}" for key in items}):
            if entry.name in found:
                raise ConfigurationError(f"{entry.place}: connection {entry.name!r} is named twice: rename one")
            found[entry.name] = entry
    return found


def _fault(error: configparser.Error) -> Fault:
    line = getattr(error, "lineno", None)
    if line is None and getattr(error, "errors", None):
        line = error.errors[0][0]  # type: ignore[attr-defined]
    said = {
        configparser.DuplicateOptionError: "a key stands here a second time: remove one",
        configparser.DuplicateSectionError: "a section stands here a second time: join the two",
        configparser.MissingSectionHeaderError: "a line stands before the first [SECTION]",
    }
    return Fault(FILE, line, said.get(type(error), "this line is no `key: value`: mend it"))


def _lines(text: str) -> dict[tuple[str, str], int]:
    """Returns the line of each key."""
    found, section = {}, ""
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\[(.+)\]", line):
            section = match[1]
        elif match := re.match(r"([^\s:=#;][^:=]*?)\s*[:=]", line):
            found[section, match[1]] = number
    return found


def _entries(section: str, items: Mapping[str, str], where: Mapping[str, str]) -> list[Entry]:
    if section.lower() == _MANY:
        return [Entry(name=key.lower(), urls=(url,), place=where[key]) for key, url in items.items()]
    known = {"url", "urls", "sticky_connection"}
    given = [key for key in ("url", "urls") if items.get(key, "").strip()]
    if len(given) != 1:
        both = "has url and urls: keep one" if given else f"has no url: write url: $DATABASE_URL{_near(items)}"
        raise ConfigurationError(f"{FILE}: section [{section}] {both}")
    try:
        sticky = engine.boolean(items.get("sticky_connection", "false"))
    except ValueError as error:
        raise ConfigurationError(f"{where['sticky_connection']}: sticky_connection: {error}") from error
    options = engine.read_options({key: text for key, text in items.items() if key not in known}, where)
    urls = tuple(items[given[0]].split()) if given[0] == "urls" else (items["url"].strip(),)
    return [Entry(name=section.lower(), urls=urls, place=where[given[0]], sticky=sticky, options=options)]


def _near(items: Mapping[str, str]) -> str:
    hint = next((near_miss(key, ["url", "urls"]) for key in items), "")
    return f".{hint}" if hint else ""


def environment(root: Path) -> dict[str, str]:
    """Returns the variables: those of the process, and under them those of the project's .env.

    Raises:
        ConfigurationError: when .env cannot be read.
    """
    path = root / ENV
    if not path.is_file():
        return dict(os.environ)
    dotenv = errors.require("dotenv", extra="sql")
    try:
        found = dotenv.dotenv_values(path, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{ENV}: cannot be read as UTF-8 text: mend or save it again") from error
    return {key: value for key, value in found.items() if value is not None} | dict(os.environ)


def expand(text: str, variables: Mapping[str, str], place: str) -> str:
    """Returns text with each `$NAME` and `${NAME}` replaced by its value; `$$` is a dollar.

    Raises:
        ConfigurationError: when a variable is not set, or empty; nothing of its value is shown.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if not variables.get(name):
            hint = near_miss(name, [each for each in variables if "URL" in each or "DATABASE" in each])
            raise ConfigurationError(f"{place}: ${name} is not set: set it in the environment, or in {ENV}.{hint}")
        return variables[name]

    return "$".join(_VARIABLE.sub(value, part) for part in text.split("$$"))
