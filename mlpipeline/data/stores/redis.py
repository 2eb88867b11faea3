"""A store in Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from mlpipeline import errors
from mlpipeline.data import credentials
from mlpipeline.data.store import Store
from mlpipeline.errors import DataFault, StoreError

_Result = TypeVar("_Result")
_TIMEOUT_SECONDS = 30.0
_AT_ONCE = 500


class RedisStore(Store):
    """Keeps values under a prefix of one database of a Redis server.

    Args:
        client: of the redis package, which gives bytes.
        prefix: what the keys begin with there; others' keys are not seen.
        url: what messages call it.
    """

    def __init__(self, client: Any, *, prefix: str = "mlpipeline:", url: str = "redis") -> None:
        self._client, self.prefix, self._shown = client, prefix, credentials.place(url)

    @classmethod
    def from_url(cls, url: str, *, prefix: str = "mlpipeline:", **options: Any) -> RedisStore:
        """Opens `redis://[user:password@]host:port/database`. Nothing is connected yet."""
        redis = errors.require("redis", extra="redis")
        limits = {"socket_timeout": _TIMEOUT_SECONDS, "socket_connect_timeout": _TIMEOUT_SECONDS}
        try:
            client = redis.Redis.from_url(url, **{**limits, **options})
        except ValueError as error:
            raise DataFault(f"{credentials.place(url)}: {error}: write redis://host:port/0") from None
        return cls(client, prefix=prefix, url=url)

    def __repr__(self) -> str:
        return f"RedisStore({self._shown!r}, prefix={self.prefix!r})"

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yields the keys that begin so, in no order."""
        pattern = f"{_literal(self.prefix + prefix)}*"
        # SCAN may give a key twice.
        found = self._asked(lambda: set(self._client.scan_iter(match=pattern, count=_AT_ONCE)))
        return (key.decode()[len(self.prefix) :] for key in found)

    def size(self, prefix: str = "") -> int:
        """Returns how many bytes the values have whose keys begin so."""
        keys, total = list(self.keys(prefix)), 0
        for start in range(0, len(keys), _AT_ONCE):
            pipe = self._client.pipeline(transaction=False)
            for key in keys[start : start + _AT_ONCE]:
                pipe.strlen(self.prefix + key)
            total += sum(self._asked(pipe.execute))
        return total

    def _asked(self, ask: Callable[[], _Result]) -> _Result:
        redis = errors.require("redis", extra="redis")
        try:
            return ask()
        except redis.RedisError as error:
            raise StoreError(f"Redis at {self._shown}: {error}: see whether it runs, and has memory") from error

    def _get(self, key: str) -> bytes | None:
        found: bytes | None = self._asked(lambda: self._client.get(self.prefix + key))
        return found

    def _put(self, key: str, value: bytes) -> None:
        self._asked(lambda: self._client.set(self.prefix + key, value))

    def _delete(self, key: str) -> None:
        self._asked(lambda: self._client.delete(self.prefix + key))

    def _has(self, key: str) -> bool:
        return bool(self._asked(lambda: self._client.exists(self.prefix + key)))


def _literal(text: str) -> str:
    """Returns text as a pattern of Redis that matches nothing else."""
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in text)
