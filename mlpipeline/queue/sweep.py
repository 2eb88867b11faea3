"""Looks at what lies in the outputs, and removes what keeping house has decided on."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from mlpipeline import pins, requests, wire
from mlpipeline.checkpoint import OWNER
from mlpipeline.errors import NotWritable
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.queue import housekeeping
from mlpipeline.queue.housekeeping import Facts, Item, Keep, Piece, SetAside
from mlpipeline.run import BY_HAND, Run


def gather(project: Project, keep: Keep, now: datetime) -> Facts:
    """Reads what lies in the outputs. Changes nothing; a scheduler may be at work.

    Raises:
        LedgerDamaged, LedgerTooNew, LedgerError: the ledger cannot be read, so nothing is known to be unneeded.
        OSError: a directory cannot be read.
    """
    # Seen before the references are read: what is named meanwhile is known as named.
    sources = [*_pieces(project, project.sources_dir, re.compile(r"[0-9a-f]{24}"))]
    parts = [*_parts(project)]
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        runs = ledger.runs()
    elsewhere = frozenset(path.name for path in _entries(project.runs_dir)) - {run.id for run in runs}
    pinned = frozenset(pins.pins(project))
    older = set(housekeeping.older_runs(runs, keep.runs, housekeeping.untouchable(runs, pinned)))
    logs, outputs = project.log_path, project.output_path
    return Facts(
        runs=runs,
        elsewhere=elsewhere,
        pinned=pinned,
        files={run.id: [*_files(project, run)] for run in runs if run.id in older},
        set_aside=[*_set_aside(project, {run.model_dir for run in runs if run.last.executor == BY_HAND})],
        logs=[*_seen(project, [logs, outputs])],
        rotated=[*_seen(project, [*_rotated(logs), *_rotated(outputs)])],
        sources=sources,
        referenced=_referenced(project, runs, elsewhere),
        parts=parts,
        answers=[*_seen(project, requests.old_answers(project, now))],
    )


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _piece(project: Project, path: Path) -> Piece:
    found = path.lstat()
    size = found.st_size
    if path.is_dir() and not path.is_symlink():
        size = sum(_size(Path(folder, name)) for folder, _, names in os.walk(path) for name in names)
    return Piece(path=project.relative(path), bytes=size, inode=found.st_ino, modified_ns=found.st_mtime_ns)


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.lstat().st_size
    return 0


def _seen(project: Project, paths: Iterable[Path]) -> Iterator[Piece]:
    for path in paths:
        with suppress(FileNotFoundError):  # gone since it was listed
            yield _piece(project, path)


def _pieces(project: Project, directory: Path, names: re.Pattern[str]) -> Iterator[Piece]:
    return _seen(project, (path for path in _entries(directory) if names.fullmatch(path.name)))


def _parts(project: Project) -> Iterator[Piece]:
    outputs = project.outputs_dir
    places = [outputs, *outputs.glob("requests-*"), *outputs.glob("revisions-*"), outputs / "environments"]
    places += [project.sources_dir, project.model_dirs, *_entries(project.model_dirs)]
    places += [path for run in _entries(project.runs_dir) for path in (run, *_entries(run))]
    for place in places:
        yield from _seen(project, (path for path in _entries(place) if housekeeping.is_leftover(path.name)))


def _files(project: Project, run: Run) -> Iterator[Piece]:
    for attempt in run.attempts:
        yield from _seen(project, _entries(project.root / attempt.directory))


def _set_aside(project: Project, by_hand: set[str]) -> Iterator[SetAside]:
    for path in _entries(project.model_dirs):
        if housekeeping.is_set_aside(path.name) or path.name in by_hand:
            owner = wire.read_json(path / OWNER) or {}
            told = {"run": str(owner.get("run") or ""), "fingerprint": str(owner.get("fingerprint") or "")}
            for piece in _seen(project, [path]):
                yield SetAside(piece=piece, seed=owner.get("seed"), **told)


def _rotated(path: Path) -> Iterator[Path]:
    for each in _entries(path.parent):
        if each.name.startswith(f"{path.name}.") and each.name.removeprefix(f"{path.name}.").isdecimal():
            yield each


def _referenced(project: Project, runs: Iterable[Run], elsewhere: Iterable[str]) -> frozenset[str]:
    """Returns the copied sources that runs of any host name, acknowledged or not, or a catalog."""
    found = {run.sources for run in runs}
    for run_id in elsewhere:
        specs = (project.runs_dir / run_id).glob(f"*/{wire.SPEC}")
        found |= {str((wire.read_json(path) or {}).get("sources")) for path in specs}
    for path in project.outputs_dir.glob("catalog-*.json"):
        models: dict[str, Any] = (wire.read_json(path) or {}).get("models") or {}
        found |= {str(each.get("sources")) for each in models.values()}
    return frozenset(found)


def remove(project: Project, items: Iterable[Item]) -> list[Item]:
    """Removes what was decided on, and returns what went; what has changed or gone since it was seen stays.

    A kill at any moment leaves each file whole or gone, and of a directory at most a part that the next one finds.

    Raises:
        NotWritable: something cannot be removed; what went before it is gone.
    """
    removed = []
    for item in items:
        # A run can be pinned while others are being removed.
        if item.run and pins.reasons(project, item.run):
            continue
        try:
            if _remove(project.root / item.piece.path, item.piece):
                removed.append(item)
        except OSError as error:
            raise NotWritable(
                f"{item.piece.path}: cannot be removed ({error.strerror}): mend its permissions, then run gc again"
            ) from error
    return removed


def _remove(path: Path, seen: Piece) -> bool:
    try:
        if not _is_as_seen(path, seen):
            return False
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            return True
        away = path.with_name(f".gc-{secrets.token_hex(4)}.part")
        path.rename(away)
    except FileNotFoundError:
        return False
    if not _is_as_seen(away, seen):
        # Named again at the last moment, as a copy of sources can be: it goes back, unless it was made anew.
        with suppress(OSError):
            away.rename(path)
            return False
    shutil.rmtree(away)
    return True


def _is_as_seen(path: Path, seen: Piece) -> bool:
    found = path.lstat()
    return (found.st_ino, found.st_mtime_ns) == (seen.inode, seen.modified_ns)
