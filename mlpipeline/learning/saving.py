"""Makes a directory appear whole, or not at all: written beside its place, synced, renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from mlpipeline import wire
from mlpipeline.errors import ArtefactError, DiskFull, NotWritable
from mlpipeline.learning import manifest


@contextlib.contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Gives an empty directory beside a place, and renames it to that place afterwards.

    What was there before must be a saved model, or empty; it is gone then. Where the body raises, nothing has changed.

    Raises:
        ArtefactError: something else is there.
        NotWritable, DiskFull: the directory cannot be written, by the body either.
    """
    _check(target)
    part = target.with_name(f".artefact-{secrets.token_hex(4)}.part")
    with translated(target):
        try:
            wire.make_directory(target.parent)
            part.mkdir()
            yield part
            _replace(part, target)
        finally:
            shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def translated(target: Path) -> Iterator[None]:
    """Turns what the operating system says about a place into an error that says what to do.

    Raises:
        NotWritable, DiskFull: the place is named.
    """
    try:
        yield
    except OSError as error:
        raise_full(target, error)
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EEXIST):
            raise NotWritable(
                f"{target}: cannot be written ({error.strerror}): mend the permissions of the directory above it, or "
                f"name another one"
            ) from error
        raise


def raise_full(target: Path, error: OSError) -> None:
    """Raises a DiskFull where that is what the operating system says."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise DiskFull(f"{target}: the disk is full: free some space; nothing there has changed") from error


def _check(target: Path) -> None:
    """Refuses to replace what is no saved model."""
    if target.is_dir() and not target.is_symlink():
        if not (target / manifest.NAME).exists() and any(target.iterdir()):
            raise ArtefactError(f"{target}: is there already, and is no saved model: name another directory")
    elif target.is_symlink() or target.exists():
        raise ArtefactError(f"{target}: is there already, and is no directory: name another one")


def _replace(part: Path, target: Path) -> None:
    former = None
    if target.is_dir():
        former = target.with_name(f".artefact-{secrets.token_hex(4)}.part")
        os.rename(target, former)
    try:
        os.rename(part, target)
    except OSError:
        if former is not None:
            os.rename(former, target)
        raise
    wire.sync_directory(target.parent)
    if former is not None:
        shutil.rmtree(former, ignore_errors=True)
