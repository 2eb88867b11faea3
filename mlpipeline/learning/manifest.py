"""The manifest of a saved model: what it is, what it was made with, and the digest of each of its files."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import stat
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from mlpipeline import wire
from mlpipeline.errors import ArtefactDamaged, ArtefactError, ArtefactTooNew, DataFault

NAME = "manifest.json"
FORMAT = 1
_KEYS = ("mlpipeline", "python", "libraries", "created_at", "estimator", "metrics", "files")
_BLOCK = 1 << 20
_AGAIN = "copy the model again, or train again"


def write(directory: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    """Writes the manifest of a directory whose other files are all there, and makes all of it last.

    Args:
        directory: of the saved model.
        told: what the manifest says beside the digests; JSON can hold it.

    Returns:
        what was written.
    """
    files = {name: _facts(directory / name) for name in sorted(_names(directory))}
    content = {"format": FORMAT, **told, "files": files}
    content["digest"] = digest(content)
    put(directory, content, rendered(content))
    return content


def rendered(content: Mapping[str, Any]) -> bytes:
    """Returns the bytes of a manifest."""
    return json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False).encode() + b"\n"


def put(directory: Path, content: Mapping[str, Any], data: bytes) -> None:
    """Writes the bytes of a manifest to where all files that it names are, and makes everything last."""
    # In two steps, so that a manifest never names a file that a power cut may take.
    for name in content["files"]:
        wire.sync_file(directory / name)
    for folder in {directory, *(parent for name in content["files"] for parent in _folders(directory, name))}:
        wire.sync_directory(folder)
    path = directory / NAME
    path.write_bytes(data)
    wire.sync_file(path)
    wire.sync_directory(directory)


def read(directory: Path) -> dict[str, Any]:
    """Reads and checks a manifest; the files that it names are not looked at.

    Raises:
        ArtefactError: there is no saved model, or it cannot be read.
        ArtefactDamaged, ArtefactTooNew: as `parse`.
    """
    path = directory / NAME
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise ArtefactError(f"{directory}: {_what_is(directory)}") from None
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror}): mend its permissions") from error
    return parse(data, str(path))


def parse(data: bytes, where: str) -> dict[str, Any]:
    """Returns the content of a manifest.

    Args:
        data: of the file.
        where: the file, for messages.

    Raises:
        ArtefactDamaged: it is not what was written.
        ArtefactTooNew: a newer release wrote it.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise ArtefactDamaged(f"{where}: is no JSON, or cut short: copy the model again, or train again") from None
    if not isinstance(content, dict):
        raise ArtefactDamaged(f"{where}: is no JSON object: copy the model again, or train again")
    number, stated = content.get("format"), content.get("digest")
    # The digest is made in the same way in every format, so that damage is not taken for a newer release.
    if stated is not None and stated != (found := digest(content)):
        raise ArtefactDamaged(f"{where}: was changed: its digest is {found}, and {stated} was written: {_AGAIN}")
    if isinstance(number, int) and number > FORMAT:
        raise ArtefactTooNew(
            f"{where}: has format {number}, and this release reads up to {FORMAT}: "
            f"upgrade mlpipeline to {content.get('mlpipeline', 'the release that saved it')}"
        )
    lacks = [key for key in ("format", "digest", *_KEYS) if key not in content]
    if lacks or number != FORMAT:
        raise ArtefactDamaged(
            f"{where}: is no manifest of a saved model: it lacks {', '.join(lacks) or 'a format'}: {_AGAIN}"
        )
    if data != rendered(content):
        raise ArtefactDamaged(f"{where}: was changed: it is not written as mlpipeline writes it: {_AGAIN}")
    for name in content["files"]:
        if not is_below(name):
            raise ArtefactDamaged(
                f"{where}: names the file {name!r}, which lies outside of the model's directory: {_AGAIN}"
            )
    return content


def check(directory: Path, content: Mapping[str, Any]) -> None:
    """Compares every file of a saved model with its digest.

    Raises:
        ArtefactDamaged: a file is missing, was changed, or does not belong there; it is named.
    """
    for name, facts in content["files"].items():
        check_file(directory / name, facts)
    for name in _names(directory):
        if name not in content["files"]:
            raise ArtefactDamaged(
                f"{directory / name}: does not belong to this saved model, its {NAME} does not name it: remove the file"
            )


def check_file(path: Path, facts: Mapping[str, Any]) -> None:
    """Compares one file with what the manifest says of it.

    Raises:
        ArtefactDamaged: it is missing, or was changed.
    """
    try:
        found = _facts(path)
    except (FileNotFoundError, NotADirectoryError):
        raise ArtefactDamaged(f"{path}: is missing: copy the model again, or train again") from None
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror or error}): mend its permissions") from error
    if found["bytes"] != facts["bytes"]:
        raise ArtefactDamaged(f"{path}: has {found['bytes']:,} bytes, and {facts['bytes']:,} were written: {_AGAIN}")
    if found["sha256"] != facts["sha256"]:
        raise ArtefactDamaged(
            f"{path}: was changed: its SHA-256 is {found['sha256']}, and {facts['sha256']} was written: "
            f"copy the model again, or train again"
        )


def digest(content: Mapping[str, Any]) -> str:
    """Returns the SHA-256 of a manifest's content, whatever its white space; `digest` itself has no part in it."""
    told = {name: value for name, value in content.items() if name != "digest"}
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def is_below(name: Any) -> bool:
    """Whether the name of a file leads to one below the directory, and is not the manifest's."""
    if not isinstance(name, str) or not name or "\\" in name or "\0" in name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.as_posix() == name != NAME


def plain(value: Any, where: str = "") -> Any:
    """Returns a value as JSON can hold it: arrays as lists, dates and paths as text; what is no finite number is null.

    Raises:
        DataFault: no JSON can hold it; the message says where it stands.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(each, f"{where}.{key}".lstrip(".")) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each, f"{where}[{place}]") for place, each in enumerate(value)]
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        return plain(value.tolist(), where)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, PurePath):
        return value.as_posix()
    if value is None or isinstance(value, bool | int | str):
        return value
    raise DataFault(f"{where or 'a fact'} is {type(value).__name__}, which JSON cannot hold: give numbers and text")


def _what_is(directory: Path) -> str:
    if not directory.exists():
        return "there is nothing: mend the path"
    if not directory.is_dir():
        return "is no directory, and a saved model is one: mend the path"
    return f"is no saved model, it has no {NAME}: mend the path"


def _folders(directory: Path, name: str) -> list[Path]:
    return [directory / each for each in PurePosixPath(name).parents]


def _names(directory: Path) -> Iterator[str]:
    """Yields the files of a saved model but for its manifest, relative to it."""
    for folder, folders, names in os.walk(directory):
        # A link to a directory would hide what lies behind it.
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in [*names, *links]:
            path = Path(folder, name).relative_to(directory).as_posix()
            if path != NAME:
                yield path


def _facts(path: Path) -> dict[str, Any]:
    sha, size = hashlib.sha256(), 0
    if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would never end
        raise OSError(errno.EINVAL, "is no file")
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            sha.update(block)
            size += len(block)
    return {"sha256": sha.hexdigest(), "bytes": size}
