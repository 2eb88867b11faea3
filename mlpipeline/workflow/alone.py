"""Makes one component by itself, with the values that workflow files have for it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlpipeline.config_text import Fault
from mlpipeline.errors import ConfigurationError, UsageError
from mlpipeline.workflow import document as documents
from mlpipeline.workflow import runner as runners
from mlpipeline.workflow.classes import Classes, plugin_places
from mlpipeline.workflow.component import Component
from mlpipeline.workflow.document import Document
from mlpipeline.workflow.links import CONFIG, Linker
from mlpipeline.workflow.node import Node, Place
from mlpipeline.workflow.sources import Sources
from mlpipeline.workflow.wants import wants

_LEVEL, _NAME, _PATHS = "component", "part", "plugin_paths"
_LEVELS = ("runner", "pipeline", "component")


def component(
    name: str,
    basis: type[Component],
    files: Sequence[Path] = (),
    *,
    settings: Iterable[str] = (),
    sources: Sources | None = None,
) -> Component:
    """Makes a component as a workflow would.

    Its values are those of `config` in the files, and of the first section that declares a component of this class;
    keys that it does not read belong to others. Links may lead to what is under `config` at the top.

    Args:
        name: of the class, as a workflow file would write it.
        basis: the type that it must be.
        files: workflow files that lie over one another.
        settings: `key=value`, which lie over the files.
        sources: where files are read; by default the project of the first file, or of the working directory.

    Raises:
        ConfigurationError: with everything that is wrong.
        UsageError: the class is of another type.
    """
    if sources is None and not files:
        sources = Sources.beside(None)
    settings = [f"{_NAME}.{each}" for each in settings]
    found = documents.load(list(files), settings=settings, sources=sources)
    kind = _kind(found, name)
    if not issubclass(kind, basis):
        raise UsageError(f"{name} is no {basis.__name__}: `mlpipeline list components` shows what there is")
    made: Component = getattr(runners.load(_reduced(found, name, kind)), _NAME)
    return made


def _kind(document: Document, name: str) -> type:
    faults = list(document.faults)
    places = plugin_places(document.sources, document.root.get(_PATHS), _LEVELS, faults)
    kind = Classes(document.sources, places, faults).find(_LEVEL, Node(name, Place("(argument)")))
    if faults or kind is None:
        raise ConfigurationError(faults=faults)
    return kind


def _reduced(document: Document, name: str, kind: type) -> Document:
    """Returns a workflow that consists of the component alone."""
    values = _values(document, name, kind)
    linked = _linked(document.root, values.values())
    shared = {key: node for key, node in _items(document.root.get(CONFIG)) if key in linked}
    place = document.root.place
    root = {
        _LEVEL: Node({_NAME: Node(name, place)}, place),
        _NAME: Node({CONFIG: Node(values, place)}, place),
        CONFIG: Node(shared, place),
    }
    if (paths := document.root.get(_PATHS)) is not None:
        root[_PATHS] = paths
    return replace(document, root=Node(root, place))


def _values(document: Document, name: str, kind: type) -> dict[str, Node]:
    """Returns what the files say: of the sections around the component what it reads, of its own all."""
    wanted = wants(kind).keys
    address = _declared(document.root, name, ()) or ()
    values: dict[str, Node] = {}
    for depth in range(len(address) + 1):
        is_own = depth == len(address) and depth > 0
        section = document.root.at((*address[:depth], CONFIG))
        values |= {str(key): node for key, node in _items(section) if is_own or str(key) in wanted}
    for changed, _ in document.settings:  # a value that is replaced leads nowhere any more
        values.pop(changed.removeprefix(f"{_NAME}."), None)
    return values


def _linked(root: Node, values: Iterable[Node]) -> set[str]:
    """Returns the keys under `config` at the top that links in values lead to.

    Raises:
        ConfigurationError: a link leads nowhere.
    """
    linker = Linker(root, dict(os.environ), faults := list[Fault]())
    for node in values:
        linker.resolve(node)
    if faults:
        raise ConfigurationError(faults=faults)
    return {path[1] for path in linker.used if path[0] == CONFIG and len(path) > 1}


def _items(section: Node | None) -> Iterable[tuple[Any, Node]]:
    return section.items() if section is not None else ()


def _declared(node: Node, name: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """Returns where the first component of a class is declared; None where none is."""
    for key, declared in _items(node.get(_LEVEL)):
        if declared.value == name:
            return (*path, str(key))
    for key, inner in node.items():
        if inner.is_mapping and key not in (_LEVEL, CONFIG):
            found = _declared(inner, name, (*path, str(key)))
            if found is not None:
                return found
    return None
