"""Decides what keeping house removes, from facts that others read. Decides, and touches nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from mlpipeline import wire
from mlpipeline.run import BY_HAND, OUTSIDE, Run, State

SMALL = frozenset(
    {
        wire.SPEC,
        wire.STARTED,
        wire.OUTCOME,
        wire.RESULT,
        wire.ENVIRONMENT,
        wire.DATA,
        wire.SOURCES,
        wire.LOCK,
        wire.ENGINE,
        wire.NODE,
    }
)
"""What stays of every attempt: the ledger can be made of it again, and the run be shown."""

_RESTS = timedelta(days=1)
_SET_ASIDE = re.compile(r"(.+)\.old-(?:unknown|[0-9a-f]+-[0-9a-f]+)(?:\.\d+)?")
_LEFTOVER = re.compile(
    r".+\.json\.\d+\.part"  # a record that was being written
    r"|ledger-.+\.db\.part(-wal|-shm)?"
    r"|\d{8}T\d{6}\.\d{6}Z-.+\.part"  # a revision
    r"|checkpoint-\d{6,}(\.\d+)?\.part"
    r"|\.[0-9a-f]{24}-.+"  # a copy of sources
    r"|\.artefact-[0-9a-f]{8}\.part"  # a saved model
    r"|\.gc-[0-9a-f]{8}\.part"  # what keeping house was removing
)


class Kind(StrEnum):
    """Why something goes."""

    RUNS = "files of older runs"
    CHECKPOINTS = "set-aside model directories, and those of fits by hand"
    LOGS = "rotated logs and outputs"
    SOURCES = "copied sources that nothing refers to"
    LEFTOVERS = "unfinished files"
    ANSWERS = "old answers to requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How much stays; None keeps everything."""

    runs: int | None = None
    checkpoints: int | None = None
    logs_mb: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A file or directory as it was seen. `path` is relative to the project."""

    path: str
    bytes: int
    inode: int
    modified_ns: int

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def modified_at(self) -> datetime:
        """When it, or for a directory an entry of it, was written last."""
        return datetime.fromtimestamp(self.modified_ns / 1e9, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A model directory that made room or that a fit by hand had, and whose weights lie in it.

    Those are empty where it does not say so.
    """

    piece: Piece
    run: str = ""
    fingerprint: str = ""
    seed: int | None = None

    @property
    def since(self) -> str:
        """What orders such directories by age, to the second: a run's id begins with its time."""
        return self.run[:15] or f"{self.piece.modified_at:%Y%m%d-%H%M%S}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What lies in the outputs.

    Attributes:
        runs: those of this host's ledger.
        elsewhere: run directories that this host's ledger does not know.
        pinned: runs with a `keep.json`.
        files: by run, what lies in the directories of its attempts; runs of which nothing may go can be missing.
        logs: this host's log and output files that are written now.
        rotated: those before them.
        referenced: copied sources that a run or a catalog names.
        parts: files and directories with the names of unfinished ones.
        answers: those that are old enough to go.
    """

    runs: Sequence[Run] = ()
    elsewhere: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()
    files: Mapping[str, Sequence[Piece]]
    set_aside: Sequence[SetAside] = ()
    logs: Sequence[Piece] = ()
    rotated: Sequence[Piece] = ()
    sources: Sequence[Piece] = ()
    referenced: frozenset[str] = frozenset()
    parts: Sequence[Piece] = ()
    answers: Sequence[Piece] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that goes; `run` is whose it was, where it was a run's."""

    kind: Kind
    piece: Piece
    run: str = ""


def is_set_aside(name: str) -> bool:
    """Whether a name in the directory of model directories is one that made room for another."""
    return _SET_ASIDE.fullmatch(name) is not None


def is_leftover(name: str) -> bool:
    """Whether a name is that of something that mlpipeline was writing."""
    return _LEFTOVER.fullmatch(name) is not None


def decide(facts: Facts, keep: Keep, now: datetime) -> list[Item]:
    """Returns everything that goes, by kind."""
    safe = untouchable(facts.runs, facts.pinned)
    found = [
        Item(kind=Kind.RUNS, piece=piece, run=run_id)
        for run_id in older_runs(facts.runs, keep.runs, safe)
        for piece in facts.files.get(run_id, ())
        if piece.name not in SMALL
    ]
    older = _older_checkpoints(facts, keep.checkpoints, safe)
    found += [Item(kind=Kind.CHECKPOINTS, piece=each.piece, run=each.run) for each in older]
    found += [Item(kind=Kind.LOGS, piece=each) for each in _older_logs(facts, keep.logs_mb)]
    unused = [each for each in facts.sources if each.name not in facts.referenced]
    found += [Item(kind=Kind.SOURCES, piece=each) for each in unused if _rests(each, now)]
    found += [Item(kind=Kind.LEFTOVERS, piece=each) for each in facts.parts if _rests(each, now)]
    found += [Item(kind=Kind.ANSWERS, piece=each) for each in facts.answers]
    return found


def _rests(piece: Piece, now: datetime) -> bool:
    return now - piece.modified_at > _RESTS


def untouchable(runs: Sequence[Run], pinned: frozenset[str]) -> frozenset[str]:
    """Returns the runs of which nothing goes: live, pinned, and the newest that succeeded of each version and seed."""
    newest: dict[tuple[str, str, int, str], Run] = {}
    found = set(pinned)
    for run in runs:
        # A fit by hand, or an imported run, takes nobody's place.
        key = (run.model, run.version, run.replicate, run.last.executor if run.last.executor in OUTSIDE else "")
        if not run.state.is_final:
            found.add(run.id)
        if run.state is State.SUCCEEDED and (key not in newest or _order(newest[key]) < _order(run)):
            newest[key] = run
    return frozenset(found | {run.id for run in newest.values()})


def _order(run: Run) -> tuple[datetime, str]:
    return run.created_at, run.id


def older_runs(runs: Sequence[Run], keep: int | None, safe: frozenset[str]) -> list[str]:
    """Returns the runs that are not among the newest `keep` of their version and seed, oldest first."""
    if keep is None:
        return []
    count: dict[tuple[str, str, int], int] = {}
    found = []
    for run in sorted(runs, key=_order, reverse=True):
        key = (run.model, run.version, run.replicate)
        count[key] = count.get(key, 0) + 1
        if count[key] > keep and run.id not in safe:
            found.append(run.id)
    return found[::-1]


def _older_checkpoints(facts: Facts, keep: int | None, safe: frozenset[str]) -> Iterator[SetAside]:
    if keep is None:
        return
    held = [run for run in facts.runs if run.id in safe]
    weights = {(f"{run.code_digest}-{run.params_digest}", run.seed) for run in held}
    by_hand = {run.model_dir: run for run in facts.runs if run.last.executor == BY_HAND}
    current = {run.model_dir for run in facts.runs} - by_hand.keys()
    count: dict[str, int] = {}
    for each in sorted(facts.set_aside, key=lambda each: (each.since, each.piece.modified_ns), reverse=True):
        name, fit = each.piece.name, by_hand.get(each.piece.name)
        whose = _whose(name, fit)
        if not whose or name in current:
            continue
        count[whose] = count.get(whose, 0) + 1
        # Nothing goes on in the directory of a fit by hand: it is that run's and no other's.
        is_needed = fit is None and (each.fingerprint, each.seed) in weights
        if count[whose] > keep and not (is_needed or each.run in safe or each.run in facts.elsewhere):
            yield each


def _whose(name: str, fit: Run | None) -> str:
    """Returns what the checkpoints are counted by that a model directory holds; nothing where it is none of them."""
    if fit is not None:
        return f"{fit.model}:{fit.version} by hand"
    match = _SET_ASIDE.fullmatch(name)
    return match[1] if match else ""


def _older_logs(facts: Facts, keep: float | None) -> Iterator[Piece]:
    if keep is None:
        return
    total = sum(each.bytes for each in (*facts.logs, *facts.rotated))
    # A scheduler that adopts a live run counts in the logs which of its messages were forwarded.
    live = [run.last.submitted_at for run in facts.runs if not run.state.is_final]
    for each in sorted(facts.rotated, key=lambda each: each.modified_ns):
        if total <= keep * 1_000_000 or any(each.modified_at >= moment for moment in live):
            return
        total -= each.bytes
        yield each
