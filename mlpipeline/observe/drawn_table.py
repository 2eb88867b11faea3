"""A table on a terminal: in colors, and whole at every width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TextIO

from rich.console import Console
from rich.text import Text

from mlpipeline.observe import text
from mlpipeline.observe.table import Table

_STYLES = {
    "succeeded": "green", "done": "green", "running": "cyan", "submitted": "cyan", "failed": "red", "gave_up": "red",
    "lost": "red", "STALLED": "bold yellow", "adopted": "cyan",
    "cancelled": "yellow", "yielded": "yellow", "held": "yellow",
}  # fmt: skip


_PLAIN = ("result", "why", "message", "last metrics")
_TYPED = ("run", "takes")
_GAP = 2
_LONGEST, _LEAST, _NARROWEST = 40, 24, 12


def draw(table: Table, stream: TextIO) -> None:
    """Draws a table on a terminal."""
    console = Console(file=stream, highlight=False)
    rows = tuple(tuple(text.one_line(cell, 500) for cell in row) for row in table.rows)
    if table.title:
        console.print(Text(table.title, "bold"))
    for line in drawn(replace(table, rows=rows), console.width):
        console.print(line, no_wrap=True, overflow="ignore", crop=False)


def drawn(table: Table, width: int) -> list[Text]:
    """Returns the table as lines no wider than a terminal.

    What a row has no room for stands below it, by name. Nothing is cut: it may be typed into the next command.
    """
    natural = [max(map(text.cells, column)) for column in zip(table.columns, *table.rows, strict=True)]
    if sum(natural) + _GAP * len(natural) <= width:
        return _laid(natural, table, width)
    named = zip(table.columns[:-1], natural, strict=False)
    widths = [each if name in _TYPED else min(each, _LONGEST) for name, each in named]
    rest = width - 1 - sum(each + _GAP for each in widths)
    if rest >= min(natural[-1], _LEAST):
        return _laid([*widths, min(natural[-1], rest)], table, width)
    if len(widths) > 1:  # the name folds, however little room there is beside what is typed
        widths[1] = min(widths[1], max(_NARROWEST, width - 1 - widths[0] - _GAP))
    kept = 1
    while kept < len(widths) and sum(widths[: kept + 1]) + _GAP * kept < width:
        kept += 1
    return _laid(widths[:kept], table, width)


def _laid(widths: Sequence[int], table: Table, width: int) -> list[Text]:
    found = _row([Text(name, "bold") for name in table.columns[: len(widths)]], widths)
    for row in table.rows:
        # Text, never markup: a version may be called [red].
        found += _row([Text(cell, _STYLES.get(cell, "")) for cell in row[: len(widths)]], widths)
        below = [
            cell if name in _PLAIN else f"{name} {cell}"
            for name, cell in zip(table.columns[len(widths) :], row[len(widths) :], strict=True)
            if cell
        ]
        if below:
            found += [Text("    ") + line for line in _folded(Text(" · ".join(below)), max(8, width - 5))]
    return found


def _row(cells: Sequence[Text], widths: Sequence[int]) -> list[Text]:
    columns = [_folded(cell, wide) for cell, wide in zip(cells, widths, strict=True)]
    found = []
    for place in range(max(map(len, columns))):
        line = Text()
        for column, wide in zip(columns, widths, strict=True):
            cell = column[place] if place < len(column) else Text()
            line.append_text(cell).append(" " * (wide - cell.cell_len + _GAP))
        line.rstrip()
        found.append(line)
    return found


def _folded(told: Text, wide: int) -> list[Text]:
    if told.cell_len <= wide:
        return [told]
    lines = list(told.wrap(Console(width=wide), wide, overflow="fold"))
    for each in lines:
        each.rstrip()
    return lines
