"""Rows on disk, in parts: Parquet files in a directory that is named by their content, and is whole or not there."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pandas as pd

from mlpipeline.data.split import PARTS
from mlpipeline.errors import DataFault, require

FORMAT = 1
MANIFEST = "manifest.json"


class Spool:
    """A directory of rows. What it holds never changes, and nobody removes it while this object lives.

    Attributes:
        directory: with the manifest, and a file for each part that has rows.
        manifest: format, columns, rows of each part, bytes of each file, and for whom it was made.
    """

    def __init__(self, directory: Path, manifest: Mapping[str, Any], descriptor: int) -> None:
        self.directory, self.manifest = directory, manifest
        weakref.finalize(self, os.close, descriptor)

    @classmethod
    def open(cls, directory: Path) -> Self | None:
        """Opens a directory, which is a use of it; None where it is not there, of another format, or damaged."""
        try:
            descriptor = os.open(directory / MANIFEST, os.O_RDONLY)
        except OSError:
            return None
        manifest = _held(directory, descriptor)
        if manifest is None:
            os.close(descriptor)
            return None
        return cls(directory, manifest, descriptor)

    @property
    def columns(self) -> list[str]:
        """The columns of the rows."""
        return list(self.manifest["columns"])

    @property
    def row_counts(self) -> dict[str, int]:
        """The number of rows of each part."""
        return {part: int(self.manifest["rows"][part]) for part in PARTS}

    def part(self, name: str) -> PartFile:
        """Opens the file of a part: training, validation or test.

        Raises:
            DataFault: it is damaged.
        """
        return PartFile(self.directory / f"{name}.parquet", self.columns)


def _held(directory: Path, descriptor: int) -> Mapping[str, Any] | None:
    """Locks a spool against its removal, and returns the manifest, None where it is not whole."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if not os.path.samestat(os.fstat(descriptor), os.stat(directory / MANIFEST)):
            return None  # it was removed while we waited, and is another one by now
        manifest: Mapping[str, Any] = json.loads((directory / MANIFEST).read_text("utf-8"))
        sizes = {name: os.path.getsize(directory / name) for name in manifest["files"]}
        is_whole = manifest.get("format") == FORMAT and sizes == manifest["files"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    with contextlib.suppress(OSError):  # rows that may only be read are read all the same
        os.utime(descriptor)
    return manifest if is_whole else None


class PartFile:
    """The rows of a part, in groups of some hundred thousand.

    Args:
        path: of the file.
        columns: all that it has.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        parquet = require("pyarrow.parquet", extra="data")
        self.path, self.columns = path, tuple(columns)
        with _Damage(path):
            self._file = parquet.ParquetFile(path)

    def __len__(self) -> int:
        """The number of groups."""
        return int(self._file.num_row_groups)

    def group(self, number: int, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Returns columns of the rows of a group; all columns by default."""
        names = list(self.columns if columns is None else columns)
        with _Damage(self.path):
            table = self._file.read_row_group(number, names)
        return table.to_pandas(split_blocks=True, self_destruct=True)[names]

    def whole(self, columns: Sequence[str]) -> pd.DataFrame:
        """Returns columns of all rows."""
        with _Damage(self.path):
            table = self._file.read(list(columns))
        return table.to_pandas(split_blocks=True, self_destruct=True)[list(columns)]


class _Damage:
    """Says which file is damaged, and what to do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        pyarrow = require("pyarrow", extra="data")
        if isinstance(error, OSError | pyarrow.ArrowException):
            raise DataFault(
                f"{self.path} cannot be read: {error}; delete {self.path.parent}, it is made again"
            ) from error
