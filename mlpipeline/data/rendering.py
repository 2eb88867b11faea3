"""Writes statements as a driver takes them: parameters bound in its style, lists expanded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlpipeline.data.binds import Kind, Token
from mlpipeline.errors import DataFault

_PLACES = {"named": ":{}", "dollar": "${}", "pyformat": "%({})s", "format": "%s", "qmark": "?", "numeric": ":{}"}
_LISTS = (list, tuple, set, frozenset, range)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One statement as the driver gets it. `line` is where its first word stands in the source."""

    sql: str
    parameters: Mapping[str, Any] | tuple[Any, ...]
    tokens: tuple[Token, ...]
    line: int


def render(
    statement: tuple[Token, ...], values: Mapping[str, Any], style: str, *, comment: str = "", empty: str = "select"
) -> Rendered:
    """Writes a statement.

    Args:
        statement: its tokens.
        values: by parameter name; lists expand to as many placeholders, with parentheses where there are none.
        style: `named`, `pyformat`, `format`, `qmark`, or `dollar` ($name).
        comment: appended, after everything else.
        empty: how `IN` an empty list is written: `select` (a query without rows) or `array` (PostgreSQL's, which
            takes the type of what stands before).

    Raises:
        DataFault: when a value cannot be bound.
    """
    writer = _Writer(style, empty)
    body = _trimmed(statement)
    for place, token in enumerate(body):
        if token.kind is not Kind.BIND:
            writer.text(token.text)
        elif (items := as_list(values[token.text])) is None:
            writer.bind(token.text, values[token.text])
        else:
            writer.bind_list(token.text, items, inner=_in_parentheses(body, place))
    writer.text(f" {comment}" if comment else "")
    sql, parameters = writer.finish()
    return Rendered(sql=sql, parameters=parameters, tokens=body, line=body[0].line if body else 1)


def as_list(value: Any) -> list[Any] | None:
    """Returns the items of a list, tuple, set, range, array or column; None of anything else."""
    if isinstance(value, _LISTS):
        return list(value)
    if hasattr(value, "tolist") and getattr(value, "ndim", None):
        return list(value.tolist())
    return None


def plain(name: str, value: Any) -> Any:
    """Returns a value as drivers know it: NumPy's and pandas' scalars become Python's, their missing values None.

    Raises:
        DataFault: when it is a mapping or a table.
    """
    if hasattr(value, "to_pydatetime"):
        value = None if value != value else value.to_pydatetime(warn=False)
    elif type(value).__module__.startswith("pandas") and not hasattr(value, "ndim"):
        value = None  # pd.NA
    elif hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, Mapping) or hasattr(value, "columns") or isinstance(value, _LISTS):
        raise DataFault(f"the parameter :{name} is a {type(value).__name__}: pass a number, a text, a time, or a list")
    return value


def for_sqlite(value: Any) -> Any:
    """Returns a value as SQLite keeps it: times as SQLAlchemy writes them there, decimals as text."""
    from datetime import date, time
    from decimal import Decimal

    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="microseconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _trimmed(statement: tuple[Token, ...]) -> tuple[Token, ...]:
    """Drops blanks and comments around a statement; a line comment at the end would swallow what is appended."""
    inner = [place for place, token in enumerate(statement) if token.kind not in (Kind.SPACE, Kind.COMMENT)]
    return statement[inner[0] : inner[-1] + 1] if inner else ()


def _in_parentheses(statement: Sequence[Token], place: int) -> bool:
    return _beside(reversed(statement[:place])) == "(" and _beside(statement[place + 1 :]) == ")"


def _beside(found: Iterable[Token]) -> str:
    return next((token.text for token in found if token.kind not in (Kind.SPACE, Kind.COMMENT)), "")


class _Writer:
    """Gathers text and parameters."""

    def __init__(self, style: str, empty: str) -> None:
        self.style, self.empty = style, empty
        self.parts: list[tuple[bool, str]] = []
        self.values: dict[str, Any] = {}
        self.order: list[str] = []

    def text(self, text: str) -> None:
        self.parts.append((False, text))

    def bind(self, name: str, value: Any, index: int | None = None) -> None:
        # A plain name gets no number, so that no list's item can be called the same.
        key = f"v_{name}" if index is None else f"i{index}_{name}"
        self.values[key] = plain(name, value)
        self.order.append(key)
        self.parts.append((True, key))

    def bind_list(self, name: str, items: list[Any], *, inner: bool) -> None:
        if not items:
            self._nothing(inner=inner)
            return
        self.text("" if inner else "(")
        for index, item in enumerate(items):
            self.text(", " if index else "")
            self.bind(name, item, index)
        self.text("" if inner else ")")

    def _nothing(self, *, inner: bool) -> None:
        """Writes IN () as SQL has it: what is in no list is FALSE, and what is not in it TRUE, also for NULL."""
        if self.empty == "array" and self._turn_in_into_any(inner=inner):
            return
        self.text("SELECT NULL WHERE 1 = 0" if inner else "(SELECT NULL WHERE 1 = 0)")

    def _turn_in_into_any(self, *, inner: bool) -> bool:
        words = [place for place, (_, text) in enumerate(self.parts) if text.strip()]
        if inner and words:
            words.pop()  # the parenthesis
        if not words or self.parts[words[-1]][1].upper() != "IN":
            return False
        is_not = len(words) > 1 and self.parts[words[-2]][1].upper() == "NOT"
        tail = self.parts[words[-1] + 1 :]
        del self.parts[words[-2] if is_not else words[-1] :]
        self.parts += [(False, "<> ALL" if is_not else "= ANY"), *tail]
        self.text("'{}'" if inner else "('{}')")
        return True

    def finish(self) -> tuple[str, Mapping[str, Any] | tuple[Any, ...]]:
        # A driver that formats looks at percent signs only where there is something to bind.
        double = bool(self.values) and self.style in ("pyformat", "format")
        place = _PLACES[self.style]
        sql = "".join(
            place.format(text) if is_bind else text.replace("%", "%%") if double else text
            for is_bind, text in self.parts
        )
        if self.style in ("qmark", "format", "numeric"):
            return sql, tuple(self.values[key] for key in self.order)
        return sql, self.values
