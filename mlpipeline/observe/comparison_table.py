"""A comparison as people and programs read it: a table that fits, CSV, Markdown, JSON; pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlpipeline.observe import text
from mlpipeline.observe.comparison import Comparison
from mlpipeline.observe.comparison_rows import Row, Score
from mlpipeline.observe.table import Table

ARROWS = {"minimize": "↓", "maximize": "↑"}
BEST = "*"
_GAP, _BORDER = 3, 2
_LONGEST_VALUE = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column: where it stands, how soon it is left out (the highest rank first, 0 never), and what is in it."""

    name: str
    rank: int
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        return max(map(len, (self.name, *self.cells)))


def table(found: Comparison, width: int | None = None, limit: int | None = None) -> tuple[Table, list[str]]:
    """Returns the comparison as a table, and the columns that were left out for want of space.

    Args:
        found: what is shown.
        width: characters that a line may have; None for any number.
        limit: how many rows; None for all.
    """
    columns = _columns(found, found.rows[:limit])
    kept: set[int] = set()
    left = None if width is None else width - _BORDER + _GAP
    for place in sorted(range(len(columns)), key=lambda each: columns[each].rank):
        needed = columns[place].width + _GAP
        if left is None or needed <= left or not columns[place].rank:
            kept.add(place)
            left = None if left is None else left - needed
    shown = [columns[each] for each in sorted(kept)]
    rows = zip(*(each.cells for each in shown), strict=True)
    left_out = [each.name for place, each in enumerate(columns) if place not in kept]
    return Table(columns=tuple(each.name for each in shown), rows=tuple(rows)), left_out


def _columns(found: Comparison, rows: Sequence[Row]) -> list[_Column]:
    """Returns all columns from left to right, without those that would say nothing."""
    studies = {row.study for row in rows if row.study}
    columns = [
        ("version", 0, True, [text.one_line(row.label, 60) for row in rows]),
        ("seeds", 1, any(len(row.runs) > 1 for row in rows), [str(len(row.runs)) for row in rows]),
        ("state", 1, any(row.now != "succeeded" for row in rows), [row.now for row in rows]),
        *((heading(found, each), 3 if place else 0, True, _metric(found, rows, each))
          for place, each in enumerate(found.metrics)),
        *((each, 2, True, [value(row, each) for row in rows]) for each in found.parameters),
        ("took", 4, any(row.seconds is not None for row in rows), [text.duration(row.seconds) for row in rows]),
        ("study", 4, len(studies) > 1, [row.study[:8] for row in rows]),
    ]  # fmt: skip
    return [
        _Column(name=text.one_line(name, 60), rank=rank, cells=tuple(cells))
        for name, rank, says_something, cells in columns
        if says_something
    ]


def _metric(found: Comparison, rows: Sequence[Row], metric: str) -> list[str]:
    best = best_row(found, metric)
    return [_cell(row, metric, best) for row in rows]


def heading(found: Comparison, metric: str) -> str:
    """Returns a metric's name with an arrow that says in which direction it gets better, where that is known."""
    shown = text.one_line(metric, 40)
    return f"{shown} {ARROWS[found.directions[metric]]}" if metric in found.directions else shown


def best_row(found: Comparison, metric: str) -> Row | None:
    """Returns the row with the best value of a metric; None where its direction is not known, or no row may be it."""
    direction = found.directions.get(metric)
    if metric == found.metric:
        return None if direction is None or found.best is None else found.rows[found.best]
    means = [
        (mean, row)
        for row in found.rows
        if row.is_eligible and (score := row.scores.get(metric)) is not None and (mean := score.mean) is not None
    ]
    if direction is None or len(means) < 2:
        return None
    return (min if direction == "minimize" else max)(means, key=lambda each: each[0])[1]


def _cell(row: Row, metric: str, best: Row | None) -> str:
    told = said(row.scores.get(metric))
    return f"{told} {BEST}" if row is best else told


def said(score: Score | None) -> str:
    """Returns a metric as `0.9722`, `0.972 ± 0.004`, `nan`, or nothing."""
    if score is None:
        return ""
    interval = score.interval
    odd = " ".join(dict.fromkeys(score.odd))
    if interval is None:
        return odd
    told = text.number(interval.mean)
    if interval.half is not None:
        told += f" ± {interval.half:.2g}"
    return f"{told} ({odd})" if odd else told


def value(row: Row, address: str) -> str:
    """Returns a parameter as a cell shows it: text bare, objects by their class."""
    if address not in row.parameters:
        return ""
    found = row.parameters[address]
    if isinstance(found, float):
        return text.number(found)
    told = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return text.one_line(told, _LONGEST_VALUE)


def to_csv(found: Comparison) -> str:
    """Returns a line for each row: its version and runs, metrics with half interval and count, parameters."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    metrics = [part for name in found.metrics for part in (name, f"{name} ±95%", f"{name} n")]
    writer.writerow(["model", "version", "runs", "state", "seconds", *metrics, *found.parameters])
    for row in found.rows:
        numbers: list[Any] = []
        for name in found.metrics:
            score = row.scores.get(name)
            interval = None if score is None else score.interval
            odd = "" if score is None else " ".join(score.odd)
            numbers += [odd, "", 0] if interval is None else [interval.mean, interval.half, interval.count]
        values = [row.parameters.get(address, "") for address in found.parameters]
        told = [each if isinstance(each, str | int | float) else json.dumps(each) for each in values]
        seconds = "" if row.seconds is None else round(row.seconds, 3)
        writer.writerow([row.model, row.version, " ".join(row.runs), row.state, seconds, *numbers, *told])
    return stream.getvalue()


def to_markdown(found: Comparison, limit: int | None = None) -> str:
    """Returns a table of Markdown; the best value of each metric is bold. Nothing of a name can become markup."""
    shown, _ = table(found, limit=limit)
    lines = ["| " + " | ".join(map(escaped, shown.columns)) + " |", "|" + "---|" * len(shown.columns)]
    for row in shown.rows:
        cells = [f"**{escaped(each[:-2])}**" if each.endswith(f" {BEST}") else escaped(each) for each in row]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, *(f"\n{each}" for each in map(escaped, found.sentences))]) + "\n"


def escaped(cell: str) -> str:
    """Returns text as Markdown shows it unchanged."""
    return "".join(f"\\{each}" if each in "\\`*[]<>|#" else each for each in text.one_line(cell, 500))


def to_json(found: Comparison) -> dict[str, Any]:
    """Returns the comparison for programs."""
    study = found.study
    return {
        "format": 1,
        "metric": found.metric or None,
        "direction": found.directions.get(found.metric),
        "best": None if found.best is None else found.rows[found.best].label,
        "study": None if study is None else {"name": study.name, "model": study.model, "trials": len(study.trials)},
        "parameters": list(found.parameters),
        "metrics": {name: found.directions.get(name) for name in found.metrics},
        "rows": [_row_json(row, found) for row in found.rows],
        "sentences": list(found.sentences),
    }


def _row_json(row: Row, found: Comparison) -> dict[str, Any]:
    scores = {}
    for name in found.metrics:
        if (score := row.scores.get(name)) is not None:
            interval = score.interval
            scores[name] = {
                "mean": None if interval is None else interval.mean,
                "half_interval": None if interval is None else interval.half,
                "values": {str(each): number for each, number in score.values.items()},
                "not_finite": list(score.odd),
            }
    told = {"label": row.label, "model": row.model, "version": row.version, "runs": list(row.runs), "state": row.state}
    return told | {
        "now": row.now,
        "seconds": row.seconds,
        "study": row.study or None,
        "parameters": {each: row.parameters[each] for each in found.parameters if each in row.parameters},
        "metrics": scores,
    }
