"""Runs as lines of JSON, one a run: what `export runs jsonl` writes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from mlpipeline.errors import UsageError
from mlpipeline.observe.exchange.portable import Portable


def runs(place: str, complain: Callable[[str], None]) -> Iterator[Portable]:
    """Yields the runs of a file.

    Args:
        place: the file; `-` is what is piped.
        complain: is told of lines that are none, with their numbers.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        with sys.stdin if place == "-" else Path(place).open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    content = json.loads(line)
                    if not isinstance(content, dict):
                        raise TypeError("is no object")
                    yield Portable.from_json(content)
                except (ValueError, TypeError, KeyError, RecursionError) as error:
                    what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
                    complain(f"{place}:{number}: left out: {what}")
    except OSError as error:
        raise UsageError(f"{place}: cannot be read ({error.strerror}): name a file of `export runs jsonl`") from error
