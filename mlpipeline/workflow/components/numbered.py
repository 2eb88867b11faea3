"""Small JSON files with numbers for names, written whole, never changed; many processes may write at once."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from mlpipeline import wire
from mlpipeline.errors import MlpipelineError, NotWritable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FILE = re.compile(r"([1-9][0-9]*)\.json")
_LONGEST = 150


def file_name(name: str) -> str:
    """Returns a name as a file or directory may have it: dots, slashes and apostrophes are no trouble.

    One that is too long for a file is cut, and a digest of all of it added.
    """
    import hashlib

    quoted = quote(name, safe=" ")
    quoted = quoted.replace(".", "%2E", 1) if quoted.startswith(".") else quoted
    if len(quoted) <= _LONGEST:
        return quoted
    return f"{quoted[:_LONGEST]}~{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def numbers(directory: Path) -> list[int]:
    """Returns the numbers that are taken, in order; none where there is no such directory."""
    try:
        names = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(match[1]) for name in names if (match := _FILE.fullmatch(name)))


def path_of(directory: Path, number: int) -> Path:
    """Returns where a number lies."""
    return directory / f"{number}.json"


def add(directory: Path, content: Mapping[str, Any]) -> int:
    """Writes an object under the next number, durably, and returns that.

    Raises:
        NotWritable: it cannot be written; nothing of it is there then.
    """
    beside = directory / f".{os.getpid()}.{secrets.token_hex(4)}.part"
    try:
        wire.make_directory(directory)
        try:
            wire.write_synced(beside, dict(content))
            number = _link(beside, directory)
        finally:
            beside.unlink(missing_ok=True)
        wire.sync_directory(directory)
    except OSError as error:
        told = f"{directory}: cannot be written ({error.strerror or error})"
        raise NotWritable(f"{told}: mend its permissions, or set outputs_dir in mlp.config") from error
    return number


def _link(beside: Path, directory: Path) -> int:
    """Gives a whole file the next free number: of two processes that want the same one, one takes that after it."""
    number = max(numbers(directory), default=0) + 1
    while True:
        try:
            os.link(beside, path_of(directory, number))
        except FileExistsError:
            number += 1
        else:
            return number


def read(directory: Path, number: int) -> dict[str, Any]:
    """Reads one object.

    Raises:
        FileNotFoundError: there is none.
        MlpipelineError: it is damaged.
    """
    path = path_of(directory, number)
    content = wire.read_json(path)
    if content is not None:
        return content
    path.stat()
    raise MlpipelineError(f"{path} is damaged: it cannot be read as JSON: put back a copy of it, or remove it")


def read_all(directory: Path) -> list[dict[str, Any]]:
    """Reads all objects of a directory, the first first.

    Raises:
        MlpipelineError: one is damaged.
    """
    return [read(directory, number) for number in numbers(directory)]
