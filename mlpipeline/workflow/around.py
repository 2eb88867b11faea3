"""Reads what a workflow puts around methods of its own: `around: [{call: audit.around, methods: ["train.*"]}]`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mlpipeline.config_text import Fault, near_miss, shown
from mlpipeline.workflow import interface
from mlpipeline.workflow.interface import public_methods
from mlpipeline.workflow.links import Linker
from mlpipeline.workflow.node import Node
from mlpipeline.workflow.part import Part
from mlpipeline.workflow.planned import Planned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

AROUND = "around"
_KEYS = ("call", "methods")
_ARGUMENTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """A method of a part that is called instead of others, and calls them.

    Attributes:
        address: of the part.
        method: takes a `Called`, and a function without arguments that goes on to what was called.
        methods: those that it is put around, as address and name.
    """

    address: tuple[str, ...]
    method: str
    methods: frozenset[tuple[tuple[str, ...], str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call that goes through a part's `around`.

    Attributes:
        part: whose method it is.
        name: of the method, with its part's address: `train.model_trainer.fit`.
        args, keywords: its arguments.
    """

    part: Part
    name: str
    args: tuple[Any, ...]
    keywords: Mapping[str, Any]


def read(root: Planned, linker: Linker, faults: list[Fault]) -> tuple[Around, ...]:
    """Returns what stands in `around:`, the outermost first."""
    node = root.node.get(AROUND)
    if node is None or node.value is None:
        return ()
    node = linker.resolve(node)
    if type(node.value) is not list:
        faults.append(node.place.fault('around is a list: `- {call: audit.around, methods: ["train.*"]}`'))
        return ()
    found = [_item(root, each, faults) for each in node.value]
    return tuple(each for each in found if each is not None)


def _item(root: Planned, node: Node, faults: list[Fault]) -> Around | None:
    if not node.is_mapping:
        faults.append(node.place.fault('an item of around is a mapping: {call: audit.around, methods: ["train.*"]}'))
        return None
    for key, each in node.items():
        if key not in _KEYS:
            faults.append(each.place.fault(f"{shown(str(key))!r} means nothing in around.{near_miss(str(key), _KEYS)}"))
    call, patterns = node.get("call"), node.get("methods")
    if call is None or patterns is None or type(patterns.value) is not list or not patterns.value:
        faults.append(node.place.fault("an item of around has a call, `part.method`, and a list of methods"))
        return None
    part, method = _called(root, call, faults)
    if part is None:
        return None
    methods = frozenset(each for pattern in patterns.value for each in _matching(root, part, pattern, faults))
    return Around(address=part.address, method=method, methods=methods)


def _called(root: Planned, node: Node, faults: list[Fault]) -> tuple[Planned | None, str]:
    """Returns the part and the method that stand in `call`; no part, and a fault, where they cannot be called."""
    *path, method = str(node.value).split(".")
    part = root.reach(path) if path else None
    if part is None:
        faults.append(
            node.place.fault(
                f"around: there is no part {'.'.join(path)!r}.{near_miss(path[0] if path else '', root.names())}",
            )
        )
        return None, method
    if part.kind is None:  # which is told where it is declared
        return None, method
    told = interface.method_faults(part.kind, method)
    if told is None and not _takes_a_call(inspect.getattr_static(part.kind, method)):
        told = (
            f"{part.kind.__name__}.{method} must take what is called and what goes on: {method}(self, called, proceed)"
        )
    if told is not None:
        faults.append(node.place.fault(f"around: {told}"))
    return (part if told is None else None), method


def _takes_a_call(method: Any) -> bool:
    found = interface.parameters(method) or []
    required = [
        each
        for each in found
        if each.default is each.empty and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    placed = [each for each in found if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    is_open = any(each.kind is each.VAR_POSITIONAL for each in found)
    return len(required) <= _ARGUMENTS and (is_open or len(placed) >= _ARGUMENTS)


def _matching(
    root: Planned, around: Planned, pattern: Node, faults: list[Fault]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields the methods that a pattern means; none of the part that is put around them."""
    text = str(pattern.value)
    known = [(part.address, name) for part in root.walk() for name in _methods(part) if part is not around]
    found = [(address, name) for address, name in known if fnmatchcase(".".join((*address, name)), text)]
    if not found:
        names = [".".join((*address, name)) for address, name in known]
        faults.append(
            pattern.place.fault(f"around: {shown(text)!r} is no method of this workflow.{near_miss(text, names)}")
        )
    yield from found


def _methods(part: Planned) -> list[str]:
    if part.kind is None:
        return []
    return [*public_methods(part.kind), *(["main"] if hasattr(part.kind, "main") else [])]


def layer(
    part: Callable[[], Part], around: Around, owner: Part, told: str, proceed: Callable[..., Any]
) -> Callable[..., Any]:
    """Returns a call that goes through `around`.

    Args:
        part: gives the part whose method is put around: it may be built later than what it is put around.
        owner: whose method is called.
        told: the name of that method.
    """

    def call(*args: Any, **keywords: Any) -> Any:
        called = Called(part=owner, name=told, args=args, keywords=keywords)
        return getattr(part(), around.method)(called, lambda: proceed(*args, **keywords))

    return call
