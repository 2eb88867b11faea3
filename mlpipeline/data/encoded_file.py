"""Observations that were encoded once, in a file without a name: read in every later epoch, gone with the process."""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline.data.encoding import Observations


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an array lies in the file."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class EncodedFile:
    """Groups of observations by number. Nobody else sees the file, and nothing is left of it, however the process
    ends.

    Args:
        directory: on whose disk it lies.
        groups: how many there will be.
    """

    def __init__(self, directory: Path, groups: int) -> None:
        self._descriptor, path = tempfile.mkstemp(dir=directory)
        os.unlink(path)
        weakref.finalize(self, os.close, self._descriptor)
        self._lock = threading.Lock()
        self._places: dict[int, dict[str | None, _Place]] = {}
        self._groups, self._end = groups, 0

    @property
    def is_complete(self) -> bool:
        """Whether all groups are there."""
        return len(self._places) == self._groups

    def put(self, number: int, group: Observations) -> None:
        """Writes a group.

        Raises:
            OSError: there is no space left.
        """
        with self._lock:
            self._places[number] = {name: self._write(array) for name, array in _arrays(group)}

    def get(self, number: int) -> Observations:
        """Reads a group; the arrays are the caller's own."""
        arrays = {name: self._read(place) for name, place in self._places[number].items()}
        y = arrays.pop(None, None)
        return Observations(pd.DataFrame(arrays, copy=False), y)

    def _write(self, array: np.ndarray) -> _Place:
        place = _Place(self._end, array.shape, array.dtype)
        rest = memoryview(np.ascontiguousarray(array).data).cast("B") if array.size else memoryview(b"")
        while rest:
            written = os.pwrite(self._descriptor, rest, self._end)
            self._end += written
            rest = rest[written:]
        return place

    def _read(self, place: _Place) -> np.ndarray:
        array = np.empty(place.shape, place.dtype)
        rest = memoryview(array.data).cast("B") if array.size else memoryview(b"")
        offset = place.offset
        while rest:
            count = os.preadv(self._descriptor, [rest], offset)
            if not count:
                raise OSError("the file of encoded rows is shorter than what was written to it")
            offset += count
            rest = rest[count:]
        return array


def _arrays(group: Observations) -> Iterator[tuple[str | None, np.ndarray]]:
    for name in group.x.columns:
        yield name, group.x[name].to_numpy()
    if group.y is not None:
        yield None, group.y
