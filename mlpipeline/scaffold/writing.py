"""Writes new files: all of them or none, and never over what is there; or, in an upgrade, over it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from mlpipeline.errors import MlpipelineError, NotWritable
from mlpipeline.filesystems import remedy


def write(root: Path, files: Mapping[str, bytes]) -> list[str]:
    """Writes files below a directory, and returns their paths in order.

    Raises:
        MlpipelineError: some are there already, which the message lists; or one would lie elsewhere.
        NotWritable: the directory cannot be written. In either case nothing has been.
    """
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise MlpipelineError(f"'{name}' would not lie in {root}: mend the template")
    there = [name for name in sorted(files) if os.path.lexists(root / name)]
    if there:
        raise MlpipelineError(
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} there already: choose another name, or move "
            f"{'it' if len(there) == 1 else 'them'} away; nothing was written"
        )
    made: list[Path] = []
    try:
        for name in sorted(files):
            _write(root, root / name, files[name], made)
    except OSError as error:
        _undo(made)
        place = Path(error.filename or root)
        raise NotWritable(f"{place}: cannot be written {remedy(error, place)}; nothing was written") from error
    except BaseException:  # Ctrl-C must not leave half of it
        _undo(made)
        raise
    return sorted(files)


def _write(root: Path, path: Path, content: bytes, made: list[Path]) -> None:
    missing = [each for each in (path.parent, *path.parent.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir()
        made.append(each)
    with path.open("xb") as file:
        made.append(path)
        file.write(content)


def _undo(made: list[Path]) -> None:
    for each in reversed(made):
        if each.is_dir():
            shutil.rmtree(each, ignore_errors=True)
        else:
            each.unlink(missing_ok=True)


def replace_files(root: Path, files: Mapping[str, bytes], *, removed: Iterable[str] = ()) -> None:
    """Writes files below a directory, over those that are there: each appears whole. Then removes others.

    Raises:
        NotWritable: one cannot be written; those before it have been.
    """
    for name in sorted(files):
        path = root / name
        beside = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(files[name])
            if path.exists():
                shutil.copymode(path, beside)
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise NotWritable(f"{error.filename or path}: {error.strerror}: mend it, and upgrade again") from error
    for name in removed:
        (root / name).unlink(missing_ok=True)
