"""The numbers in what a workflow returns: its metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def metrics(returned: Any) -> Any:
    """Returns the numbers in what a workflow returned, under their addresses; the number itself where it is one."""
    if isinstance(returned, Mapping):
        found = dict(_numbers(returned, ""))
        return found or None
    return returned if _is_number(returned) else None


def _numbers(returned: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in returned.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{key}__")
        elif _is_number(value):
            yield f"{prefix}{key}", value


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (hasattr(value, "dtype") and getattr(value, "shape", None) == ())
