"""Reads which methods' results are kept from run to run: `cache: {dir: …, methods: [train.model_trainer.fit]}`."""

from __future__ import annotations

import inspect

from mlpipeline.config_text import Fault, near_miss, shown
from mlpipeline.workflow import interface
from mlpipeline.workflow.links import Linker
from mlpipeline.workflow.node import Node
from mlpipeline.workflow.part import has_side_effects
from mlpipeline.workflow.planned import Planned

DIRECTORY = ".mlpipeline/cache"
_KEYS = ("dir", "methods")
Cached = frozenset[tuple[tuple[str, ...], str]]


def read(root: Planned, linker: Linker, faults: list[Fault]) -> tuple[Cached, str]:
    """Returns the cached methods, as address and name, and the directory, relative to the project."""
    node = root.node.get("cache")
    if node is None or node.value is None:
        return frozenset(), DIRECTORY
    node = linker.resolve(node)
    for key, each in node.items():
        if key not in _KEYS:
            faults.append(each.place.fault(f"{shown(str(key))!r} means nothing in cache.{near_miss(str(key), _KEYS)}"))
    methods, directory = node.get("methods"), node.get("dir")
    if methods is None or type(methods.value) is not list:
        faults.append(node.place.fault("cache takes a list of methods: `cache: {methods: [train.model_trainer.fit]}`"))
        return frozenset(), DIRECTORY
    if directory is not None and (not isinstance(directory.value, str) or not directory.value):
        faults.append(directory.place.fault("dir is the name of a directory"))
        return frozenset(), DIRECTORY
    found = [_method(root, each, faults) for each in methods.value]
    return frozenset(each for each in found if each), directory.value if directory is not None else DIRECTORY


def _method(root: Planned, node: Node, faults: list[Fault]) -> tuple[tuple[str, ...], str] | None:
    *path, method = str(node.value).split(".")
    part = root.reach(path)
    if part is None:
        faults.append(
            node.place.fault(f"cache: there is no part {'.'.join(path)!r}.{near_miss(path[0], root.names())}")
        )
    elif part.kind is not None:
        told = interface.method_faults(part.kind, method)
        if told is None and has_side_effects(inspect.getattr_static(part.kind, method)):
            told = f"{method} of {part.kind.__name__} has side effects, which a cached result would leave out"
        if told is None and (unseen := _unseen(part)):
            told = f"{part.name}.{method} uses {unseen}, which changes unseen: a cached result would hold old rows"
        if told is None:
            return part.address, method
        faults.append(node.place.fault(f"cache: {told}"))
    return None


def _unseen(part: Planned) -> str | None:
    """Returns a part that is used, directly or not, and reads what changes without the workflow knowing."""
    seen: dict[int, Planned] = {}
    waiting = [part]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        if getattr(each.kind, "CHANGES_UNSEEN", False):
            return each.name
        seen[id(each)] = each
        waiting += [other for other in (*each.parts(), *each.needs.values()) if other is not None]
    return None
