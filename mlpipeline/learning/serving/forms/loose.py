"""Columns of lists, and of values of several kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlpipeline.learning.serving.form import Form, json_or_text, objects
from mlpipeline.learning.serving.forms.numbers import Number
from mlpipeline.learning.serving.forms.words import Text


class Scalar(Form):
    """Whatever stands by itself: of columns that held values of several kinds, or none."""

    needed = "a number, text, true, false or null"
    types = frozenset((float, int, str, bool, type(None)))

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a value."""
        return {"type": ["number", "string", "boolean", "null"]}

    def is_plain(self, values: Sequence[Any]) -> bool:
        """Whether numbers are finite, and texts whole."""
        texts = [each for each in values if isinstance(each, str)]
        numbers = [each for each in values if isinstance(each, float | int)]
        return Text().is_plain(texts) and Number().is_plain(numbers)

    def array(self, values: Sequence[Any]) -> Any:
        """Returns objects."""
        return objects(values)

    def text(self, text: str) -> Any:
        """Returns a number, true or false where it is such as JSON writes it; else the text."""
        found = json_or_text(text)
        return found if type(found) in self.types else text


class Items(Form):
    """Lists."""

    needed = "a list of numbers, texts, true, false or null"
    types = frozenset((type(None), list))

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a value."""
        return {"type": ["array", "null"], "items": Scalar().schema}

    def is_plain(self, values: Sequence[Any]) -> bool:
        """Whether all that stands in the lists is such."""
        inner = [each for value in values if value is not None for each in value]
        return set(map(type, inner)) <= Scalar.types and Scalar().is_plain(inner)

    def array(self, values: Sequence[Any]) -> Any:
        """Returns objects."""
        return objects(values)

    def text(self, text: str) -> Any:
        """Returns the list, as JSON writes it."""
        return json_or_text(text) if text else None
