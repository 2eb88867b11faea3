"""A store wherever a URL of fsspec leads: S3, other object stores, other file systems."""

from __future__ import annotations

import posixpath
import uuid
from collections.abc import Iterator
from typing import Any

from mlpipeline.data.remote import Place, place
from mlpipeline.data.store import Store
from mlpipeline.data.stores.naming import PART, key_of, path_of

_WHOLE = ("s3", "s3a", "gs", "gcs", "abfs", "az", "memory")
"""File systems on which an object appears whole by itself."""


class RemoteStore(Store):
    """Keeps values as files, or objects, below one place.

    Args:
        target: where they go.
    """

    def __init__(self, target: Place) -> None:
        self._target = target
        protocol = target.system.protocol
        names = (protocol,) if isinstance(protocol, str) else protocol
        self._is_whole = not set(names).isdisjoint(_WHOLE)

    @classmethod
    def from_url(cls, url: str, **options: Any) -> RemoteStore:
        """Opens a URL of fsspec; the options are its file system's: `key`, `secret`, `endpoint_url` of S3, …"""
        return cls(place(url, **options))

    def __repr__(self) -> str:
        return f"RemoteStore({str(self._target)!r})"

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yields the keys that begin so, in no order."""
        return iter([key for key, _ in self._entries() if key.startswith(prefix)])

    def size(self, prefix: str = "") -> int:
        """Returns how many bytes the values have whose keys begin so."""
        return sum(size for key, size in self._entries() if key.startswith(prefix))

    def _entries(self) -> Iterator[tuple[str, int]]:
        target = self._target
        with target.translated():
            try:
                found = target.system.find(target.path, detail=True)
            except FileNotFoundError:
                found = {}
        for path, facts in found.items():
            key = key_of(posixpath.relpath(path, target.path))
            if key is not None:
                yield key, int(facts["size"])

    def _path(self, key: str) -> str:
        return self._target.below(path_of(key))

    def _get(self, key: str) -> bytes | None:
        with self._target.translated():
            try:
                value: bytes = self._target.system.cat_file(self._path(key))
            except FileNotFoundError:
                return None
        return value

    def _put(self, key: str, value: bytes) -> None:
        target, path = self._target, self._path(key)
        with target.translated():
            if self._is_whole:
                target.system.pipe_file(path, value)
                return
            target.system.makedirs(posixpath.dirname(path), exist_ok=True)
            beside = target.below(f".{uuid.uuid4().hex}{PART}")
            target.system.pipe_file(beside, value)
            target.system.mv(beside, path)

    def _delete(self, key: str) -> None:
        with self._target.translated():
            try:
                self._target.system.rm_file(self._path(key))
            except FileNotFoundError:
                return

    def _has(self, key: str) -> bool:
        with self._target.translated():
            try:
                # Not isfile(): where the server is gone it says no.
                return bool(self._target.system.info(self._path(key))["type"] == "file")
            except FileNotFoundError:
                return False
