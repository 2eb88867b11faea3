"""How a kind of column stands in JSON and in a query: what is accepted, and the array that it becomes."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np


class Form(ABC):
    """One kind of column, as JSON holds it.

    What a value becomes depends on the column alone, never on the values beside it: so a row gives the same alone and
    among others. A missing value is null.

    Attributes:
        needed: what messages ask for.
        types: JSON's types that are taken as they are, where `is_plain` says so.
    """

    needed: ClassVar[str]
    types: ClassVar[frozenset[type]]

    @property
    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a value, null among them."""

    def is_plain(self, values: Sequence[Any]) -> bool:
        """Whether all values, which are of `types`, can be taken as they are."""
        return True

    def read(self, value: Any) -> Any:
        """Returns a value as the column holds it.

        Raises:
            ValueError: it cannot; the message says what is wrong.
        """
        if value is None or (type(value) in self.types and self.is_plain((value,))):
            return value
        raise ValueError(f"{shown(value)} ({_kind(value)}), where {self.needed} is needed")

    @abstractmethod
    def array(self, values: Sequence[Any]) -> Any:
        """Returns what a column of a frame is made of."""

    def text(self, text: str) -> Any:
        """Returns the value that a text in a query stands for, still to be read; empty is missing."""
        return text or None


def objects(values: Sequence[Any]) -> np.ndarray:
    """Returns an array of objects, which may be lists."""
    found = np.empty(len(values), object)
    found[:] = values
    return found


def json_or_text(text: str) -> Any:
    """Returns what a text stands for in JSON; the text where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _kind(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def shown(value: Any) -> str:
    """Returns a value as a message may hold it."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 40 else f"{text[:40]}…"
