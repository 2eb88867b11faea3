"""All spools of a directory: bounded in size and in age, what was used least lately goes first, and none in use."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpipeline.data.spool import MANIFEST
from mlpipeline.data.spool_files import PARTIAL

VERSION = ".version"
"""How files end that say which spool a named state of the data is."""
_NAME = re.compile(r"[0-9a-f]{32}")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A spool as it lies there.

    Attributes:
        name: of its directory, made of its content.
        whose: the dataset it was made for, as messages call it; empty where it cannot be read.
        rows: of all parts.
        bytes: of all files.
        used_at: when it was opened last, in seconds since 1970.
        is_used: whether a process has it open.
    """

    name: str
    whose: str
    rows: int
    bytes: int
    used_at: float
    is_used: bool


class Spools:
    """The spools below one directory. Several processes may work on it at once.

    Args:
        root: the directory; it need not be there.
        limit_bytes: of all spools together.
        unused_seconds: how long a spool may lie unused.
        clock: gives the time in seconds since 1970.
    """

    def __init__(
        self, root: Path, *, limit_bytes: int, unused_seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self.root, self.limit_bytes, self.unused_seconds, self.clock = root, limit_bytes, unused_seconds, clock

    def kept(self, prefix: str = "") -> list[Kept]:
        """Returns the spools, used last first; with a prefix, those whose names begin so."""
        try:
            names = [name for name in os.listdir(self.root) if _NAME.fullmatch(name) and name.startswith(prefix)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        found = []
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # another process is removing it
                found.append(_looked_at(self.root / name))
        return sorted(found, key=lambda each: -each.used_at)

    def is_old(self, spool: Kept) -> bool:
        """Whether a spool has been unused for too long."""
        return self.clock() - spool.used_at > self.unused_seconds

    def bound(self) -> list[Kept]:
        """Removes what is unused for too long, and what is too much, and returns it; says so in the log."""
        kept = self.kept()
        total, chosen = sum(each.bytes for each in kept), []
        for spool in reversed(kept):
            if (self.is_old(spool) or total > self.limit_bytes) and not spool.is_used:
                chosen.append(spool)
                total -= spool.bytes
        removed = self._removed(chosen)
        for spool in removed:
            days = (self.clock() - spool.used_at) / 86_400
            _log.info("%s: a spool of %d MB, unused for %.1f days, is removed", self.root, spool.bytes // 10**6, days)
        if total > self.limit_bytes:
            _log.warning(
                "%s: spools that are in use have %d MB, more than spool_limit (%d MB)",
                self.root, total // 10**6, self.limit_bytes // 10**6,
            )  # fmt: skip
        return removed

    def clear(self, chosen: Callable[[Kept], bool] = lambda _: True) -> list[Kept]:
        """Removes the spools that are chosen and not in use, and returns them."""
        return self._removed([spool for spool in self.kept() if not spool.is_used and chosen(spool)])

    def _removed(self, spools: Iterable[Kept]) -> list[Kept]:
        removed = [spool for spool in spools if _remove(self.root / spool.name)]
        if removed:
            self._forget_versions()
        return removed

    def _forget_versions(self) -> None:
        """Removes names of states whose rows are gone."""
        for path in self.root.glob(f"*{VERSION}"):
            with contextlib.suppress(OSError):
                if not (self.root / path.read_text("utf-8")).is_dir():
                    path.unlink(missing_ok=True)


def _looked_at(directory: Path) -> Kept:
    manifest, used_at = _manifest(directory)
    rows = manifest.get("rows", {})
    return Kept(
        name=directory.name,
        whose=str(manifest.get("whose", "")),
        rows=sum(rows.values()) if isinstance(rows, dict) else 0,
        bytes=sum(entry.stat().st_size for entry in os.scandir(directory)),
        used_at=used_at,
        is_used=_is_used(directory),
    )


def _manifest(directory: Path) -> tuple[dict[str, Any], float]:
    """Returns the manifest, empty where there is none that can be read, and when the spool was used."""
    path = directory / MANIFEST
    try:
        found = json.loads(path.read_text("utf-8"))
        return found if isinstance(found, dict) else {}, path.stat().st_mtime
    except (OSError, ValueError):
        return {}, directory.stat().st_mtime


@contextmanager
def _alone(directory: Path) -> Iterator[bool]:
    """Locks a spool against everybody, and says whether that was possible; one without a manifest is nobody's."""
    try:
        descriptor = os.open(directory / MANIFEST, os.O_RDWR)
    except FileNotFoundError:
        yield directory.is_dir()
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


def _is_used(directory: Path) -> bool:
    try:
        with _alone(directory) as is_alone:
            return not is_alone
    except OSError:
        return True


def _remove(directory: Path) -> bool:
    """Removes a spool unless it is in use: first from its name, so that nobody opens half of it."""
    gone = directory.with_name(f"{uuid.uuid4().hex}{PARTIAL}")
    try:
        with _alone(directory) as is_alone:
            if not is_alone:
                return False
            directory.rename(gone)
    except OSError as error:
        _log.warning("%s cannot be removed: %s", directory, error)
        return False
    shutil.rmtree(gone, ignore_errors=True)
    return True
