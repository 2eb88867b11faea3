"""Finds parameters in SQL by reading its tokens: never within literals, quoted names or comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mlpipeline.config_text import near_miss
from mlpipeline.errors import DataFault


class Kind(Enum):
    """What a token is."""

    SPACE = "space"
    COMMENT = "comment"
    QUOTED = "quoted"
    WORD = "word"
    BIND = "bind"
    END = "end"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL. Of a parameter, `text` is the bare name. `line` counts from 1."""

    kind: Kind
    text: str
    line: int


_TOKEN = re.compile(
    r"""
    (?P<space> \s+ )
  | (?P<comment> --[^\n]* )
  | (?P<block> /\* )
  | (?P<dollar> (?<!\w)\$(?:[^\W\d]\w*)?\$ )
  | (?P<quoted> (?<!\w)[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` )
  | (?P<open> ['"] )
  | (?P<escape> \\: )
  | (?P<cast> ::+ | := )
  | (?<![\w\\:]) : (?P<colon> [^\W\d]\w* )
  | % \( (?P<percent> [^\W\d]\w* ) \) s
  | (?P<word> [^\W\d]\w* )
  | (?P<end> ; )
  | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_KINDS = {
    "space": Kind.SPACE,
    "comment": Kind.COMMENT,
    "quoted": Kind.QUOTED,
    "colon": Kind.BIND,
    "percent": Kind.BIND,
    "word": Kind.WORD,
    "end": Kind.END,
}


def tokens(sql: str, *, file: str = "SQL") -> Iterator[Token]:
    r"""Yields the tokens of SQL. A parameter is `:name` or `%(name)s`; a colon that begins none is written `\:`.

    Raises:
        DataFault: when a quote or a comment is never closed.
    """
    place, line = 0, 1
    while place < len(sql):
        match = _TOKEN.match(sql, place)
        assert match is not None  # the last alternative takes anything
        group = match.lastgroup or "other"
        end, text = match.end(), match[group]
        if group in ("block", "dollar"):
            end = _closing(sql, match) or 0
            text = sql[place:end]
        if group == "open" or end == 0:
            raise DataFault(f"{file}:{line}: {match[0]} is never closed: close it")
        kind = {"block": Kind.COMMENT, "dollar": Kind.QUOTED}.get(group) or _KINDS.get(group, Kind.OTHER)
        yield Token(kind, ":" if group == "escape" else text, line)
        line += sql.count("\n", place, end)
        place = end


def _closing(sql: str, match: re.Match[str]) -> int | None:
    """Returns where a dollar-quoted literal or a comment ends; comments nest, as in PostgreSQL and DuckDB."""
    if match.lastgroup == "dollar":
        found = sql.find(match[0], match.end())
        return None if found < 0 else found + len(match[0])
    depth = 0
    for mark in re.finditer(r"/\*|\*/", sql[match.start() :]):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return match.start() + mark.end()
    return None


def split(found: Iterator[Token]) -> list[tuple[Token, ...]]:
    """Splits tokens into statements, without their semicolons. The body of a trigger or function is not split."""
    statements: list[tuple[Token, ...]] = []
    current: list[Token] = []
    depth = 0
    for token in found:
        word = token.text.upper() if token.kind is Kind.WORD else ""
        if word in ("BEGIN", "CASE") and _has_body(current):
            depth += 1
        elif word == "END" and depth:
            depth -= 1
        if token.kind is Kind.END and not depth:
            statements.append(tuple(current))
            current = []
        else:
            current.append(token)
    statements.append(tuple(current))
    return [each for each in statements if any(t.kind not in (Kind.SPACE, Kind.COMMENT) for t in each)]


def _has_body(begun: Sequence[Token]) -> bool:
    words = [token.text.upper() for token in begun if token.kind is Kind.WORD][:6]
    return words[:1] == ["CREATE"] and not {"TRIGGER", "FUNCTION", "PROCEDURE"}.isdisjoint(words)


def first_words(statement: Sequence[Token], count: int = 3) -> tuple[str, ...]:
    """Returns the first words of a statement in capitals."""
    words = (token.text.upper() for token in statement if token.kind is Kind.WORD)
    return tuple(word for word, _ in zip(words, range(count), strict=False))


def is_query(statement: Sequence[Token]) -> bool:
    """Whether a statement only reads: it may be asked again when the connection is lost."""
    words = {token.text.upper() for token in statement if token.kind is Kind.WORD}
    begins = first_words(statement, 1)
    changes = {"INSERT", "UPDATE", "DELETE", "MERGE", "INTO", "NEXTVAL", "SETVAL"}
    return begins[:1] in [("SELECT",), ("WITH",), ("VALUES",), ("TABLE",)] and words.isdisjoint(changes)


def names(statement: Sequence[Token]) -> list[str]:
    """Returns the parameters of a statement in order, each once."""
    return list(dict.fromkeys(token.text for token in statement if token.kind is Kind.BIND))


def check(found: Sequence[Token], values: Mapping[str, Any], file: str, *, all_used: bool) -> None:
    """Refuses SQL whose parameters have no value, and values that no parameter takes.

    Raises:
        DataFault: naming file, line and parameter.
    """
    known = names(found)
    for token in found:
        if token.kind is Kind.BIND and token.text not in values:
            hint = near_miss(token.text, values) or f" Pass {token.text}=…"
            raise DataFault(f"{file}:{token.line}: the parameter :{token.text} has no value.{hint}")
    unused = [] if not all_used else [name for name in values if name not in known]
    if unused:
        takes = ", ".join(f":{name}" for name in known) or "none"
        raise DataFault(f"{file} has no parameter :{unused[0]}.{near_miss(unused[0], known)} Its parameters: {takes}")


def normal(found: Sequence[Token]) -> str:
    """Returns SQL as the cache compares it: without comments, with single blanks, without the last semicolons."""
    parts: list[str] = []
    for token in found:
        if token.kind in (Kind.SPACE, Kind.COMMENT):
            if parts and parts[-1] != " ":
                parts.append(" ")
        else:
            parts.append(f":{token.text}" if token.kind is Kind.BIND else token.text)
    return "".join(parts).strip(" ;")
