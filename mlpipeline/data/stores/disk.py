"""A store in a directory: one file per value, written beside its place and renamed."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mlpipeline.data.store import Store
from mlpipeline.data.stores.naming import PART, key_of, path_of
from mlpipeline.errors import StoreError, StoreFull

_ABANDONED_SECONDS = 3600.0


class DiskStore(Store):
    """Keeps values as files.

    Their time of modification is when they were read last: it is set by who reads, and asks nothing of the mount.

    Args:
        directory: made on first use.
        limit_bytes: of all values together; what was read least lately goes first. None keeps all.
    """

    def __init__(self, directory: Path, limit_bytes: int | None = None) -> None:
        self.directory, self.limit_bytes = directory, limit_bytes

    @classmethod
    def from_url(cls, url: str, **options: Any) -> DiskStore:
        """Opens a path, or `file:///path`."""
        return cls(Path(unquote(urlsplit(url).path) if url.startswith("file://") else url), **options)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yields the keys that begin so, in no order."""
        return (key for key, _ in self._entries() if key.startswith(prefix))

    def size(self, prefix: str = "") -> int:
        """Returns how many bytes the values have whose keys begin so."""
        return sum(entry.stat().st_size for key, entry in self._entries() if key.startswith(prefix))

    def _path(self, key: str) -> Path:
        return self.directory / path_of(key)

    def _entries(self) -> Iterator[tuple[str, Path]]:
        try:
            for folder, _, names in os.walk(self.directory, onerror=_unless_absent):
                for path in (Path(folder, name) for name in names):
                    key = key_of(path.relative_to(self.directory).as_posix())
                    if key is not None:
                        yield key, path
        except OSError as error:
            raise self._fault(error) from error

    def _fault(self, error: OSError) -> StoreError:
        return StoreError(f"{self.directory}: {error.strerror or error}: free space, or mend its permissions")

    def _get(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            value = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise self._fault(error) from error
        with contextlib.suppress(OSError):  # a store that may only be read is read all the same
            os.utime(path)
        return value

    def _put(self, key: str, value: bytes) -> None:
        if self.limit_bytes is not None and len(value) > self.limit_bytes:
            raise StoreFull(
                f"a value has {len(value):,} bytes, and the store may hold {self.limit_bytes:,}: raise that"
            )
        path = self._path(key)
        beside = path.with_name(f".{uuid.uuid4().hex}{PART}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(value)
            os.replace(beside, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise self._fault(error) from error
        if self.limit_bytes is not None:
            self._evict(path)

    def _evict(self, kept: Path) -> None:
        found = []
        for _, path in self._entries():
            with contextlib.suppress(FileNotFoundError):  # another process removed it
                facts = path.stat()
                found.append((path != kept, facts.st_mtime_ns, facts.st_size, path))
        total = sum(size for _, _, size, _ in found)
        for _, _, size, path in sorted(found, key=lambda each: (not each[0], each[1])):
            if total <= (self.limit_bytes or 0):
                break
            path.unlink(missing_ok=True)
            total -= size
        self._sweep()

    def _sweep(self) -> None:
        """Removes what a killed process left."""
        for path in self.directory.rglob(f".*{PART}"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                    path.unlink(missing_ok=True)

    def _delete(self, key: str) -> None:
        try:
            self._path(key).unlink(missing_ok=True)
        except (NotADirectoryError, IsADirectoryError):
            return
        except OSError as error:
            raise self._fault(error) from error

    def _has(self, key: str) -> bool:
        return self._path(key).is_file()


def _unless_absent(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
