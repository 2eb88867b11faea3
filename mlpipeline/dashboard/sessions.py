"""Sessions that outlive the dashboard that began them: signed by a key that only the project's owner can read."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import os
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path

from mlpipeline import wire

SECONDS = 30 * 86_400
"""A session ends after this time; all of them end where the file with the key is deleted."""
_KEY_BYTES = 32


def key_of(path: Path) -> bytes:
    """Returns the key that a file holds, and makes it where there is none.

    A file that others could have read or written is not believed: there is a new one in its place then. Where nothing
    can be written the key is of this process alone.
    """
    with contextlib.suppress(OSError):
        wire.make_directory(path.parent, 0o700)
    for _ in range(2):
        if (known := _read(path)) is not None:
            return known
        with contextlib.suppress(OSError):
            _write(path, secrets.token_bytes(_KEY_BYTES))
    return secrets.token_bytes(_KEY_BYTES)


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link leads to wherever somebody wanted
            _remove(path)
        return None
    with open(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        is_private = stat.S_ISREG(about.st_mode) and about.st_uid == os.geteuid() and not about.st_mode & 0o077
        key = file.read(_KEY_BYTES + 1) if is_private else b""
    if len(key) == _KEY_BYTES:
        return key
    _remove(path)
    return None


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _write(path: Path, key: bytes) -> None:
    """Writes it whole, unless another dashboard was first."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(key)
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink()


class Sessions:
    """Makes and knows sessions.

    Args:
        key: that signs them.
        is_read_only: they only look, also at a dashboard that is started later and takes wishes.
        clock: returns seconds since 1970.
    """

    def __init__(self, key: bytes, *, is_read_only: bool = False, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = key, clock
        self._kinds = ("look", "ask") if is_read_only else ("ask",)

    def begin(self) -> str:
        """Returns the text of a new session's cookie."""
        content = f"{self._kinds[0]}.{int(self._clock()) + SECONDS}.{secrets.token_urlsafe(16)}"
        return f"{content}.{self._sign(content)}"

    def knows(self, cookie: str) -> bool:
        """Whether it is the cookie of a session that goes on."""
        content, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(self._sign(content).encode(), signature.encode("utf-8", "surrogateescape")):
            return False
        kind, until, _ = content.split(".")
        return kind in self._kinds and self._clock() < int(until)

    def _sign(self, content: str) -> str:
        return hmac.new(self._key, content.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
