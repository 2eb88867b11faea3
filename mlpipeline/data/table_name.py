"""Names of tables: with or without a schema, quoted where they must be, shortened where they are too long."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from mlpipeline.errors import DataFault

_PART = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')


@dataclass(frozen=True, slots=True)
class TableName:
    """A table, and the schema in which it lies; None for the connection's own."""

    name: str
    schema: str | None = None

    @classmethod
    def parse(cls, text: str) -> TableName:
        """Reads `table`, `schema.table`, or either with double quotes around names that hold dots.

        Raises:
            DataFault: when it is none of them.
        """
        parts: list[str] = []
        place = 0
        while match := _PART.match(text, place):
            parts.append(match[1].replace('""', '"') if match[1] else match[2])
            place = match.end()
            if not text.startswith(".", place):
                break
            place += 1
        if place != len(text) or len(parts) not in (1, 2) or text.endswith("."):
            raise DataFault(f"{text!r} is no name of a table: write table or schema.table")
        return cls(parts[-1], parts[0] if len(parts) == 2 else None)

    def quoted(self, quote: Any) -> str:
        """Returns the name as SQL has it."""
        return f"{quote(self.schema)}.{quote(self.name)}" if self.schema else str(quote(self.name))

    def beside(self, name: str) -> TableName:
        """Returns another table of the same schema."""
        return TableName(name, self.schema)


def suffixed(name: str, suffix: str, limit: int) -> str:
    """Returns a name with a suffix in at most `limit` bytes; where it must be cut, a digest keeps it apart."""
    if len(f"{name}{suffix}".encode()) <= limit:
        return f"{name}{suffix}"
    tail = f"_{hashlib.sha256(name.encode()).hexdigest()[:8]}{suffix}"
    return name.encode()[: limit - len(tail.encode())].decode("utf-8", "ignore") + tail
