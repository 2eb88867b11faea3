"""Rows that a run recorded, read as often as they are asked for: a million of them are never held at once."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlpipeline import wire
from mlpipeline.errors import NotWritable
from mlpipeline.run import Run
from mlpipeline.rundir import read_metrics


class OfRun:
    """What a run recorded. What a later attempt recorded again counts in place of what an earlier one did.

    Args:
        root: of the project.
        run: of the ledger; what is gone of its directories has no rows.

    Attributes:
        is_bare: whether its last attempt's directory was gone when the rows had been read.
    """

    def __init__(self, root: Path, run: Run) -> None:
        self._files = [root / attempt.directory / wire.METRICS for attempt in run.attempts]
        self.is_bare = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yields the rows, oldest first."""
        begins = [_step(next(read_metrics(file), {})) for file in self._files]
        for place, file in enumerate(self._files):
            end = min((begin for begin in begins[place + 1 :] if begin is not None), default=None)
            for row in read_metrics(file):
                step = _step(row)
                if end is None or step is None or step < end:
                    yield row
        self.is_bare = not self._files[-1].with_name(wire.SPEC).exists()


def _step(row: dict[str, Any]) -> int | None:
    step = row.get("step")
    return step if isinstance(step, int) else None


class Spooled:
    """Rows that were read from where they cannot be read again; they lie in a temporary file.

    Raises:
        NotWritable: there is no room for them.
    """

    def __init__(self, rows: Iterator[str]) -> None:
        try:
            self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - it is closed with the rows
            for row in rows:
                self._file.write(row + "\n")
            self._file.flush()
        except OSError as error:
            place = tempfile.gettempdir()
            raise NotWritable(f"{place}: cannot be written ({error.strerror}): name another in TMPDIR") from error

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yields the rows, oldest first."""
        self._file.seek(0)
        yield from map(json.loads, self._file)

    def __del__(self) -> None:
        """Frees the room."""
        if hasattr(self, "_file"):
            self._file.close()
