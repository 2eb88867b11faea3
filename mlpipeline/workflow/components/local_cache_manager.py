"""Keeps results by content on disk, signed, so that nobody else's objects are read."""

from __future__ import annotations

from pathlib import Path

from mlpipeline.errors import DataFault
from mlpipeline.workflow import cached, content, places
from mlpipeline.workflow.components import numbered
from mlpipeline.workflow.part import side_effects
from mlpipeline.workflow.recorder import NOTHING, read_record, write_record
from mlpipeline.workflow.types.record import CacheManager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class LocalCacheManager(CacheManager):
    """Keeps values in files of the project.

    Args:
        cache_dir: where; relative to the project.
    """

    def __init__(self, cache_dir: str = cached.DIRECTORY) -> None:
        self.cache_dir = cache_dir

    @side_effects
    def cache(self, key: str, value: Any) -> None:
        """Keeps a value under a digest; what is there already is replaced.

        Raises:
            DataFault: (a ValueError) it cannot be pickled, or the key is empty.
        """
        try:
            write_record(self._path(key), (key, value))
        except content.NoContent as error:
            raise DataFault(f"what is to be cached under {key!r} cannot be kept: {error}") from error

    def retrieve(self, key: str, default: Any = None) -> Any:
        """Returns what is kept under a digest; `default` where nothing is, it is damaged, or somebody else wrote it."""
        found = read_record(self._path(key))
        if found is NOTHING or found[0] != key:  # a record that was moved here answers another question
            return default
        return found[1]

    def _path(self, key: str) -> Path:
        if not key:
            raise DataFault(f"a cached value has a digest for its key, not {key!r}")
        return places.project_of(self).root / self.cache_dir / "values" / f"{numbered.file_name(key)}.pickle"
