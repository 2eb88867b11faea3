"""Says what a database refused: the file, the line, the statement and the reason; and nothing that is secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from mlpipeline.data import credentials
from mlpipeline.data.rendering import Rendered
from mlpipeline.errors import DatabaseError

_LONGEST = 600
_PLACES = (
    re.compile(r'near "([^"]+)"'),  # SQLite
    re.compile(r"no such (?:table|column|function): (?:\w+\.)?(\S+)"),
    re.compile(r"has no column named (\S+)"),
    re.compile(r'Referenced (?:column|table) "([^"]+)"'),  # DuckDB
    re.compile(r"Table with name (\S+) does not exist"),
)


def refused(
    error: BaseException, source: str, statement: Rendered | None, hidden: Iterable[str], *, is_lost: bool = False
) -> DatabaseError:
    """Returns what to raise in the place of what a driver raised.

    Args:
        error: the driver's, or SQLAlchemy's around it.
        source: the file of the statement, or `SQL`.
        statement: what was asked; None where it was no statement.
        hidden: secrets, which the driver may repeat.
        is_lost: whether the connection was lost while it ran.
    """
    said = reason(error, hidden)
    if statement is None:
        return DatabaseError(said)
    line = line_of(error, statement)
    name = f"{source}, rendered line" if source.endswith(".j2") else source
    place = f"{name}{' ' if source.endswith('.j2') else ':'}{line}"
    lost = (
        "; the connection was lost, and whether the statement took effect is not known: look first" if is_lost else ""
    )
    sql = "".join(f":{token.text}" if token.kind.value == "bind" else token.text for token in statement.tokens)
    shown = credentials.clean(sql if len(sql) <= _LONGEST else f"{sql[:_LONGEST]}…", hidden)
    return DatabaseError(f"{place}: {said}{lost}\n  {shown}")


def reason(error: BaseException, hidden: Iterable[str]) -> str:
    """Returns what a driver says, in its first lines, without secrets and without SQLAlchemy's additions."""
    original = getattr(error, "orig", None) or error
    text = str(original).strip() or type(original).__name__
    primary = getattr(getattr(original, "diag", None), "message_primary", None)
    if primary:
        detail = original.diag.message_detail or original.diag.message_hint  # type: ignore[union-attr]
        text = f"{primary} ({detail})" if detail else str(primary)
    return credentials.clean(text.partition("\n\nLINE ")[0].partition("\nLINE ")[0].strip(), hidden)


def line_of(error: BaseException, statement: Rendered) -> int:
    """Returns the line of the source that an error is about; the statement's first where the driver does not say."""
    original = getattr(error, "orig", None) or error
    position = getattr(getattr(original, "diag", None), "statement_position", None)
    if position:
        return statement.line + statement.sql.count("\n", 0, int(position) - 1)
    text = str(original)
    if found := re.search(r"^LINE (\d+):", text, re.MULTILINE):
        return statement.line + int(found[1]) - 1
    for pattern in _PLACES:
        if found := pattern.search(text):
            near = [each.line for each in statement.tokens if each.text.strip('"').lower() == found[1].lower()]
            return near[0] if near else statement.line
    return statement.line


def chained(error: BaseException, hidden: Iterable[str]) -> BaseException | None:
    """Returns an error as the cause of ours; None where a secret stands anywhere in it, for tracebacks show causes."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or each in seen:
            continue
        seen.append(each)
        waiting += [each.__cause__, each.__context__, getattr(each, "orig", None)]
    told = " ".join(f"{each} {each.args!r}" for each in seen)
    return None if any(secret in told for secret in hidden) else error
