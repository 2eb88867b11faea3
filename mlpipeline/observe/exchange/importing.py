"""Brings runs of other tools in: writes each as a run directory, aside, and has the one writer record them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpipeline import admission, requests, taking_up, wire
from mlpipeline.errors import DiskFull, NotWritable, RequestRefused, RunNotFound
from mlpipeline.ledger import Ledger
from mlpipeline.observe.exchange import staging
from mlpipeline.observe.exchange.portable import Portable
from mlpipeline.observe.exchange.staging import Standin
from mlpipeline.project import Project
from mlpipeline.run import State

BATCH = 100
"""Runs that are recorded at once: a scheduler that lives does it between two looks at its queue."""
_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z2-7]{6}")
_FORGOTTEN_SECONDS = 86_400


@dataclass(slots=True, kw_only=True)
class Report:
    """What an import did.

    Attributes:
        new: ids of what was imported.
        known: how many were here already.
        open: how many have not ended there, and so were left out.
        waiting: how many a scheduler that lives records as soon as it can.
        done: how many of the new ones count as done for the queue.
    """

    new: list[str]
    known: int = 0
    open: int = 0
    waiting: int = 0
    done: int = 0


def run_id(run: Portable) -> str:
    """Returns the id of a run: its own, else one made of what its tool knows it by, the same at every import."""
    if _ID.fullmatch(run.id):
        return run.id
    story = [run.tool, run.foreign, run.model, run.version, run.created_at.isoformat()]
    letters = base64.b32encode(hashlib.sha256(json.dumps(story).encode()).digest()).decode("ascii").lower()[:6]
    return f"{run.created_at:%Y%m%d-%H%M%S}-{letters}"


def bring_in(
    project: Project,
    runs: Iterable[Portable],
    *,
    done: Mapping[tuple[str, str], Standin] | None = None,
    dry: bool = False,
) -> Report:
    """Imports runs, each once, however often it is asked for.

    Args:
        project: where to.
        runs: of another tool; those that have not ended are left out.
        done: versions, by model and name, for which a run that succeeded counts from now on.
        dry: only counts.

    Raises:
        NotWritable, DiskFull, LedgerError: what was recorded before stays; the rest can be imported again.
        RequestRefused: the one writer refused.
    """
    report = Report(new=[])
    tidy(project)
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        for some in _batches(ledger, runs, report):
            _hand_over(project, some, done or {}, report, dry=dry)
    return report


def _batches(ledger: Ledger, runs: Iterable[Portable], report: Report) -> Iterator[list[tuple[str, Portable]]]:
    """Yields what is new, some at a time, and counts what is not."""
    waiting: list[tuple[str, Portable]] = []
    seen: set[str] = set()
    for run in runs:
        name = run_id(run)
        if not run.state.is_final or run.state is State.YIELDED:
            report.open += 1
        elif name in seen or _is_known(ledger, name):
            report.known += 1
        else:
            seen.add(name)
            waiting.append((name, run))
        if len(waiting) == BATCH:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _is_known(ledger: Ledger, name: str) -> bool:
    try:
        return ledger.run(name).id == name
    except RunNotFound:
        return False


def _hand_over(
    project: Project,
    runs: list[tuple[str, Portable]],
    done: Mapping[tuple[str, str], Standin],
    report: Report,
    *,
    dry: bool,
) -> None:
    report.new += [name for name, _ in runs]
    report.done += sum(_standin(run, done) is not None for _, run in runs)
    if dry:
        return
    batch = f"{time.time_ns():x}-{secrets.token_hex(4)}"
    place = admission.directory(project, batch)
    try:
        kept: dict[Any, tuple[str, str]] = {}
        for name, run in runs:
            standin = _standin(run, done)
            staging.write(project, place / name, name, run, standin, staging.sources_of(project, run, standin, kept))
        os.sync()  # once for all: thousands of small files, each synced alone, take minutes
        wire.write_json(place / admission.BATCH, {"format": 1, "runs": [name for name, _ in runs]}, sync=True)
        wire.sync_directory(place.parent)
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise _told(error, project.imports_dir) from error
    answer = taking_up.import_(project, batch)
    if answer is None:
        report.waiting += len(runs)
        return
    shutil.rmtree(place, ignore_errors=True)
    if not answer.ok:
        raise RequestRefused(answer.message)


def _told(error: OSError, place: Path) -> DiskFull | NotWritable:
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"{place}: the disk is full: free some space, and import again")
    return NotWritable(f"{place}: cannot be written ({error.strerror}): mend its permissions")


def _standin(run: Portable, done: Mapping[tuple[str, str], Standin]) -> Standin | None:
    return done.get((run.model, run.version)) if run.state is State.SUCCEEDED else None


def tidy(project: Project) -> None:
    """Removes what an import left that was stopped before it asked for its record."""
    asked = {each.target for each in requests.pending(project)}
    try:
        entries = list(os.scandir(project.imports_dir))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name not in asked and time.time() - entry.stat().st_mtime > _FORGOTTEN_SECONDS:
            shutil.rmtree(entry.path, ignore_errors=True)
