"""Makes a directory appear whole, or not at all: written beside its place, synced, renamed."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from mlpipeline import wire
from mlpipeline.errors import ArtefactError, DiskFull, NotWritable
from mlpipeline.learning import manifest

# Of renameat2(2): paths are taken as they are; two names are exchanged.
_HERE, _EXCHANGE = -100, 2
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EEXIST)


@contextlib.contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Gives an empty directory beside a place, and renames it to that place afterwards.

    What was there before must be a saved model, or empty; it is gone then. Where the body raises, nothing has changed.

    Raises:
        ArtefactError: something else is there.
        NotWritable, DiskFull: the directory cannot be written, by the body either.
    """
    part = target.with_name(f".artefact-{secrets.token_hex(4)}.part")
    with translated(target):
        _check(target)
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
        if error.errno in _UNWRITABLE or _is_about(error, target):
            raise NotWritable(
                f"{target}: cannot be written ({error.strerror}): mend the permissions of the directory above it, or "
                f"name another one"
            ) from error
        raise


def _is_about(error: OSError, target: Path) -> bool:
    """Whether it is the place itself, one above it, or a name beside it that the system does not take."""
    if not isinstance(error.filename, str):
        return False
    place = Path(error.filename)
    return place in (target, *target.parents) or (place.parent == target.parent and place.suffix == ".part")


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
    """Renames a directory to its place; what was there lies in its own place then, or is removed."""
    if not target.is_dir():
        os.rename(part, target)
    elif not _exchange(part, target):
        # Here there is a moment without either; a kill in it leaves both beside.
        former = target.with_name(f".artefact-{secrets.token_hex(4)}.part")
        os.rename(target, former)
        try:
            os.rename(part, target)
        except OSError:
            os.rename(former, target)
            raise
        shutil.rmtree(former, ignore_errors=True)
    wire.sync_directory(target.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Gives two directories each other's names at once; False where the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(other))
