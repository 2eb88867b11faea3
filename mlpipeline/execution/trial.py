"""What a trial of a search is compared by: the value of one metric, from its evaluation or from what it recorded."""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from pathlib import Path

from mlpipeline import searches, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TAIL_LINES = 100


def value(directory: Path, metric: str, evaluated: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """Returns a trial's value, None where it has none, and the names of metrics that were seen.

    Args:
        directory: of the attempt; earlier ones lie beside it.
        metric: see `searches.value_of`.
        evaluated: what the evaluations returned, by group.
    """
    recorded: dict[str, float] = {}
    for each in _attempts(directory):
        recorded |= _recorded(each / wire.METRICS, metric)
    return searches.value_of(metric, evaluated, recorded)


def _attempts(directory: Path) -> list[Path]:
    """Returns the directories of a run's attempts up to this one, oldest first: a resumed one records the rest only."""
    number = int(directory.name) if directory.name.isdigit() else 0
    return [*(directory.with_name(str(each)) for each in range(1, number)), directory]


def _recorded(path: Path, metric: str) -> dict[str, float]:
    """Returns the last value of a metric, and those of the last lines; a file of a million lines is not read through.

    What was recorded as NaN or infinite stands there as text, and is no value.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found: dict[str, float] = {}
            end = len(content)
            for _ in range(_TAIL_LINES):
                if end <= 0:
                    break
                begin = content.rfind(b"\n", 0, end - 1) + 1
                found = _values(content[begin:end]) | found
                end = begin
            if metric not in found:
                place = content.rfind(f"{json.dumps(metric)}: ".encode())
                if place >= 0:
                    begin = content.rfind(b"\n", 0, place) + 1
                    found |= _values(content[begin : content.find(b"\n", place) + 1])
            return found
    except (FileNotFoundError, ValueError):  # nothing was recorded: an empty file cannot be mapped
        return {}


def _values(line: bytes) -> dict[str, float]:
    try:
        row = json.loads(line)
    except ValueError:
        return {}  # torn, as the last line may be
    values = row.get("values") if isinstance(row, dict) else None
    return dict(values) if isinstance(values, dict) else {}
