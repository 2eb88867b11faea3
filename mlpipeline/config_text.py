"""Reads INI text with lines and faults: what configparser parses, and what it cannot say."""

from __future__ import annotations

import configparser
import difflib
import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

MAX_BYTES = 1 << 20
MAX_FAULTS = 50
_MANY_NAMES = 12


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a configuration file, with its place."""

    file: str
    line: int | None
    message: str
    column: int | None = None

    def __str__(self) -> str:
        column = f":{self.column}" if self.column else ""
        return f"{self.file}:{self.line}{column}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of a section. `value` is None where the line has no `=`."""

    key: str
    value: str | None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section and its items in file order."""

    name: str
    line: int
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigText:
    """What a file says. With `faults`, what could be read beside them.

    Attributes:
        digest: SHA-256 of the raw bytes.
        line_faults: faults that concern one line alone; the rest of the file holds.
    """

    file: str
    digest: str
    sections: Mapping[str, Section] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    line_faults: tuple[Fault, ...] = ()


def near_miss(name: str, known: Iterable[str]) -> str:
    """Returns ` Did you mean 'x'?` where a known name is near, else nothing."""
    by_folded = {each.lower(): each for each in known}
    found = difflib.get_close_matches(name.lower(), by_folded, n=1, cutoff=0.6)
    return f" Did you mean '{by_folded[found[0]]}'?" if found else ""


def near_or_known(name: str, known: Iterable[str]) -> str:
    """Returns ` Did you mean 'x'?` where a known name is near, else those that there are: it never says nothing."""
    names = list(dict.fromkeys(known))
    if near := near_miss(name, names):
        return near
    more = f", and {len(names) - _MANY_NAMES} more" if len(names) > _MANY_NAMES else ""
    return f" Known: {', '.join(names[:_MANY_NAMES])}{more}" if names else " None is known here: see what it is to name"


def shown(name: str, longest: int = 200) -> str:
    """Returns a name as a message may hold it: what cannot be printed escaped, and no longer than a line or two."""
    text = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in name[:longest])
    return text if len(name) <= longest else f"{text}…"


def parse(data: bytes, *, file: str) -> ConfigText:
    """Reads a configuration; whatever the bytes are, it never raises.

    Sections are `[NAME]`, items `key = value` or `key` alone; comments begin with `#` or `;` at the start of a line or
    after a blank; names and values that hold blanks, commas, `#` or `=` may stand in double quotes.
    """
    digest = hashlib.sha256(data).hexdigest()
    text, fault = _decode(data, file)
    if text is None:
        return ConfigText(file=file, digest=digest, faults=(fault,) if fault else ())
    reader = _Reader(file)
    # Not splitlines: a form feed or U+2028 is no end of a line for an editor, and may stand in a file's name.
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        reader.line(number, line)
    faults = reader.faults[:MAX_FAULTS]
    if len(reader.faults) > MAX_FAULTS:
        faults.append(Fault(file, None, f"and {len(reader.faults) - MAX_FAULTS} faults more. Wrong file?"))
    if not faults:
        faults += _second_opinion(reader, file)
    return ConfigText(
        file=file,
        digest=digest,
        sections={
            name: Section(name=name, line=at, items=tuple(items.values()))
            for name, (at, items) in reader.sections.items()
        },
        faults=tuple(faults),
        line_faults=tuple(reader.line_faults),
    )


def _decode(data: bytes, file: str) -> tuple[str | None, Fault | None]:
    if len(data) > MAX_BYTES:
        return None, Fault(
            file, None, f"has {len(data):,} bytes: a configuration has at most {MAX_BYTES:,}. Wrong file?"
        )
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        return None, Fault(file, line, "holds binary data: write it again as UTF-8 text")
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return None, Fault(file, line, f"byte {data[error.start]:#04x} is no UTF-8: save the file as UTF-8")


class _Reader:
    """The scan that gives each fault its line."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.sections: dict[str, tuple[int, dict[str, Item]]] = {}
        self.current: dict[str, Item] | None = None
        self.faults: list[Fault] = []
        self.line_faults: list[Fault] = []

    def line(self, number: int, raw: str) -> None:
        text = strip_comment(raw)
        if not text.strip():
            return
        if text[0] in " \t" and self.current is not None:
            begun = "is indented: it would be read as part of the line before. Remove the blanks before"
            self._fault(number, f"{begun} {shown(text.strip())!r}")
        elif text.startswith("["):
            self._section(number, text.strip())
        elif self.current is None:
            self._fault(number, f"{shown(text.strip())!r} stands before the first [SECTION]: put it below one")
        else:
            self._item(number, text.strip(), self.current)

    def _fault(self, number: int, message: str) -> None:
        self.faults.append(Fault(self.file, number, message))

    def _section(self, number: int, text: str) -> None:
        if not text.endswith("]") or not text[1:-1].strip():
            self._fault(number, f"{shown(text)!r} is no section: write [NAME]")
            return
        name = text[1:-1].strip()
        if name in self.sections:
            first = self.sections[name][0]
            self._fault(number, f"section [{shown(name)}] stands in line {first} already: join the two")
            return
        self.current = {}
        self.sections[name] = (number, self.current)

    def _item(self, number: int, text: str, items: dict[str, Item]) -> None:
        key, value = split_item(text)
        if not key:
            self._fault(number, f"{shown(text)!r} has no name before the '='")
            return
        if key in items:
            message = f"{shown(key)!r} stands in line {items[key].line} already: this line is left out"
            self.line_faults.append(Fault(self.file, number, message))
            return
        items[key] = Item(key=key, value=value, line=number)


def strip_comment(line: str) -> str:
    """Returns a line without its comment and trailing blanks; within double quotes nothing is a comment."""
    quoted = False
    for place, letter in enumerate(line):
        if letter == '"':
            quoted = not quoted
        elif letter in "#;" and not quoted and (place == 0 or line[place - 1] in " \t"):
            return line[:place].rstrip()
    return line.rstrip()


def split_item(text: str) -> tuple[str, str | None]:
    """Splits `key = value`, minding quotes around the key."""
    match = re.match(r'\s*"([^"]*)"\s*(?:=\s*(.*))?$', text)
    if match:
        return match[1], None if match[2] is None else unquote(match[2])
    key, equals, value = text.partition("=")
    return key.strip(), unquote(value.strip()) if equals else None


def unquote(text: str) -> str:
    """Removes double quotes around a whole value."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"' and '"' not in text[1:-1]:
        return text[1:-1]
    return text


def _second_opinion(reader: _Reader, file: str) -> list[Fault]:
    """Has configparser read what the scan found, as every other INI program would."""
    parser = configparser.ConfigParser(
        interpolation=None, allow_no_value=True, delimiters=("=",), default_section="\0", strict=True
    )
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    content = {name: {item.key: item.value for item in items.values()} for name, (_, items) in reader.sections.items()}
    try:
        parser.read_dict(content)
    except (configparser.Error, ValueError) as error:
        return [Fault(file, None, str(error).replace("\n", " "))]
    return []


def unknown_names(found: Iterable[Item], known: Collection[str], file: str, what: str) -> list[Fault]:
    """Returns a fault for each name that nobody knows, with the nearest that somebody does."""
    return [
        Fault(file, item.line, f"unknown {what} {shown(item.key)!r}.{near_miss(item.key, known)}")
        for item in found
        if item.key not in known
    ]
