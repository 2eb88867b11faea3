"""The files of an attempt's directory: their names, and how they are read and written whole.

The supervisor imports this at every start, so it needs the standard library's light modules only.
"""

from __future__ import annotations

import json
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SPEC = "spec.json"
STARTED = "started.json"
METRICS = "metrics.jsonl"
MESSAGES = "messages.jsonl"
PROGRESS = "progress.json"
RESULT = "result.json"
OUTCOME = "outcome.json"
CONTROL = "control.json"
OUTPUT = "output.log"
LOCK = "supervisor.lock"
ENGINE = "engine.json"
NODE = "node.json"
FITTER = "fitter.lock"
SOURCES = "sources"
ENVIRONMENT = "environment.json"
NOTES = "notes.jsonl"
TAGS = "tags.jsonl"
DATA = "data.json"
ORIGIN = "origin.json"
GPU = "gpu.json"
FENCE = "MLP_FENCE"
"""Names a file in the environment: where it exists, the attempt was given up, and writes no checkpoint any more."""
GIVEN_UP = 76
"""The exit status of a process whose attempt was given up."""
_RETRY_SECONDS = 1.0
_PATIENCE = 5


def utc_now() -> str:
    """Returns the time as ISO text in UTC with microseconds."""
    return _text(time.time_ns())


class Clock:
    """Asks for the time of day once, and counts from there: where that is set, what is measured stays true."""

    def __init__(self) -> None:
        self.offset = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def now(self) -> str:
        """Returns the time as `utc_now` does."""
        return _text(self.offset + time.clock_gettime_ns(time.CLOCK_BOOTTIME))


def _text(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest // 1000:06d}+00:00"


def read_json(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Reads a whole JSON object; None when it is absent or damaged."""
    try:
        return _read(path)
    except OSError:
        return None


def read_json_patiently(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Reads what decides how something ended: where it is there and cannot be read, that is tried for a while."""
    for _ in range(_PATIENCE):
        try:
            return _read(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            time.sleep(_RETRY_SECONDS)
    return None


def _read(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    # Unbuffered bytes: who looks at hundreds of runs each second pays more for a buffer and a decoder than for reading.
    with open(path, "rb", buffering=0) as file:
        told = file.read()
    try:
        content = json.loads(told.decode("utf-8"))
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def write_json(path: str | os.PathLike[str], content: dict[str, Any], *, sync: bool = False) -> None:
    """Writes a JSON object beside its place and renames it, so that a reader sees all of it or nothing.

    Args:
        path: where it is to appear.
        content: what is written.
        sync: whether it must outlast a power cut: then file and directory are synced before this returns.

    Raises:
        OSError: nothing has changed then, but for a file beside.
    """
    name = os.fspath(path)
    beside = f"{name}.{os.getpid()}.part"
    write_synced(beside, content, sync=sync)
    os.rename(beside, name)
    if sync:
        sync_directory(os.path.dirname(name) or ".")


def write_synced(path: str | os.PathLike[str], content: dict[str, Any], *, sync: bool = True) -> None:
    """Writes a JSON object in place, for who names it afterwards: the content is on disk, the name need not be.

    Raises:
        OSError: it may stand there in part.
    """
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(content, ensure_ascii=True))
        file.flush()
        if sync:
            os.fsync(file.fileno())


def write_json_once(path: str | os.PathLike[str], content: dict[str, Any], *, sync: bool = True) -> bool:
    """Writes a JSON object where there is none. Returns whether it did: of several writers, on whichever machines,
    one does.

    Args:
        path: where it is to appear.
        content: what is written.
        sync: whether it must outlast a power cut.

    Raises:
        OSError: nothing has changed then, but for a file beside.
    """
    name = os.fspath(path)
    beside = f"{name}.{os.uname().nodename}.{os.getpid()}.part"
    write_synced(beside, content, sync=sync)
    try:
        os.link(beside, name)
    except FileExistsError:
        return False
    finally:
        os.unlink(beside)
    if sync:
        sync_directory(os.path.dirname(name) or ".")
    return True


def write_json_patiently(path: str | os.PathLike[str], content: dict[str, Any]) -> None:
    """Writes what must not be lost, durably, waiting for space as long as the disk is full.

    Raises:
        OSError: when the directory itself is gone: nobody waits for the file any more.
    """
    while True:
        try:
            write_json(path, content, sync=True)
            return
        except OSError:
            if not os.path.isdir(os.path.dirname(path) or "."):
                raise
            time.sleep(_RETRY_SECONDS)


def append_json(path: str | os.PathLike[str], content: dict[str, Any]) -> None:
    """Adds a line to a file of JSON lines, durably; a torn line before it, left by a crash, stays apart.

    Raises:
        OSError: it may stand there or not.
    """
    name = os.fspath(path)
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        begin = b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
        os.write(descriptor, begin + json.dumps(content, ensure_ascii=True).encode("ascii") + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_directory(os.path.dirname(name) or ".")


def make_directory(path: str | os.PathLike[str], mode: int = 0o777) -> None:
    """Makes a directory, and what is missing above it, so that its name outlasts a power cut.

    Also one that is there already: who made it may have been stopped before the name was on disk.
    """
    above = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(above):
        make_directory(above)
    os.makedirs(path, mode, exist_ok=True)
    sync_directory(above)


def sync_file(path: str | os.PathLike[str]) -> None:
    """Makes the content of a file last."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: str | os.PathLike[str]) -> None:
    """Makes the names in a directory last."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
