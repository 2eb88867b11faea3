"""A table that people read: aligned plain text where it is piped, drawn on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TextIO

from mlpipeline.observe import text


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text under column names. `title` stands above where it is not empty."""

    title: str = ""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def without_empty(self, column: str) -> Table:
        """Returns the table without a column in which nothing stands."""
        place = self.columns.index(column)
        if any(row[place] for row in self.rows):
            return self
        kept = [row[:place] + row[place + 1 :] for row in (self.columns, *self.rows)]
        return replace(self, columns=kept[0], rows=tuple(kept[1:]))


def lines(table: Table) -> list[str]:
    """Returns the table as aligned lines without decoration, good for `grep` and `cut`."""
    cells = [tuple(text.one_line(cell, 500) for cell in row) for row in table.rows]
    widths = [max(map(text.cells, column)) for column in zip(table.columns, *cells, strict=True)]
    return [_line(row, widths) for row in (tuple(name.upper() for name in table.columns), *cells)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text.padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()


def write(table: Table, stream: TextIO) -> None:
    """Writes the table, with colors, and no wider than it is, only where `stream` is a terminal."""
    if stream.isatty():
        # Imported here: rich costs 30 ms, and piped output does not need it.
        from mlpipeline.observe.drawn_table import draw

        draw(table, stream)
        return
    heading = [f"{table.title}:"] if table.title else []
    stream.writelines(f"{line}\n" for line in (*heading, *lines(table)))
