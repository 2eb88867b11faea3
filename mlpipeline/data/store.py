"""A Store keeps bytes by key: in memory, on disk, in Redis, on S3 or wherever a URL of fsspec leads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from mlpipeline import plugins
from mlpipeline.errors import DataFault

LONGEST_KEY_BYTES = 256


class Store(ABC):
    """Bytes by key. Several threads and processes may use the same store; a value is there whole, or not at all.

    A key is text of 1 to 256 bytes in UTF-8 without control characters; `/` is a letter like others. What cannot be
    reached raises StoreError, and never looks like a key that is not there.
    """

    def get(self, key: str) -> bytes:
        """Returns the value of a key.

        Raises:
            KeyError: when there is none.
            StoreError: when the store cannot be read.
        """
        value = self._get(check_key(key))
        if value is None:
            raise KeyError(key)
        return value

    def put(self, key: str, value: bytes | bytearray | memoryview) -> None:
        """Keeps a value, in the place of a former one.

        Raises:
            StoreFull: when it is larger than all that the store may hold.
            StoreError: when the store cannot be written; the former value is there still.
        """
        if not isinstance(value, bytes | bytearray | memoryview):
            raise TypeError(f"a store keeps bytes, not {type(value).__name__}: encode it")
        self._put(check_key(key), bytes(value))

    def delete(self, key: str) -> None:
        """Removes a key; one that is not there is gone already.

        Raises:
            StoreError: when the store cannot be written.
        """
        self._delete(check_key(key))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._has(check_key(key))

    @abstractmethod
    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yields the keys that begin so, in no order."""

    @abstractmethod
    def size(self, prefix: str = "") -> int:
        """Returns how many bytes the values have whose keys begin so."""

    @abstractmethod
    def _get(self, key: str) -> bytes | None: ...

    @abstractmethod
    def _put(self, key: str, value: bytes) -> None: ...

    @abstractmethod
    def _delete(self, key: str) -> None: ...

    def _has(self, key: str) -> bool:
        return self._get(key) is not None


def check_key(key: str) -> str:
    """Returns a key that every store can hold.

    Raises:
        DataFault: when it is empty, too long, or holds control characters.
    """
    try:
        length = len(key.encode())
    except UnicodeEncodeError as error:
        raise DataFault(f"the key {key!r} is no text ({error.reason}): choose another") from error
    if not 1 <= length <= LONGEST_KEY_BYTES:
        raise DataFault(f"a key has {length} bytes: 1 to {LONGEST_KEY_BYTES} are allowed")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in key):
        raise DataFault(f"the key {key!r} holds control characters: choose another")
    return key


def open_store(url: str, **options: Any) -> Store:
    """Opens a store: `memory://`, a path or `file://`, `redis://host:port/0`, `s3://bucket/prefix`, any URL of fsspec.

    Args:
        url: where it is; the scheme decides the kind. Installed packages may offer more kinds, under `store`.
        options: of the kind: `limit_bytes` of memory and disk, `prefix` of Redis, fsspec's of others.

    Raises:
        MissingExtra: when the kind needs a package that is not installed.
        DataFault: when nobody knows such URLs.
    """
    scheme = url.partition("://")[0] if "://" in url else "file"
    if plugins.target("store", scheme) is None:
        from mlpipeline.data.stores.remote import RemoteStore

        return RemoteStore.from_url(url, **options)
    made: Store = plugins.load("store", scheme).from_url(url, **options)
    return made
