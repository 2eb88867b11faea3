"""Proves that the ledger and the run directories agree, and makes a ledger anew from the directories."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mlpipeline import admission, ledger_rows, requests, wire
from mlpipeline.errors import LedgerError, RunNotFound
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.replay import Replayer
from mlpipeline.run import IMPORTED, TRANSITIONS, Attempt, Run, State

# Another algorithm may have given new code digests since, and wishes for a retry are in the ledger alone.
_RUN_FIELDS = (
    "model",
    "version",
    "replicate",
    "seed",
    "params_digest",
    "invocation",
    "model_dir",
    "created_at",
    "params",
)
_ATTEMPT_FIELDS = tuple(name for name in ledger_rows.ATTEMPT_COLUMNS if name != "reported")


def check(project: Project) -> list[str]:
    """Returns a line for each violated invariant. Changes nothing; a scheduler may be at work.

    Checked are: the file itself; one terminal record an attempt and at most one live attempt a run; states that can
    be; that ledger and run directories say the same of every run that either knows.

    Raises:
        LedgerDamaged, LedgerTooNew, LedgerError: the ledger cannot be read at all.
    """
    replayer = Replayer(project)
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        found = ledger.faults()
        recorded = {run.id: run for run in ledger.runs(newest_first=False)}
        foreign = _foreign(project) | _waiting(project)
        for run_id in sorted({*recorded, *replayer.ids()} - (foreign - recorded.keys())):
            if _disagreements(recorded.get(run_id), replayer, run_id):
                # What happened in between is no fault: only what a second look still sees is one.
                found += _disagreements(_again(ledger, run_id), replayer, run_id)
    return found


def _waiting(project: Project) -> set[str]:
    """Returns the runs that the next who may write the ledger takes up: fits by hand, imported ones."""
    asked = requests.pending(project)
    fits = {each.target for each in asked if each.action == requests.Action.RECORD}
    batches = (admission.listed(project, each.target) for each in asked if each.action == requests.Action.IMPORT)
    return fits.union(*batches)


def _again(ledger: Ledger, run_id: str) -> Run | None:
    try:
        return ledger.run(run_id)
    except RunNotFound:
        return None


def _disagreements(run: Run | None, replayer: Replayer, run_id: str) -> list[str]:
    replay = replayer.replay(run_id)
    found = [f"run {run_id}: {fault}" for fault in replay.faults]
    if run is None:
        # A directory that nobody started was written by a scheduler that ended before it acknowledged the run.
        if replay.run is not None and (len(replay.run.attempts) > 1 or replay.run.state is not State.SUBMITTED):
            found.append(f"run {run_id}: it has run, but the ledger does not know it")
        return found
    found += [f"run {run_id}: {fault}" for fault in _impossible(run)]
    if replay.run is None:
        place = replayer.project.relative(replayer.project.runs_dir / run_id)
        return [*found, f"run {run_id}: its directory {place} is missing or damaged"]
    return [*found, *(f"run {run_id}: {fault}" for fault in _differences(run, replay.run))]


def _impossible(run: Run) -> Iterator[str]:
    if [each.number for each in run.attempts] != list(range(1, len(run.attempts) + 1)):
        yield f"attempts {', '.join(str(each.number) for each in run.attempts)} are not counted from 1"
    for each in run.attempts:
        if not each.state.is_final and each is not run.last:
            yield f"attempt {each.number} is {each.state.value}, and a later one began"
        if each.state.is_final != (each.ended_at is not None):
            yield f"attempt {each.number} is {each.state.value}, ended at {each.ended_at}"
        if each.started_at is None and each.state not in {State.SUBMITTED, *TRANSITIONS[State.SUBMITTED]} - {
            State.RUNNING
        }:
            yield f"attempt {each.number} is {each.state.value} and was never started"


def _differences(run: Run, replayed: Run) -> Iterator[str]:
    ours, theirs = _row(run), _row(replayed)
    for name in _RUN_FIELDS:
        if ours[name] != theirs[name]:
            yield f"{name} is {ours[name]} in the ledger, {theirs[name]} in its directory"
    if run.sources != replayed.sources:
        yield f"sources are {run.sources} in the ledger, {replayed.sources} in its directory"
    attempts = {each.number: each for each in replayed.attempts}
    for each in run.attempts:
        yield from _attempt_differences(each, attempts.pop(each.number, None))
    for number, each in attempts.items():
        if each.state is not State.SUBMITTED:
            yield f"attempt {number} has run, but the ledger does not know it"


def _row(run: Run) -> dict[str, object]:
    return dict(zip(ledger_rows.RUN_COLUMNS, ledger_rows.run_values(run), strict=True))


def _attempt_differences(ours: Attempt, theirs: Attempt | None) -> Iterator[str]:
    name = f"attempt {ours.number}"
    if theirs is None:
        yield f"{name}: its directory {ours.directory} is missing or damaged"
    elif ours.token != theirs.token:
        yield f"{name}: the token in its directory is another attempt's"
    elif ours.state.is_final and not theirs.state.is_final:
        yield f"{name} is {ours.state.value} in the ledger, and there is no outcome in {ours.directory}"
    elif ours.state.is_final:
        pairs = zip(ledger_rows.attempt_values(ours), ledger_rows.attempt_values(theirs), strict=True)
        for field, (mine, other) in zip(ledger_rows.ATTEMPT_COLUMNS, pairs, strict=True):
            if field in _ATTEMPT_FIELDS and mine != other:
                yield f"{name}: {field} is {mine} in the ledger, {other} in its directory"


def _foreign(project: Project) -> set[str]:
    """Returns the runs that other hosts' ledgers hold, where hosts share the project."""
    found: set[str] = set()
    for path in project.outputs_dir.glob("ledger-*.db"):
        if path != project.ledger_path:
            # Theirs may be damaged, or newer: that is for their own fsck to say.
            with suppress(LedgerError), closing(Ledger.open_readonly(path)) as ledger:
                found |= {run.id for run in ledger.runs()}
    return found


def rebuild(project: Project, target: Path) -> int:
    """Makes a ledger from the run directories, and puts it in the place of the present one, which is kept beside it.

    Renamings are followed. Wishes for a retry, which stand in the ledger alone, are lost. The scheduler must not be
    running.

    Returns:
        how many runs it holds.

    Raises:
        NotWritable, DiskFull: the present ledger is as it was.
    """
    beside = target.with_name(f"{target.name}.part")
    for leftover in _files(beside):
        leftover.unlink(missing_ok=True)
    foreign, blocks, replayer = _foreign(project), _blocks(project), Replayer(project)
    replays = (replayer.replay(run_id) for run_id in replayer.ids() if run_id not in foreign)
    runs = [_reported(each.run, blocks) for each in replays if each.run is not None]
    runs.sort(key=lambda run: (run.created_at, run.id))
    with closing(Ledger.open(beside)) as ledger:
        count = ledger.import_runs(runs)
    _set_aside(target)
    os.replace(beside, target)
    wire.sync_directory(target.parent)
    return count


def _files(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "")]


def _set_aside(target: Path) -> None:
    """Keeps the present ledger under another name. Its own name stays taken, so that no moment is without a ledger."""
    kept = target.with_name(f"{target.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    with suppress(FileNotFoundError):
        shutil.copy2(target, kept)
    for old, new in zip(_files(target)[:2], _files(kept)[:2], strict=True):
        # The journal must go: SQLite would write its pages into whatever file stands beside it.
        with suppress(FileNotFoundError):
            os.rename(old, new)


def _reported(run: Run, blocks: set[str]) -> Run:
    is_told = run.last.executor == IMPORTED  # there is no block of what was trained elsewhere
    attempts = (replace(each, reported=is_told or f"{run.id}.{each.number}" in blocks) for each in run.attempts)
    return replace(run, attempts=tuple(attempts))


def _blocks(project: Project) -> set[str]:
    """Returns the attempts whose block of results stands in the output files, those set aside included."""
    found = set()
    for path in project.output_path.parent.glob(f"{project.output_path.name}*"):
        with path.open(encoding="utf-8", errors="replace") as file:
            found |= {line[4:-1] for line in file if line.startswith("run ") and line.endswith("\n")}
    return found
