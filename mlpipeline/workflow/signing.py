"""Signs what is kept of calls with a key of this user's own: what anybody else has written is never read as objects."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from functools import cache
from pathlib import Path

from mlpipeline.errors import MlpipelineError

SIGNATURE_BYTES = 32
_KEY_BYTES = 32


def sign(payload: bytes) -> bytes:
    """Returns the signature of what is to be kept: HMAC with SHA-256.

    Raises:
        MlpipelineError: the key is not this user's alone.
        OSError: it cannot be read or made.
    """
    return hmac.digest(_key(key_path()), payload, hashlib.sha256)


def is_signed(payload: bytes, signature: bytes) -> bool:
    """Whether a signature was made by this user, of this very content. Raises as `sign` does."""
    return hmac.compare_digest(sign(payload), signature)


def key_path() -> Path:
    """Returns where the key lies: in $XDG_STATE_HOME, else ~/.local/state; never in a project, which may be shared."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(base, "mlpipeline", "records.key")


@cache
def _key(path: Path) -> bytes:
    if not path.exists():
        _make(path)
    found = path.stat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise MlpipelineError(f"{path} can be read by others: remove it, and records begin anew")
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise MlpipelineError(f"{path} is no key: remove it, and records begin anew")
    return key


def _make(path: Path) -> None:
    """Makes the key whole, and once: of two processes that do so at a time, one wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()
