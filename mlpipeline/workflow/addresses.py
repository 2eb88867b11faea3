"""Changes single values of a configuration by address: `--set train.epochs=3`, and the parameters of versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlpipeline.workflow import node as nodes
from mlpipeline.workflow.levels import FRAMEWORK, RESERVED, Level
from mlpipeline.workflow.links import CONFIG
from mlpipeline.workflow.node import Node

Changes = dict[tuple[str, ...], dict[str, list[tuple[tuple[str, ...], Node]]]]
"""By a part's address and a key: what changes within the key's value, wherever the value comes from."""


def apply(root: Node, level: Level, settings: Iterable[tuple[Sequence[str], Node]]) -> tuple[Node, Changes]:
    """Puts values at addresses, in which the level `config` may be left out.

    A value within a mapping that the part does not configure itself but inherits, or has by default, cannot stand in
    the tree: it is returned, to be laid over whatever the key turns out to be.

    Args:
        root: the configuration. It is not changed.
        level: that of the runner.
        settings: addresses in parts, and values; in order.
    """
    changes: Changes = {}
    for parts, node in settings:
        address, path = _split(root, level, list(parts))
        if path[0] != CONFIG:
            root = nodes.put(root, (*address, *path), node)
            continue
        key, within = path[1], tuple(path[2:])
        own = root.at((*address, CONFIG, key))
        if within and (own is None or not own.is_mapping):
            changes.setdefault(address, {}).setdefault(key, []).append((within, node))
        else:
            root = nodes.put(root, (*address, *path), node)
    return root, changes


def _split(root: Node, level: Level, parts: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """Returns a part's address, and the path within its section of the file."""
    address: list[str] = []
    while len(parts) > 1:
        here = root.at(address)
        inner = _level_of(here, level, parts[0])
        if inner is None:
            break
        level = inner
        address.append(parts.pop(0))
    names = {each.name for each in level.inner} | RESERVED | {FRAMEWORK}
    is_literal = parts[0] in names or (not address and parts[0] == level.name)
    if is_literal and not (parts[0] == CONFIG and len(parts) == 1):
        return tuple(address), parts
    return tuple(address), [CONFIG, *parts]


def _level_of(node: Node | None, level: Level, name: str) -> Level | None:
    """Returns the level of an instance that a section of the node declares."""
    for inner in level.inner:
        section = node.get(inner.name) if node is not None else None
        if section is not None and section.get(name) is not None:
            return inner
    return None
