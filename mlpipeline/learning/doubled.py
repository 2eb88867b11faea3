"""Refuses objects of JSON that have a key twice: readers differ in which of the values counts."""

from __future__ import annotations

from typing import Any

from mlpipeline.config_text import shown


class DoubledKey(ValueError):
    """An object of JSON has a key more than once.

    Attributes:
        key: as a message may show it.
    """

    def __init__(self, key: str) -> None:
        self.key = shown(key)
        super().__init__(f"an object has the key '{self.key}' more than once: leave one of them")


def checked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns an object of its pairs; a hook for `json`.

    Raises:
        DoubledKey: the first key that comes again.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise DoubledKey(next(name for place, name in enumerate(names) if name in names[:place]))
    return found
