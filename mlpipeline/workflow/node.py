"""What a workflow file says, value by value, each with the place that it stands at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mlpipeline.config_text import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: a line and column of a file, or elsewhere (`--set a.b`, an argument, a version).

    Attributes:
        line: counted from 1; None outside files.
        column: counted from 1.
    """

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"

    def fault(self, message: str) -> Fault:
        """Returns what is wrong with what stands here."""
        return Fault(self.file, self.line, message, self.column)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One value with its place. Nodes are never changed.

    Attributes:
        value: text, number, boolean or None; a dict of nodes; a list of nodes.
        origin: where it came from, as far as the place does not say it (`$config.rate`, `${env:RATE}`).
        secret: it came from a name that says it must not be shown.
    """

    value: Any
    place: Place
    origin: str = ""
    secret: bool = False

    @property
    def is_mapping(self) -> bool:
        """Whether it has keys."""
        return type(self.value) is dict

    def get(self, key: Any) -> Node | None:
        """Returns the node under a key; None where there is none, or where this is no mapping."""
        return self.value.get(key) if type(self.value) is dict else None

    def items(self) -> Iterator[tuple[Any, Node]]:
        """Yields keys and nodes; nothing where this is no mapping."""
        yield from self.value.items() if type(self.value) is dict else ()

    def plain(self) -> Any:
        """Returns the value in plain Python containers, new ones each time."""
        if type(self.value) is dict:
            return {key: node.plain() for key, node in self.value.items()}
        if type(self.value) is list:
            return [node.plain() for node in self.value]
        return self.value

    def at(self, path: Sequence[str]) -> Node | None:
        """Returns the node under keys of keys."""
        found: Node | None = self
        for part in path:
            found = found.get(part) if found is not None else None
        return found

    def with_value(self, value: Any) -> Node:
        """Returns the same place with another value."""
        return replace(self, value=value)


def from_plain(value: Any, place: Place) -> Node:
    """Makes nodes of a Python value, copying every container; objects stay what they are."""
    if isinstance(value, Mapping):
        return Node({key: from_plain(each, place) for key, each in value.items()}, place)
    if isinstance(value, list | tuple):
        return Node([from_plain(each, place) for each in value], place)
    return Node(value, place)


def merge(under: Node, over: Node) -> Node:
    """Lays one node over another: mappings key by key, everything else as a whole."""
    if not under.is_mapping or not over.is_mapping:
        return over
    joined = dict(under.value)
    for key, node in over.value.items():
        joined[key] = merge(joined[key], node) if key in joined else node
    return over.with_value(joined)


def put(root: Node, path: Sequence[str], node: Node) -> Node:
    """Returns the tree with a node under keys of keys; mappings that are missing are made."""
    if not path:
        return node
    first, rest = path[0], path[1:]
    inner = root.get(first)
    if rest and (inner is None or not inner.is_mapping):
        inner = Node({}, node.place)
    placed = put(inner, rest, node) if rest and inner is not None else node
    known = root.value if root.is_mapping else {}
    return root.with_value({**known, first: placed})
