"""What makes two questions the same to the cache: whom, in which dialect, which SQL, with which typed values."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from mlpipeline.data import binds, rendering
from mlpipeline.data.extracts import Query
from mlpipeline.errors import DataFault

_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question to a database as the cache knows it; nothing of it is secret but what the values are.

    Attributes:
        connection: the digest of whom is asked; see `credentials.identity`.
        name: of the connection, as people call it.
        dialect: of its SQL.
        sql: normalized: without comments, with single blanks.
        parameters: canonical JSON of the values with their types, sorted by name.
        extract: the name of the extract; empty for SQL in code.
        extract_digest: of its files; empty for SQL in code.
        form: what is kept: `frame` or `rows`.
    """

    connection: str
    name: str
    dialect: str
    sql: str
    parameters: str
    extract: str
    extract_digest: str
    form: str = "frame"

    @property
    def key(self) -> str:
        """SHA-256 over everything that decides the answer: not over names."""
        parts = [self.connection, self.dialect, self.sql, self.parameters, self.extract_digest, self.form]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def question(query: Query, *, connection: str, name: str, dialect: str, form: str = "frame") -> Question:
    """Returns the question that a query asks of a connection.

    Raises:
        DataFault: when the type of a value is not known here, so that two values might look the same.
    """
    return Question(
        connection=connection,
        name=name,
        dialect=dialect,
        sql=binds.normal(query.tokens),
        parameters=typed(query.used),
        extract=query.name,
        extract_digest=query.digest,
        form=form,
    )


def typed(values: Mapping[str, Any]) -> str:
    """Returns values with their types as JSON, in one order however they were passed: 1, True, 1.0 and '1' differ.

    Raises:
        DataFault: when the type of a value is not known here.
    """
    return json.dumps([[name, *_typed(name, values[name])] for name in sorted(values)], ensure_ascii=True)


def _typed(name: str, value: Any) -> list[Any]:
    items = rendering.as_list(value)
    if items is not None:
        # A set has no order of its own.
        found = [_typed(name, item) for item in items]
        return ["list", sorted(found, key=repr) if isinstance(value, set | frozenset) else found]
    value = rendering.plain(name, value)
    match value:
        case None | bool() | int() | str():
            return [type(value).__name__, value if not isinstance(value, int) else int(value)]
        case float():
            return ["float", value.hex() if math.isfinite(value) else repr(value)]
        case bytes() | bytearray() | memoryview():
            return ["bytes", bytes(value).hex()]
        case datetime() | date() | time():
            return [type(value).__name__, value.isoformat()]
        case Decimal() | UUID():
            return [type(value).__name__, str(value)]
        case timedelta():
            return ["timedelta", [value.days, value.seconds, value.microseconds]]
        case _:
            raise DataFault(
                f"the parameter :{name} is a {type(value).__name__}, which the cache cannot tell from another: pass a "
                "number, a text or a time, or ask without cache=True"
            )


def differences(asked: Question, kept: Question) -> list[str]:
    """Returns in words what keeps an answer from being that of a question; empty where it is."""
    found = []
    if asked.connection != kept.connection:
        found.append(f"it was asked of another database (connection {kept.name!r})")
    if asked.dialect != kept.dialect:
        found.append(f"the dialect was {kept.dialect}")
    if asked.sql != kept.sql:
        found.append(f"the SQL was: {kept.sql[:_SHOWN]}")
    if asked.parameters != kept.parameters:
        found.append(f"the parameters were: {words(kept.parameters)}")
    if asked.extract_digest != kept.extract_digest:
        found.append("the extract's file was another, or had other content")
    if asked.form != kept.form:
        found.append(f"{kept.form} were asked for")
    return found


def words(parameters: str) -> str:
    """Returns canonical parameters as people read them: `limit=100, name='bob'`."""
    found = []
    for name, kind, value in json.loads(parameters):
        number = float.fromhex(value) if kind == "float" and "0x" in value else value
        shown = repr(number) if kind in ("str", "int", "bool", "NoneType", "float") else str(value)
        found.append(f"{name}={shown[:_SHOWN]}")
    return ", ".join(found) or "none"
