"""A store in this process's memory: gone with it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from mlpipeline.data.store import Store
from mlpipeline.errors import StoreFull


class MemoryStore(Store):
    """Keeps values in a dictionary.

    Args:
        limit_bytes: of all values together; what was read least lately goes first. None keeps all.
    """

    def __init__(self, limit_bytes: int | None = None) -> None:
        self.limit_bytes = limit_bytes
        self._values: OrderedDict[str, bytes] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    @classmethod
    def from_url(cls, url: str, **options: Any) -> MemoryStore:
        """Opens `memory://`: a new one each time."""
        return cls(**options)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yields the keys that begin so, in no order."""
        with self._lock:
            found = [key for key in self._values if key.startswith(prefix)]
        return iter(found)

    def size(self, prefix: str = "") -> int:
        """Returns how many bytes the values have whose keys begin so."""
        with self._lock:
            return sum(len(value) for key, value in self._values.items() if key.startswith(prefix))

    def _get(self, key: str) -> bytes | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def _put(self, key: str, value: bytes) -> None:
        if self.limit_bytes is not None and len(value) > self.limit_bytes:
            raise StoreFull(
                f"a value has {len(value):,} bytes, and the store may hold {self.limit_bytes:,}: raise that"
            )
        with self._lock:
            self._total += len(value) - len(self._values.pop(key, b""))
            self._values[key] = value
            while self.limit_bytes is not None and self._total > self.limit_bytes:
                self._total -= len(self._values.popitem(last=False)[1])

    def _delete(self, key: str) -> None:
        with self._lock:
            self._total -= len(self._values.pop(key, b""))

    def _has(self, key: str) -> bool:
        with self._lock:
            return key in self._values
