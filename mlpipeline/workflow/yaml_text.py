"""Reads YAML 1.2 with the line and column of every value; whatever the bytes are, it never raises."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Hashable

from mlpipeline import errors
from mlpipeline.config_text import Fault, shown
from mlpipeline.workflow.node import Node, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TAG = "tag:yaml.org,2002:"
_INT = r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"
_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
# YAML 1.2's core schema, https://yaml.org/spec/1.2.2/#1032-tag-resolution. PyYAML's own is that of 1.1, to which
# 1e-3 is text, 1:30 a number and NO a boolean.
_KINDS = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", _INT, list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
)
_OLD_BOOLEAN = re.compile(r"(?i:yes|no|on|off)")
_LONGEST = 200
_DEEPEST = 100
_MOST = 100_000


def read(content: bytes, file: str) -> tuple[Node, list[Fault]]:
    """Reads a file.

    Returns:
        what could be read (an empty mapping where nothing could), and everything that is wrong.
    """
    nothing = Node({}, Place(file, 1, 1))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return nothing, [Fault(file, line, f"byte {error.start} is no UTF-8: save the file as UTF-8")]
    yaml = errors.require("yaml", extra="workflow")
    try:
        composed = yaml.compose(text, Loader=_loader())
    except yaml.MarkedYAMLError as error:
        return nothing, [_broken(error, text, file)]
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        return nothing, [Fault(file, line, f"holds the control character {error.character:#04x}: remove it")]
    except RecursionError:
        return nothing, [Fault(file, None, f"is nested more than {_DEEPEST} deep: this is no workflow file")]
    if composed is None:
        return nothing, []
    reader = _Reader(file)
    node = reader.node(composed)
    if not reader.faults and not node.is_mapping:
        reader.faults.append(Fault(file, 1, "is no mapping: write `key: value` lines"))
    return (node if node.is_mapping else nothing), reader.faults


def scalar(text: str) -> Any:
    """Reads one value as it would stand in a file: `3` is a number, `[a, b]` a list; what is no YAML is the text."""
    node, faults = read(b"value: " + text.encode("utf-8", "surrogateescape"), "")
    found = node.get("value")
    return text if faults or found is None or len(node.value) != 1 else found.plain()


@functools.cache
def _loader() -> Any:
    yaml = errors.require("yaml", extra="workflow")
    basis = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader: Any = type("Loader", (basis,), {"yaml_implicit_resolvers": {}})
    for kind, pattern, first in _KINDS:
        loader.add_implicit_resolver(_TAG + kind, re.compile(f"^(?:{pattern})$"), first)
    return loader


def _broken(error: Any, text: str, file: str) -> Fault:
    """Says what the parser stumbled over, with the line itself."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Fault(file, None, str(error))
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    told = str(error.problem or error.context or "cannot be read")
    indentation = line[: len(line) - len(line.lstrip())]
    if "\t" in indentation or line[mark.column : mark.column + 1] == "\t":
        told = "a tab: indent with blanks"
    elif error.context and error.context_mark and error.context_mark.line != mark.line:
        told += f", {error.context} that begins in line {error.context_mark.line + 1}"
    elif mark.column and line[mark.column - 1 : mark.column + 1] == "${":
        told += ": put quotes around what holds ${...}, whose braces belong to YAML here"
    quoted = f"\n    {shown(line, _LONGEST)}" if line.strip() else ""
    return Fault(file, mark.line + 1, f"{told}{quoted}", mark.column + 1)


class _Reader:
    """Makes nodes of one composed document."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self._above: list[int] = []
        self._count = 0

    def node(self, given: Any) -> Node:
        place = Place(self.file, given.start_mark.line + 1, given.start_mark.column + 1)
        if id(given) in self._above:
            self._fault(place, "an alias that contains itself: write the value out")
            return Node(None, place)
        self._count += 1
        told = f"is nested more than {_DEEPEST} deep" if len(self._above) >= _DEEPEST else ""
        told = told or (f"aliases stand for more than {_MOST} values" if self._count > _MOST else "")
        if told:
            if self._count <= _MOST + 1:
                self._fault(place, told)
            return Node(None, place)
        self._above.append(id(given))
        try:
            return Node(self._value(given, place), place)
        finally:
            self._above.pop()

    def _value(self, given: Any, place: Place) -> Any:
        tag = given.tag.removeprefix(_TAG)
        if tag == "map" and isinstance(given.value, list):
            return self._mapping(given)
        if tag == "seq":
            return [self.node(each) for each in given.value]
        if isinstance(given.value, str) and tag in _MAKE:
            if tag == "str" and not given.style and _OLD_BOOLEAN.fullmatch(given.value):
                self._fault(place, f"{given.value} is a boolean to some, text to others: write true, false or quotes")
            return self._scalar(tag, given.value, place)
        self._fault(place, f"the tag {shown(given.tag)} is not known here: write plain values")
        return None

    def _scalar(self, tag: str, text: str, place: Place) -> Any:
        try:
            return _MAKE[tag](text)
        except ValueError:  # an explicit tag that does not fit, or a number of more digits than Python reads
            self._fault(place, f"{shown(text, 40)!r} is no {tag}")
            return None

    def _mapping(self, given: Any) -> dict[Hashable, Node]:
        merged: dict[Hashable, Node] = {}
        own: dict[Hashable, Node] = {}
        for key_node, value_node in given.value:
            before = len(self.faults)
            key = self.node(key_node)
            if isinstance(key.value, str):  # a key is never a boolean
                del self.faults[before:]
            if key_node.tag == f"{_TAG}merge":
                self._merge(merged, value_node)
            elif isinstance(key.value, dict | list) or key.value is None:
                self._fault(key.place, "this cannot be a key: write a name")
            elif key.value in own:
                first = own[key.value].place
                self._fault(
                    key.place, f"{shown(str(key.value))!r} stands in line {first.line} already: keep one of them"
                )
            else:
                own[key.value] = self._placed(key, self.node(value_node))
        return {**merged, **own}

    def _placed(self, key: Node, value: Node) -> Node:
        """Gives values of several lines, and empty ones, the place of their key: that is where a person looks."""
        return Node(value.value, key.place) if value.is_mapping or value.value is None else value

    def _merge(self, merged: dict[Hashable, Node], given: Any) -> None:
        sources = given.value if given.tag == f"{_TAG}seq" else [given]
        for each in sources:
            node = self.node(each)
            if node.is_mapping:
                merged.update({key: value for key, value in node.items() if key not in merged})
            else:
                self._fault(node.place, "`<<` takes a mapping: write `<<: *name`")

    def _fault(self, place: Place, message: str) -> None:
        self.faults.append(place.fault(message))


def _integer(text: str) -> int:
    return int(text, 0) if text.startswith(("0x", "0o")) else int(text)


def _number(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_MAKE: dict[str, Callable[[str], Any]] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": _integer,
    "float": _number,
    "str": str,
    "merge": str,
}
