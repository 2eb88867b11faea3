"""Lets a class say what happens before and after one of its methods: `before_fit`, `after_fit`, and so on."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

_Method = TypeVar("_Method", bound=Callable[..., Any])
_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def hooked(method: _Method) -> _Method:
    """Makes of a method one that calls `before_<name>` and `after_<name>` of its object, where it has them.

    They get what the method gets, as far as their signatures take it; `after_<name>` also its result, where it has a
    parameter called `result`. Where the method raises, there is no after.
    """
    name = method.__name__

    @functools.wraps(method)
    def around(self: Any, *arguments: Any, **named: Any) -> Any:
        if (before := getattr(self, f"before_{name}", None)) is not None:
            _call(before, arguments, named)
        result = method(self, *arguments, **named)
        if (after := getattr(self, f"after_{name}", None)) is not None:
            _call(after, arguments, named, {"result": result})
        return result

    return around  # type: ignore[return-value]


def _call(
    hook: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any], more: dict[str, Any] | None = None
) -> None:
    known = inspect.signature(hook).parameters
    offered = named | {name: value for name, value in (more or {}).items() if name in known}
    if not any(each.kind is each.VAR_KEYWORD for each in known.values()):
        offered = {name: value for name, value in offered.items() if name in known}
    if not any(each.kind is each.VAR_POSITIONAL for each in known.values()):
        places = [name for name, each in known.items() if each.kind in _BY_PLACE and name not in offered]
        arguments = arguments[: len(places)]
    hook(*arguments, **offered)
