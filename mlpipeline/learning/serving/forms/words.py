"""Columns of text, and of what JSON writes as text: moments and bytes; and of true and false."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlpipeline.learning.serving.form import Form, objects, shown


class Flag(Form):
    """Booleans."""

    needed = "true or false"
    types = frozenset((bool, type(None)))
    _words: ClassVar[dict[str, bool | None]] = {"true": True, "false": False, "1": True, "0": False, "": None}

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a value."""
        return {"type": ["boolean", "null"]}

    def array(self, values: Sequence[Any]) -> Any:
        """Returns bool; pandas' boolean where a value is missing."""
        return pd.array(list(values), dtype="boolean") if None in values else np.array(values, bool)

    def text(self, text: str) -> Any:
        """Returns what true, false, 1 and 0 stand for."""
        return self._words.get(text.lower(), text)


class Text(Form):
    """Text. An empty one is text, too; in a query it is missing."""

    needed = "text"
    types = frozenset((str, type(None)))

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a value."""
        return {"type": ["string", "null"]}

    def is_plain(self, values: Sequence[Any]) -> bool:
        """Whether all can be encoded: JSON may hold halves of characters."""
        return all(each is None or each.isascii() or _is_unicode(each) for each in values)

    def array(self, values: Sequence[Any]) -> Any:
        """Returns pandas' type for text."""
        return pd.array(list(values), dtype="str")


class Time(Form):
    """Moments as ISO 8601: in UTC where they name no time zone.

    Args:
        dtype: what was fitted; moments keep a time zone where those had one.
    """

    needed = "a time in ISO 8601, such as 2026-01-31T12:00:00Z,"
    types = frozenset((type(None),))

    def __init__(self, dtype: str) -> None:
        self._has_zone, self._may_be_date = "," in dtype or "tz=" in dtype, dtype == "object"

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a value."""
        return {"type": ["string", "null"], "examples": ["2026-01-31T12:00:00Z"]}

    def read(self, value: Any) -> Any:
        """Returns a datetime, or a date where a column of objects was fitted and no hour is named."""
        if not isinstance(value, str):
            return super().read(value)
        try:
            if self._may_be_date and len(value) == 10:
                return date.fromisoformat(value)
            found = datetime.fromisoformat(value)
            aware = found if found.tzinfo else found.replace(tzinfo=UTC)
            return aware.astimezone(UTC) if self._has_zone else aware.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            raise ValueError(f"{shown(value)}, where {self.needed} is needed") from None

    def array(self, values: Sequence[Any]) -> Any:
        """Returns datetime64, objects where a column of objects was fitted."""
        if self._may_be_date:
            return np.array([*values, None], object)[:-1]
        if self._has_zone:
            return pd.array(list(values), dtype="datetime64[us, UTC]")
        return np.array(values, "datetime64[us]")


class Binary(Form):
    """Bytes, as base64."""

    needed = "base64"
    types = frozenset((type(None),))

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a value."""
        return {"type": ["string", "null"], "contentEncoding": "base64"}

    def read(self, value: Any) -> Any:
        """Returns bytes."""
        if not isinstance(value, str):
            return super().read(value)
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"{shown(value)}, where base64 is needed") from None

    def array(self, values: Sequence[Any]) -> Any:
        """Returns objects."""
        return objects(values)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
