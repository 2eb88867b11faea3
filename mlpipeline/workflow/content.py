"""Tells calls apart by content: of arguments, of files that they name, of configuration, and of source code."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mlpipeline import errors, params
from mlpipeline.workflow.part import WIRING, Part, Wiring
from mlpipeline.workflow.sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CHUNK = 1 << 20
_MOST_FILES = 10_000


class NoContent(Exception):
    """Why a value has no content that could be compared."""


def reach(part: Part) -> list[Part]:
    """Returns a part and all that it uses, directly or not: what a call of it may change."""
    found: dict[int, Part] = {}
    waiting = [part]
    while waiting:
        each = waiting.pop()
        if id(each) not in found:
            found[id(each)] = each
            waiting += wiring(each).uses
    return sorted(found.values(), key=lambda each: each.address)


def wiring(part: Part) -> Wiring:
    """Returns how a part stands in its workflow."""
    found: Wiring = part.__dict__[WIRING]
    return found


def of_call(part: Part, method: str, args: tuple[Any, ...], keywords: Mapping[str, Any], sources: Sources) -> str:
    """Returns a digest of all that decides what a call returns: 40 hexadecimal digits.

    That is the method; its arguments and the files that they name; the state, the configuration with the files that it
    names, and the source code of the part and of all that it uses.

    Raises:
        NoContent: something of it cannot be compared.
    """
    arguments = [list(args), dict(keywords)]
    told: list[Any] = [part.address, method, of_value(arguments), of_files(_paths(arguments), sources.root)]
    for each in reach(part):
        values = wiring(each).values
        config = params.digest(params.describe(dict(values)))
        read = [value for key, value in values.items() if key not in type(each).WRITES]
        files = of_files(_paths(read), sources.root)
        told.append([each.address, of_class(type(each), sources), config, files, of_value(each.__getstate__())])
    told.append(of_files(_meant(part, arguments), sources.root))
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:40]


def _meant(part: Part, arguments: Any) -> Iterator[str]:
    """Yields the files that parts mean by names of arguments and of configuration: `train` may be `data/train.csv`."""
    parts = reach(part)
    values = [value for each in parts for key, value in wiring(each).values.items() if key not in type(each).WRITES]
    names = set(_paths([arguments, values]))
    for meaning in (each.files_meant for each in parts if hasattr(type(each), "files_meant")):
        for name in names:
            yield from meaning(name)


def of_value(value: Any) -> str:
    """Returns a digest of any value that can be pickled; equal arrays and tables have the same one in every process.

    Raises:
        NoContent: it cannot be pickled.
    """
    joblib = errors.require("joblib.hashing", extra="workflow")
    try:
        return str(_hasher(joblib, "numpy" in sys.modules)(hash_name="sha1").hash(value))
    except Exception as error:  # pickling a stranger's object may raise anything
        raise NoContent(f"{type(error).__name__}: {error}".splitlines()[0]) from error


@functools.cache
def _hasher(joblib: Any, has_numpy: bool) -> Any:
    basis = joblib.NumpyHasher if has_numpy else joblib.Hasher

    class Hasher(basis):  # type: ignore[misc, valid-type]
        """Knows parts of a workflow by their place and state."""

        def save(self, value: Any) -> None:
            if isinstance(value, Part):
                value = ("part", type(value).__qualname__, value.address, value.__getstate__())
            super().save(_laid_out(value))

    return Hasher


def _laid_out(value: Any) -> Any:
    """Returns what stands for a value so that its layout in memory does not matter; most values do so themselves.

    What was cut out of a larger table or array lies otherwise than the same read back from a record.
    """
    numpy, pandas = _imported("numpy"), _imported("pandas")
    if numpy is not None and type(value) is numpy.ndarray and not value.flags.forc:
        return value.copy(order="C")
    if pandas is None or not isinstance(value, pandas.DataFrame | pandas.Series | pandas.Index):
        return value
    from mlpipeline.workflow.components import frames

    name = getattr(value, "name", None)
    if isinstance(value, pandas.Index):
        frame = pandas.DataFrame(index=value)
    else:
        frame = value if isinstance(value, pandas.DataFrame) else value.to_frame()
    try:
        return (type(value).__qualname__, name if isinstance(name, str) else repr(name), frames.digest(frame))
    except errors.DataFault:  # lists in a column, say: they are pickled as they are
        return value


def _imported(name: str) -> Any:
    """Returns a module; None where nobody has imported it, or another thread has only begun to."""
    module = sys.modules.get(name)
    return None if getattr(getattr(module, "__spec__", None), "_initializing", False) else module


def of_class(kind: type, sources: Sources) -> str:
    """Returns a digest of the source code that a class is made of: its own and that of the classes above it.

    Of the project's code, everything that its file imports of the project counts.
    """
    total = hashlib.sha256()
    for owner in kind.__mro__:
        module = sys.modules.get(owner.__module__)
        file = getattr(module, "__file__", None)
        if file is None:
            if owner.__module__ != "builtins":  # defined in a notebook or at the prompt
                total.update(_text_of(owner).encode())
        elif sources.contains(Path(file)) and "site-packages" not in file:
            total.update(sources.code_digest(Path(file)).encode())
        else:
            total.update(_installed_digest(file).encode())
    return total.hexdigest()[:16]


def _text_of(kind: type) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError) as error:
        raise NoContent(f"{kind.__name__} has no source code: define it in a file") from error


@functools.cache
def _installed_digest(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def _paths(value: Any) -> Iterator[str]:
    """Yields texts and paths in plain containers: they may name files."""
    if isinstance(value, str | Path):
        yield str(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _paths(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _paths(each)


def of_files(names: Iterable[str], root: Path) -> list[tuple[str, str]]:
    """Returns the digests of those names that are files, by their content; of directories, of what lies in them."""
    found = []
    for name in sorted(set(names)):
        if 0 < len(name) < os.pathconf("/", "PC_PATH_MAX") and "\0" not in name and "\n" not in name:
            path = next((base for base in (Path(name), root / name) if _exists(base)), None)
            if path is not None:
                found.append((name, _directory(path) if path.is_dir() else _file(path)))
    return found


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long for a file is none
        return False


def _file(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()


def _directory(path: Path) -> str:
    """Digests names, sizes and times of what lies below: reading all of it may take longer than the call."""
    rows = []
    for count, each in enumerate(sorted(path.rglob("*"))):
        if count == _MOST_FILES:
            raise NoContent(f"{path} holds more than {_MOST_FILES} files")
        stat = each.stat()
        rows.append((str(each.relative_to(path)), stat.st_size, stat.st_mtime_ns))
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
