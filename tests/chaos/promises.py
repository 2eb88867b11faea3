"""What a queue has promised at a moment of its recording, and whether a disk keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from mlpipeline import requests, wire
from mlpipeline.errors import LedgerError
from mlpipeline.execution import snapshot
from mlpipeline.execution.model_directory import OWNER
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.queue import fsck
from mlpipeline.queue.output import HostFiles
from mlpipeline.run import Attempt, Run, State

from .power_cuts import changes, state
from .recorded_writes import Data, Mark, Recording, Sync

LEDGER = "outputs/ledger-here.db"
_ORDER = {State.SUBMITTED: 0, State.RUNNING: 1}


class Promises:
    """What was acknowledged before each moment of a recording: in the ledger, in words, in the models' own record.

    Args:
        recording: of the whole life of a queue.
        root: the project's.
        scratch: an empty directory.
    """

    def __init__(self, recording: Recording, root: Path, scratch: Path) -> None:
        self.recording = recording
        self.root = root
        self.scratch = scratch
        syncs = {number: event for number, event in enumerate(recording.events) if isinstance(event, Sync)}
        self.commits = [number for number, sync in syncs.items() if "/ledger-here.db" in sync.path]
        self._ledger = {syncs[number].inode for number in self.commits}
        self._runs: dict[int, list[Run]] = {}

    def is_of_ledger(self, number: int) -> bool:
        """Whether an event changed the ledger's file or its journal."""
        event = self.recording.events[number]
        return isinstance(event, Data) and event.inode in self._ledger

    def runs(self, cut: int) -> list[Run]:
        """Returns what stood in the ledger when it was synced last before a cut."""
        before = [number for number in self.commits if number < cut]
        if not before:
            return []
        if before[-1] not in self._runs:
            self._runs[before[-1]] = self._committed(before[-1])
        return self._runs[before[-1]]

    def _committed(self, sync: int) -> list[Run]:
        event = self.recording.events[sync]
        assert isinstance(event, Sync)
        everything = set(changes(self.recording.events, event.covers))
        disk = state(self.recording, event.covers, everything, {})
        place = self.scratch / str(sync)
        place.mkdir(parents=True)
        for name in (LEDGER, f"{LEDGER}-wal"):
            if (content := disk.files.get(name)) is not None:
                (place / Path(name).name).write_bytes(content)
        with closing(Ledger.open_readonly(place / Path(LEDGER).name)) as ledger:
            return ledger.runs()

    def succeeded(self, cut: int) -> set[str]:
        """Returns the versions whose success was recorded before a cut."""
        return {run.version for run in self.runs(cut) if run.state is State.SUCCEEDED}

    def was_accepted(self, cut: int) -> bool:
        """Whether the request was accepted before a cut."""
        printed = [event.content for event in self._marks(cut) if not event.path.startswith("/")]
        return b": accepted" in b"".join(printed)

    def was_made(self, cut: int, name: str) -> bool:
        """Whether a file of the project's root was made before a cut."""
        return any(event.path == f"{self.root}/{name}" for event in self._marks(cut))

    def truth(self, cut: int) -> bytes:
        """Returns what the models had said before a cut."""
        return b"".join(event.content for event in self._marks(cut) if event.path == f"{self.root}/truth.jsonl")

    def _marks(self, cut: int) -> list[Mark]:
        return [event for event in self.recording.events[:cut] if isinstance(event, Mark)]

    def broken(self, root: Path, cut: int) -> list[str]:
        """Returns every promise made before a cut that the project in a directory does not keep.

        The ledger is opened as a scheduler opens it, so the directory is changed.
        """
        project = Project.load(root)
        try:
            with closing(Ledger.open(project.ledger_path)) as ledger:
                recorded = {run.id: run for run in ledger.runs()}
            found = fsck.check(project)
        except LedgerError as error:
            return [f"the ledger cannot be opened: {error}"]
        for run in self.runs(cut):
            found += _forgotten(run, recorded.get(run.id))
        for run in recorded.values():
            found += _incomplete(project, run)
        if self.was_accepted(cut) and not _is_known(project):
            found.append("an accepted request is gone")
        return found


def _forgotten(promised: Run, run: Run | None) -> Iterator[str]:
    if run is None:
        yield f"{promised.id}: was recorded and is gone"
        return
    if promised.retry_asked and not run.retry_asked and len(run.attempts) == len(promised.attempts):
        yield f"{promised.id}: the wish for a retry is gone"
    attempts = {each.token: each for each in run.attempts}
    for each in promised.attempts:
        known = attempts.get(each.token)
        if known is None or not _is_later(each, known):
            yield f"{promised.id}.{each.number}: was {each.state.value}, is {known.state.value if known else 'gone'}"


def _is_later(promised: Attempt, known: Attempt) -> bool:
    if promised.state.is_final:
        return known.state is promised.state and known.reported >= promised.reported
    return known.state.is_final or _ORDER[known.state] >= _ORDER[promised.state]


def _incomplete(project: Project, run: Run) -> Iterator[str]:
    """Yields what a record in the ledger says and the files beside it do not."""
    files = HostFiles(project, enabled=True)
    for each in run.attempts:
        if each.reported and not files.has_block(run.id, each.number):
            yield f"{run.id}.{each.number}: its block of results is recorded as written and is missing"
    try:
        copy = snapshot.load(project.sources_dir / run.sources)
        if snapshot.digest_of(copy.read(), copy.main)[0] != run.sources:
            yield f"{run.id}: its copied sources are damaged"
    except (OSError, ValueError) as error:
        yield f"{run.id}: its copied sources cannot be read: {error}"
    if run.state is State.SUCCEEDED:
        owner = wire.read_json(project.model_dirs / run.model_dir / OWNER) or {}
        if owner.get("run") != run.id:
            yield f"{run.id}: succeeded, and its model directory is gone"


def _is_known(project: Project) -> bool:
    answers = [wire.read_json(path) for path in project.requests_dir.glob("*.answer.json")]
    return bool(requests.pending(project)) or any(answer and answer["ok"] for answer in answers)


def trained(truth: bytes, event: str = "train") -> list[str]:
    """Returns the versions that the models' own record names, in order."""
    rows = [json.loads(line) for line in truth.splitlines()]
    return [row["version"] for row in rows if row["event"] == event]
