"""Compares a value with bounds that a configuration gives: for `when` of steps, and for thresholds of checks."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mlpipeline.config_text import Fault, near_miss, shown
from mlpipeline.workflow.node import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "at_least": operator.ge,
    "at_most": operator.le,
    "above": operator.gt,
    "below": operator.lt,
}
_ANY: dict[str, Callable[[Any, Any], Any]] = {
    "equals": operator.eq,
    "differs_from": operator.ne,
    "among": lambda value, choices: value in choices,
}
OPERATORS = {**_NUMBERS, **_ANY}


@dataclass(frozen=True, slots=True)
class Bound:
    """One comparison: `at_least 0.8`."""

    name: str
    limit: Any

    def holds(self, value: Any) -> bool:
        """Whether a value keeps it. NaN keeps none of the bounds of numbers.

        Raises:
            TypeError: the value cannot be compared so.
        """
        return bool(OPERATORS[self.name](value, self.limit))

    def __str__(self) -> str:
        return f"{self.name.replace('_', ' ')} {self.limit!r}"


def read(items: Mapping[str, Node], faults: list[Fault]) -> tuple[Bound, ...]:
    """Reads `at_least: 0.8`, `above`, `at_most`, `below`, `equals`, `differs_from`, `among`."""
    found = []
    for name, node in items.items():
        limit = node.plain()
        told = None
        if name not in OPERATORS:
            near = near_miss(str(name), OPERATORS)
            told = f"there is no comparison {shown(str(name))!r}.{near} Known: {', '.join(OPERATORS)}"
        elif name in _NUMBERS and (isinstance(limit, bool) or not isinstance(limit, int | float)):
            told = f"{name} is {limit!r}: it must be a number"
        elif name == "among" and not isinstance(limit, list):
            told = "among takes a list of values"
        if told is None:
            found.append(Bound(name, limit))
        else:
            faults.append(node.place.fault(told))
    return tuple(found)


def inside(value: Any, path: str) -> Any:
    """Returns what lies at dotted names within a value: items of mappings, else public attributes.

    Raises:
        KeyError: there is no such thing.
    """
    for part in path.split(".") if path else ():
        if isinstance(value, Mapping):
            if part not in value:
                known = ", ".join(map(str, value)) or "nothing"
                raise KeyError(f"no {part!r} in it: it has {known}")
            value = value[part]
        elif part.startswith("_") or not hasattr(value, part):
            raise KeyError(f"a {type(value).__name__} has no {part!r}")
        else:
            value = getattr(value, part)
    return value
