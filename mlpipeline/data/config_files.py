"""The files of config/, of the environment that `MLP_ENV` names; and `$VARIABLE` in them, from the process or .env."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlpipeline import errors
from mlpipeline.config_text import Fault, near_miss
from mlpipeline.errors import ConfigurationError

DIRECTORY = "config"
ENV = ".env"
CHOICE = "MLP_ENV"
"""The variable that names an environment: `config/<environment>/` holds files that replace those of config/."""
_NAME = re.compile(r"\w[\w.-]*")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([^\W\d]\w*))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section as it is written, variables and all.

    Attributes:
        name: in its brackets.
        file: relative to the project.
        items: text by key.
        where: file and line by key.
    """

    name: str
    file: str
    items: Mapping[str, str]
    where: Mapping[str, str]


def path_of(root: Path, name: str) -> str:
    """Returns which file of this name counts, relative to the project: that of the environment, where it has one.

    The whole file is replaced; nothing of the general one is read then.

    Raises:
        ConfigurationError: no environment is called as the variable says, and others are there.
    """
    chosen = environment(root).get(CHOICE, "")
    if not chosen:
        return f"{DIRECTORY}/{name}"
    directory = root / DIRECTORY
    if not _NAME.fullmatch(chosen):
        raise ConfigurationError(f"{CHOICE} is {chosen!r}: it must be the name of a directory in {DIRECTORY}/")
    if (directory / chosen).is_dir():
        own = (directory / chosen / name).is_file()
        return f"{DIRECTORY}/{chosen}/{name}" if own else f"{DIRECTORY}/{name}"
    known = sorted(path.name for path in directory.iterdir() if path.is_dir()) if directory.is_dir() else []
    if known:
        near = near_miss(chosen, known)
        raise ConfigurationError(
            f"{CHOICE} is {chosen!r}, and there is no {DIRECTORY}/{chosen}/.{near} Make it, or unset it"
        )
    return f"{DIRECTORY}/{name}"


def sections(root: Path, name: str) -> list[Section]:
    """Returns the sections of a file of config/; none where it is not there. No variable is looked up yet.

    Raises:
        ConfigurationError: it cannot be read, or is not written as such files are; with the line.
    """
    file = path_of(root, name)
    try:
        text = (root / file).read_text("utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: cannot be read as UTF-8 text ({error}): mend or save it again") from error
    parser = configparser.ConfigParser(interpolation=None, default_section="\0", comment_prefixes=("#", ";"))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text, file)
    except configparser.Error as error:
        raise ConfigurationError(
            faults=[_fault(error, file)]
        ) from None  # its message repeats the line, and a URL with it
    lines = _lines(text)
    found = []
    for section in parser.sections():
        items = dict(parser.items(section, raw=True))
        where = {key: f"{file}:{lines.get((section, key), 1)}" for key in items}
        found.append(Section(name=section, file=file, items=items, where=where))
    return found


def _fault(error: configparser.Error, file: str) -> Fault:
    line = getattr(error, "lineno", None)
    if line is None and getattr(error, "errors", None):
        line = error.errors[0][0]  # type: ignore[attr-defined]
    said = {
        configparser.DuplicateOptionError: "a key stands here a second time: remove one",
        configparser.DuplicateSectionError: "a section stands here a second time: join the two",
        configparser.MissingSectionHeaderError: "a line stands before the first [SECTION]",
    }
    return Fault(file, line, said.get(type(error), "this line is no `key: value`: mend it"))


def _lines(text: str) -> dict[tuple[str, str], int]:
    """Returns the line of each key."""
    found, section = {}, ""
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\[(.+)\]", line):
            section = match[1]
        elif match := re.match(r"([^\s:=#;][^:=]*?)\s*[:=]", line):
            found[section, match[1]] = number
    return found


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
