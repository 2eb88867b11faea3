"""The files for people: what was said, and a block of results per finished attempt."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlpipeline import wire
from mlpipeline.errors import DiskFull
from mlpipeline.execution.capture import clean
from mlpipeline.project import Project
from mlpipeline.run import Attempt, Run

MAX_BYTES = 20_000_000
KEEP = 5
_RULE = "=" * 80
_OF_RESULT = ("evaluation_errors", "model_dir_action", "model_summary", "loader_summary", "notes")


def plain(text: str) -> str:
    """Removes escape codes and control characters; every kind of line end becomes a newline."""
    cleaned = clean(text.encode("utf-8", "backslashreplace")).decode("utf-8", "replace")
    return re.sub(r"\r\n?", "\n", cleaned)


class HostFiles:
    """The log and output files of one host. Each line and block is appended by one write.

    Args:
        project: where they lie.
        enabled: False writes nothing (`--no-log`, test mode).
        max_bytes: a larger file is set aside as `.1`, `.2`, … before the next line.
    """

    def __init__(self, project: Project, *, enabled: bool, max_bytes: int = MAX_BYTES) -> None:
        self.project = project
        self.enabled = enabled
        self.max_bytes = max_bytes
        self._named = 0

    def log(self, message: str, level: str = "INFO", run: str | None = None) -> None:
        """Appends a line of the scheduler's own.

        Raises:
            DiskFull: when there is no space for it.
        """
        where = f" [{run}]" if run else ""
        self._line(f"{level:<7}{where} {message}")

    def message(self, text: str, level: str, run: str) -> None:
        """Appends what a run said. The mark after its name tells it from the scheduler's words about it."""
        self._line(f"{level:<7} [{run}] | {text}")

    def _line(self, text: str) -> None:
        now = datetime.now(UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        # A message of several lines stays one entry: what follows is indented.
        self._append(self.project.log_path, f"{now} {plain(text).replace(chr(10), chr(10) + '    ')}\n")

    def count_messages(self, run: str) -> int:
        """Returns how many messages of a run the log holds, set-aside files included."""
        mark = f" [{run}] | "
        return sum(1 for line in self._lines(self.project.log_path) if mark in line and not line.startswith("    "))

    def _lines(self, path: Path) -> Iterator[str]:
        for each in (*(path.with_name(f"{path.name}.{n}") for n in range(KEEP, 0, -1)), path):
            try:
                with each.open(encoding="utf-8", errors="replace") as file:
                    yield from file
            except FileNotFoundError:
                continue

    def has_block(self, run_id: str, number: int) -> bool:
        """Whether the block of an attempt stands in the output file."""
        last = f"run {run_id}.{number}\n"
        return self.enabled and any(line == last for line in self._lines(self.project.output_path))

    def block(self, run: Run, attempt: Attempt, details: Mapping[str, Any]) -> None:
        """Appends the block of results of a finished attempt. It is on disk after `sync`.

        Args:
            run: whose attempt it is.
            attempt: what the ledger knows of it.
            details: what its files know of it; see `details_of`.

        Raises:
            DiskFull: when there is no space for it; a part of it may stand in the file, without its last line.
        """
        self._append(self.project.output_path, "\n".join(_block(run, attempt, details)) + "\n")

    def sync(self) -> None:
        """Makes the blocks last that were appended.

        Raises:
            OSError: nobody knows whether they do.
        """
        if not self.enabled:
            return
        path = self.project.output_path
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            inode = os.fstat(descriptor).st_ino
        finally:
            os.close(descriptor)
        if inode != self._named:
            wire.sync_directory(path.parent)
            self._named = inode

    def _append(self, path: Path, text: str) -> None:
        if not self.enabled:
            return
        data = text.encode("utf-8", "backslashreplace")
        try:
            self._rotate(path, len(data))
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                written = os.write(descriptor, data)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(f"{path}: the disk is full: free some space") from error
            raise
        if written < len(data):
            raise DiskFull(f"{path}: the disk is full: free some space")

    def _rotate(self, path: Path, more: int) -> None:
        try:
            if path.stat().st_size + more <= self.max_bytes:
                return
        except FileNotFoundError:
            return
        if path == self.project.output_path:
            self.sync()
        for number in range(KEEP, 0, -1):
            older = path.with_name(f"{path.name}.{number}")
            newer = path if number == 1 else path.with_name(f"{path.name}.{number - 1}")
            with contextlib.suppress(FileNotFoundError):  # there are not so many yet, or keeping house took it
                newer.replace(older)


def details_of(directory: Path) -> dict[str, Any]:
    """Reads what a block shows beyond the ledger's record; what is not there is None or empty."""
    spec, result, outcome = (wire.read_json(directory / name) or {} for name in (wire.SPEC, wire.RESULT, wire.OUTCOME))
    return {name: result.get(name) for name in _OF_RESULT} | {
        "params": {**(spec.get("params") or {}), **(spec.get("changes") or {})},
        "metrics": outcome.get("metrics") or result.get("metrics"),
        "warnings": outcome.get("warnings"),
    }


def _block(run: Run, attempt: Attempt, details: Mapping[str, Any]) -> Iterator[str]:
    ended = (attempt.ended_at or datetime.now(UTC)).astimezone()
    yield _RULE
    yield f"date:       {ended:%Y-%m-%d %H:%M:%S}"
    yield f"model:      {_indented(run.model)}"
    yield f"version:    {_indented(run.version)}" + (f" (replicate {run.replicate})" if run.replicate else "")
    yield f"state:      {attempt.state.value}" + (f" ({attempt.cause.value})" if attempt.cause.value != "none" else "")
    if attempt.seconds is not None:
        yield f"duration:   {attempt.seconds:.1f} s"
    yield f"seed:       {run.seed}"
    if attempt.message:
        yield f"message:    {_indented(attempt.message)}"
    if details.get("model_dir_action"):
        yield f"model dir:  {_indented(run.model_dir)} ({_indented(str(details['model_dir_action']))})"
    yield from _evaluations(details.get("metrics") or {}, details.get("evaluation_errors") or {})
    if details.get("params"):
        yield "parameters:"
        yield from _table(details["params"])
    for title, key in (("model summary", "model_summary"), ("data loader summary", "loader_summary")):
        if details.get(key):
            yield f"{title}:"
            yield f"    {_indented(str(details[key]).strip())}"
    for key in ("notes", "warnings"):
        for text in details.get(key) or ():
            yield f"{key.removesuffix('s')}:       {_indented(str(text))}"[:2000]
    yield f"run {run.id}.{attempt.number}"


def _evaluations(metrics: Mapping[str, Any], errors: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys(["train", "test", *metrics, *errors]):
        if name in errors:
            yield f"evaluation on {_indented(name)} input failed: {_indented(str(errors[name]))}"
        elif values := metrics.get(name):
            yield f"evaluation on {_indented(name)} input:"
            yield from _table(values)


def _table(values: Mapping[str, Any]) -> Iterator[str]:
    width = max((len(str(key)) for key in values), default=0)
    for key, value in values.items():
        shown = f"{value:.6g}" if isinstance(value, float) else str(value)
        yield f"    {_indented(str(key)):<{width}}  {_indented(shown)}"


def _indented(text: str) -> str:
    # No line of a model's text may pass for the last line of a block. Cleaned text by text, since an escape code
    # that one leaves open would swallow what follows.
    return plain(text).replace("\n", "\n    ")
