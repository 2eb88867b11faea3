"""Reads the rows of a request, checked against a model's schema: of a body of JSON, or of a query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from mlpipeline.config_text import near_miss, shown
from mlpipeline.data.schema import Column
from mlpipeline.learning.doubled import DoubledKey, checked
from mlpipeline.learning.serving.forms import form_of
from mlpipeline.learning.serving.forms.numbers import Number
from mlpipeline.learning.serving.refusal import Refusal

Values = list[list[Any]]
"""The values of each column, in the order of the columns."""


class Reader:
    """Reads rows for one model.

    Args:
        columns: what the model reads, in order.
        limit: how many rows a request may have.
    """

    def __init__(self, columns: Iterable[Column], limit: int) -> None:
        self.columns = tuple(columns)
        self.names = tuple(column.name for column in self.columns)
        self.forms = {column.name: form_of(column) for column in self.columns}
        self.limit = limit
        # Made once: pandas takes longer to make names of columns than to make the frame of a row.
        self._labels = pd.Index(self.names)
        self._is_block = bool(self.forms) and all(type(form) is Number for form in self.forms.values())

    def read_json(self, body: bytes) -> Values:
        """Returns the rows of a body.

        Raises:
            Refusal: with status 400 or 413; it names row and column.
        """
        try:
            told = _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
        except Refusal:
            raise
        except DoubledKey as error:
            raise Refusal(400, "doubled_key", str(error), column=error.key) from None
        except (ValueError, RecursionError) as error:
            raise Refusal(400, "not_json", f"the body is no JSON: {error}") from None
        if isinstance(told, dict) and told.keys() == {"rows"}:
            told = told["rows"]
        if not isinstance(told, list):
            raise Refusal(400, "not_rows", 'the body must be a list of rows, or {"rows": [...]}, each row an object')
        return self.read(told)

    def read(self, rows: Sequence[Any]) -> Values:
        """Returns rows that came as objects.

        Raises:
            Refusal: as `read_json`.
        """
        self._check_count(len(rows))
        if set(map(type, rows)) != {dict}:
            row = next(place for place, each in enumerate(rows, 1) if not isinstance(each, dict))
            raise Refusal(400, "not_an_object", f"row {row} is no object of columns and values", row=row)
        try:
            raw = [[row[name] for row in rows] for name in self.names]
        except KeyError:
            self._refuse_columns(rows)
        if any(len(row) != len(self.names) for row in rows):
            self._refuse_columns(rows)
        return self._checked(raw)

    def read_query(self, pairs: Sequence[tuple[str, str]]) -> Values:
        """Returns the rows of a query: a parameter that is repeated has a value for each row.

        Raises:
            Refusal: as `read_json`.
        """
        texts: dict[str, list[str]] = {}
        for name, text in pairs:
            texts.setdefault(name, []).append(text)
        self._refuse_unlike(texts)
        counts = {name: len(found) for name, found in texts.items()}
        rows = max(counts.values(), default=0)
        self._check_count(rows)
        short = next((name for name in self.names if counts[name] < rows), None)
        if short is not None:
            raise Refusal(
                400,
                "missing_value",
                f"column '{short}' has {counts[short]} values, another one {rows}: give one for each row",
                row=counts[short] + 1,
                column=short,
            )
        return self._checked([list(map(self.forms[name].text, texts[name])) for name in self.names])

    def frame(self, values: Values) -> pd.DataFrame:
        """Returns rows as a frame."""
        if self._is_block:  # one array takes a fraction of the time of many
            return pd.DataFrame(np.array(values, np.float64).T, columns=self._labels, copy=False)
        arrays = {
            place: form.array(column)
            for place, (form, column) in enumerate(zip(self.forms.values(), values, strict=True))
        }
        frame = pd.DataFrame(arrays, copy=False)
        frame.columns = self._labels
        return frame

    def _checked(self, raw: Values) -> Values:
        return [
            column if set(map(type, column)) <= form.types and form.is_plain(column) else self._read(name, column)
            for (name, form), column in zip(self.forms.items(), raw, strict=True)
        ]

    def _read(self, name: str, column: list[Any]) -> list[Any]:
        read, found = self.forms[name].read, []
        for row, value in enumerate(column, 1):
            try:
                found.append(read(value))
            except (ValueError, OverflowError) as error:
                message = f"row {row}, column '{name}': {error}"
                raise Refusal(400, "wrong_value", message, row=row, column=name) from None
        return found

    def _check_count(self, rows: int) -> None:
        if rows > self.limit:
            raise Refusal(
                413, "too_many_rows", f"{rows:,} rows, and {self.limit:,} are the limit: send several requests"
            )
        if not rows:
            raise Refusal(400, "no_rows", f"there is no row: a row has the columns {', '.join(self.names)}")

    def _refuse_columns(self, rows: Sequence[Mapping[str, Any]]) -> NoReturn:
        for row, each in enumerate(rows, 1):
            self._refuse_unlike(each, row)
        raise AssertionError("a row lacks a column, and none does")

    def _refuse_unlike(self, row: Mapping[str, Any], number: int | None = None) -> None:
        """Refuses a row with other columns than those of the model."""
        where = "the query" if number is None else f"row {number}"
        for name in self.names:
            if name not in row:
                message = f"{where}: column '{name}' is missing{_spelled(name, row, self.names)}"
                raise Refusal(400, "missing_column", message, row=number, column=name)
        for name in row:
            if name not in self.forms:
                message = f"{where}: column '{shown(name)}' is not known.{near_miss(name, self.names)} "
                raise Refusal(
                    400, "unknown_column", f"{message}Known: {', '.join(self.names)}", row=number, column=shown(name)
                )


def _spelled(name: str, row: Mapping[str, Any], known: Sequence[str]) -> str:
    near = near_miss(name, [shown(each) for each in row if each not in known])
    return f".{near.replace('Did you mean', 'Is it')}" if near else ": a missing value is null (in a query, empty)"


def _refuse_constant(name: str) -> NoReturn:
    raise Refusal(400, "not_json", f"the body is no JSON: it holds {name}; a missing value is null")


_DECODER = json.JSONDecoder(object_pairs_hook=checked, parse_constant=_refuse_constant)
