"""Keeps every accepted revision of the models config, and brings a former one back.

A revision's name begins with its time and ends with its digest, or, where it was brought back by an undo, with the time
of the revision that it brought back. So a second undo goes further back, as an editor's does, and an edit after it
begins anew from there.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlpipeline import selection as selections
from mlpipeline import wire
from mlpipeline.errors import NotWritable, RequestRefused
from mlpipeline.project import Project
from mlpipeline.queue.differences import differences
from mlpipeline.selection import Selection

_KEEP_REVISIONS = 200
_LOOK_BACK = 50
_TIME = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-([0-9a-f]{8})(?:-as-(\d{8}T\d{6}\.\d{6}Z))?\.config")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A models config that was in force. `restores` is the stamp of the revision that it brought back, if any."""

    path: Path
    stamp: str
    digest: str
    restores: str = ""

    @property
    def at(self) -> datetime:
        """When it was accepted."""
        return datetime.strptime(self.stamp, _TIME).replace(tzinfo=UTC)

    @property
    def origin(self) -> str:
        """The stamp under which its content was accepted as an edit."""
        return self.restores or self.stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A revision and what it changed; `before` is None where none is kept that came before it."""

    revision: Revision
    before: Revision | None
    differences: tuple[str, ...]


def kept(project: Project) -> list[Revision]:
    """Returns the revisions on disk, oldest first."""
    try:
        paths = sorted(project.revisions_dir.iterdir())
    except FileNotFoundError:
        return []
    matches = [(path, match) for path in paths if (match := _NAME.fullmatch(path.name))]
    return [Revision(path=path, stamp=match[1], digest=match[2], restores=match[3] or "") for path, match in matches]


def save_revision(project: Project, data: bytes, *, restores: str = "") -> Path | None:
    """Keeps an accepted revision, durably; None when it is the newest one already. The oldest of too many go."""
    directory = project.revisions_dir
    directory.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(data).hexdigest()[:8]
    before = kept(project)
    if before and before[-1].digest == digest:
        return None
    at = datetime.now(UTC)
    if before:  # a clock that was set back must not reorder what happened
        at = max(at, before[-1].at + timedelta(microseconds=1))
    name = f"{at:{_TIME}}-{digest}" + (f"-as-{restores}" if restores else "")
    path = directory / f"{name}.config"
    write_whole(directory / f"{name}.part", path, data, mode=0o644)
    for old in before[: max(0, len(before) + 1 - _KEEP_REVISIONS)]:
        old.path.unlink(missing_ok=True)
    return path


def write_whole(beside: Path, path: Path, data: bytes, *, mode: int) -> None:
    """Writes a file beside its place, and gives it its name when all of it is on disk.

    Raises:
        OSError: what was there stays.
    """
    try:
        with beside.open("wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    wire.sync_directory(path.parent)


def former(revisions: list[Revision]) -> Revision | None:
    """Returns the revision that an undo of the newest one brings back; None where none is kept."""
    origins = [each.stamp for each in revisions]
    if not revisions or revisions[-1].origin not in origins:
        return None
    place = origins.index(revisions[-1].origin)
    return revisions[place - 1] if place else None


def history(project: Project, count: int) -> list[Change]:
    """Returns the newest revisions, newest first, each with what it changed."""
    found: list[Revision | None] = [None, *kept(project)]
    pairs = list(itertools.pairwise(found))[::-1][:count]
    return [_change(project, before, revision) for before, revision in pairs if revision is not None]


def _change(project: Project, before: Revision | None, revision: Revision) -> Change:
    lines = () if before is None else differences(_parsed(project, before), _parsed(project, revision))
    return Change(revision=revision, before=before, differences=tuple(lines))


def _parsed(project: Project, revision: Revision) -> Selection:
    file = project.models_config.name
    return selections.parse(
        revision.path.read_bytes(), file=file, models_dir=project.models_dir, outputs_dir=project.outputs_dir
    )


def listed_since(project: Project, model: str) -> datetime | None:
    """Returns when the models config that lists a model was accepted; None where that is not known (any more)."""
    since = None
    for revision in reversed(kept(project)[-_LOOK_BACK:]):
        if model not in (each.model for each in _parsed(project, revision).models):
            return since
        since = revision.at
    return since if len(kept(project)) < _LOOK_BACK else None


def undo(project: Project, *, dry_run: bool = False) -> Change:
    """Brings the former revision back into the models config, whole, with the file's mode.

    Returns:
        the revision that was brought back, the one that it takes the place of, and what that changes.

    Raises:
        RequestRefused: the file was edited since its last revision, or nothing came before that; nothing has changed.
        NotWritable: likewise, because the file or the directory of revisions cannot be written.
    """
    path = project.models_config.resolve()
    name = project.relative(project.models_config)
    try:
        data = path.read_bytes()
        revisions = kept(project)
        if _is_unfinished(revisions, data):
            left = revisions.pop()
            if not dry_run:
                left.path.unlink()
        newest, target = _chosen(project, revisions, data)
        change = Change(
            revision=target,
            before=newest,
            differences=tuple(differences(_parsed(project, newest), _parsed(project, target))),
        )
        if not dry_run:
            _restore(project, path, target)
    except FileNotFoundError as error:
        raise RequestRefused(f"{name} is missing, so there is nothing to undo: {_by_hand(project)}") from error
    except OSError as error:
        raise NotWritable(f"{error.filename or path}: {error.strerror}: mend its permissions or the disk") from error
    return change


def _is_unfinished(revisions: list[Revision], data: bytes) -> bool:
    """Whether an undo was killed after it had kept its revision, and before the file was changed."""
    return len(revisions) > 1 and bool(revisions[-1].restores) and revisions[-2].path.read_bytes() == data


def _chosen(project: Project, revisions: list[Revision], data: bytes) -> tuple[Revision, Revision]:
    name = project.relative(project.models_config)
    if not revisions:
        raise RequestRefused(f"no revision of {name} is kept yet: the queue keeps each that it accepts (mlpipeline -r)")
    newest = revisions[-1]
    if newest.path.read_bytes() != data:
        raise RequestRefused(
            f"{name} has been edited since its last accepted revision ({newest.at.astimezone():%F %T}), and an undo "
            f"would lose that edit: have it accepted first (mlpipeline -r -u), or {_by_hand(project)}"
        )
    target = former(revisions)
    if target is None:
        raise RequestRefused(f"{name}: no revision before this one is kept: mlpipeline plan --log lists them")
    return newest, target


def _by_hand(project: Project) -> str:
    return f"copy one from {project.relative(project.revisions_dir)}/ by hand"


def _restore(project: Project, path: Path, target: Revision) -> None:
    """Keeps the revision first: a scheduler that reads the file at once must find it known as brought back."""
    data = target.path.read_bytes()
    mark = save_revision(project, data, restores=target.origin)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write_whole(beside, path, data, mode=path.stat().st_mode & 0o7777)
    except OSError:
        if mark is not None:
            mark.unlink(missing_ok=True)
        raise
