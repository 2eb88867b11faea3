"""A workflow's configuration: files with what they include, laid over one another, and changed by `--set`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlpipeline.config_text import Fault
from mlpipeline.workflow import node as nodes
from mlpipeline.workflow import yaml_text
from mlpipeline.workflow.node import Node, Place
from mlpipeline.workflow.sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

INCLUDE = "include"
_MOST_FAULTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What is configured, before links are followed.

    Attributes:
        root: everything; a mapping.
        files: what was read, in order.
        settings: what `--set` changes: the address as it was typed, and the value.
        faults: everything that is wrong so far.
    """

    root: Node
    sources: Sources
    files: tuple[str, ...] = ()
    settings: tuple[tuple[str, Node], ...] = ()
    faults: tuple[Fault, ...] = field(default=())


def load(
    given: str | os.PathLike[str] | Mapping[str, Any] | Sequence[str | os.PathLike[str] | Mapping[str, Any]] | None,
    *,
    settings: Iterable[str] = (),
    sources: Sources | None = None,
) -> Document:
    """Reads a configuration. Whatever is wrong becomes a fault; what was passed is never changed.

    Args:
        given: a file, a mapping, or several of them: each lies over those before it.
        settings: `a.b=value`, in order.
        sources: where files are read; by default the project that the first of them lies in.
    """
    layers = [] if given is None else [given] if isinstance(given, str | os.PathLike | Mapping) else list(given)
    if sources is None:
        first = next((Path(each) for each in layers if not isinstance(each, Mapping)), None)
        sources = Sources.beside(first)
    reader = _Reader(sources)
    root = Node({}, Place("(nothing)"))
    for layer in layers:
        if isinstance(layer, Mapping):
            root = nodes.merge(root, nodes.from_plain(layer, Place("(argument)")))
        else:
            root = nodes.merge(root, reader.file(Path(layer), None))
    changes = [found for text in settings if (found := reader.setting(text)) is not None]
    return Document(
        root=root,
        sources=sources,
        files=tuple(reader.files),
        settings=tuple(changes),
        faults=tuple(reader.faults[:_MOST_FAULTS]),
    )


class _Reader:
    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.files: list[str] = []
        self.faults: list[Fault] = []
        self._open: list[Path] = []

    def file(self, path: Path, asked: Place | None) -> Node:
        """Reads a file with what it includes. `asked` is where it is named."""
        path = Path(os.path.abspath(path))
        name = self.sources.relative(path)
        empty = Node({}, Place(name, 1, 1))
        if path in self._open:
            circle = " → ".join(self.sources.relative(each) for each in [*self._open[self._open.index(path) :], path])
            self._fault(asked, name, f"includes itself: {circle}: remove one of these")
            return empty
        try:
            content = self.sources.read(path)
        except OSError as error:
            self._fault(asked, name, f"{name} cannot be read: {error.strerror or error}")
            return empty
        self.files.append(name)
        node, faults = yaml_text.read(content, name)
        self.faults += faults
        self._open.append(path)
        try:
            return self._with_included(node, path.parent)
        finally:
            self._open.pop()

    def _with_included(self, node: Node, directory: Path) -> Node:
        """Lays every mapping over the files that it includes."""
        if type(node.value) is list:
            return node.with_value([self._with_included(each, directory) for each in node.value])
        if not node.is_mapping:
            return node
        own = {key: self._with_included(each, directory) for key, each in node.items() if key != INCLUDE}
        included = node.get(INCLUDE)
        if included is None:
            return node.with_value(own)
        under = Node({}, node.place)
        for each in included.value if type(included.value) is list else [included]:
            if not isinstance(each.value, str) or not each.value:
                self._fault(each.place, "", "include takes a file's name, or a list of them")
                continue
            under = nodes.merge(under, self.file(directory / each.value, each.place))
        return nodes.merge(under, node.with_value(own))

    def setting(self, text: str) -> tuple[str, Node] | None:
        address, equals, value = text.partition("=")
        place = Place(f"--set {address}")
        if not equals or not all(address.split(".")):
            self.faults.append(Fault(f"--set {text}", None, "write it as --set part.key=value"))
            return None
        return address, nodes.from_plain(yaml_text.scalar(value), place)

    def _fault(self, place: Place | None, file: str, message: str) -> None:
        place = place or Place(file)
        self.faults.append(place.fault(message))
