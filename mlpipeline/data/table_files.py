"""Tables in files: CSV, TSV, JSON, JSON lines, Parquet, ORC, here or at any URL of fsspec; a file appears whole."""

from __future__ import annotations

import io
import json
import os
import posixpath
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mlpipeline import errors
from mlpipeline.config_text import near_miss
from mlpipeline.data import columns
from mlpipeline.data.remote import Place, place
from mlpipeline.errors import DataFault

if TYPE_CHECKING:
    import pandas as pd

_SYNONYMS = {"pq": "parquet", "ndjson": "jsonl"}
_COMPRESSIONS = {"gz": "gzip", "bz2": "bz2", "xz": "xz"}
FORMATS = ("csv", "tsv", "json", "jsonl", "parquet", "pq", "orc")


def read(source: str | os.PathLike[str], **options: Any) -> pd.DataFrame:
    """Returns the rows of a file.

    Args:
        source: a path, or a URL of fsspec; its name's end says what it is: `sales.2026.csv.gz` is compressed CSV.
        options: of the file system, e.g. `endpoint_url`.

    Raises:
        DataFault: there is no such file, its name does not say what it is, or it is something else.
        StoreError: it cannot be read.
    """
    url = os.fspath(source)
    kind, compression = kind_of(url)
    found = place(url, **options)
    with found.translated():
        if not found.system.exists(found.path):
            raise DataFault(f"there is no file {found}: mend the path{_beside(found)}")
        if found.system.isdir(found.path):
            raise DataFault(f"{found} is a directory: name a file, one of {', '.join(_files(found)) or 'none'}")
    with found.translated(), found.system.open(found.path, "rb", compression=compression) as file:
        try:
            return _readers()[kind](file)
        except (ValueError, KeyError, EOFError) as error:  # what parsers of all formats raise is one of these
            raise DataFault(f"{found} cannot be read as {kind}: {_first_line(error)}") from error


def write(frame: pd.DataFrame, target: str | os.PathLike[str], **options: Any) -> str:
    """Writes rows, without their index, in the place of what was there. Who reads meanwhile sees the old or the new.

    Returns:
        where they lie.

    Raises:
        DataFault: nobody writes such files, or the format cannot hold the rows.
        StoreError: it cannot be written.
    """
    url = os.fspath(target)
    kind, compression = kind_of(url)
    _check(frame, url)
    found = place(url, **options)
    fsspec = errors.require("fsspec", extra="data")
    with found.translated(), _appearing(found) as path:
        try:
            with fsspec.open(path, "wb", compression=compression) as file:
                _writers()[kind](frame, file)
        except (ValueError, TypeError, OverflowError) as error:
            raise DataFault(f"{found}: {kind} cannot hold these rows: {_first_line(error)}") from error
    return str(found)


def kind_of(name: str) -> tuple[str, str | None]:
    """Returns the format of a file, and how it is compressed.

    Raises:
        DataFault: the name does not say it.
    """
    *_, before, last = ("", *posixpath.basename(name).lower().split("."))
    compression = _COMPRESSIONS.get(last)
    kind = "" if "." not in posixpath.basename(name) else before if compression else last
    if kind not in FORMATS and kind not in _SYNONYMS:
        shown = f".{kind}" if kind else "no ending"
        raise DataFault(f"{name}: no table is kept in files with {shown}: use one of {', '.join(FORMATS)}")
    return _SYNONYMS.get(kind, kind), compression


def _check(frame: pd.DataFrame, name: str) -> None:
    pd = errors.require("pandas", extra="data")
    if not isinstance(frame, pd.DataFrame):
        raise errors.WrongType(f"{name}: {type(frame).__name__} cannot be written: give a pandas DataFrame")
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise DataFault(f"{name}: two columns are called {doubled[0]!r}: rename one of them")


@contextmanager
def _appearing(target: Place) -> Iterator[str]:
    """Yields a path of this machine to write to: what is there at the end is put in its place, whole."""
    is_here = "file" in _protocols(target)
    folder = Path(target.path).parent if is_here else Path(tempfile.gettempdir())
    if is_here:
        folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{uuid.uuid4().hex}.part"
    try:
        yield str(beside)
        if is_here:
            beside.replace(target.path)
        else:
            target.system.put_file(str(beside), target.path)
    finally:
        beside.unlink(missing_ok=True)


def _protocols(target: Place) -> tuple[str, ...]:
    found = target.system.protocol
    return (found,) if isinstance(found, str) else tuple(found)


def _beside(target: Place) -> str:
    """Returns the nearest name that there is, for messages."""
    near = near_miss(posixpath.basename(target.path), _files(target))
    return f".{near}" if near else ""


def _files(target: Place) -> list[str]:
    folder = target.path if target.system.isdir(target.path) else posixpath.dirname(target.path)
    if not target.system.isdir(folder):
        return []
    return sorted(posixpath.basename(path) for path in target.system.ls(folder, detail=False))[:20]


def _readers() -> dict[str, Callable[[BinaryIO], pd.DataFrame]]:
    pd = errors.require("pandas", extra="data")
    return {
        "csv": pd.read_csv,
        "tsv": lambda file: pd.read_csv(file, sep="\t"),
        "json": lambda file: _of_objects(json.load(file)),
        "jsonl": lambda file: _of_objects([json.loads(line) for line in file if line.strip()]),
        "parquet": lambda file: pd.read_parquet(io.BytesIO(file.read())),
        "orc": _of_orc,
    }


def _writers() -> dict[str, Callable[[pd.DataFrame, BinaryIO], object]]:
    return {
        "csv": lambda frame, file: frame.to_csv(file, index=False, mode="wb"),
        "tsv": lambda frame, file: frame.to_csv(file, index=False, sep="\t", mode="wb"),
        "json": lambda frame, file: file.write(b"[" + b",\n".join(_objects(frame)) + b"]\n"),
        "jsonl": lambda frame, file: file.writelines(line + b"\n" for line in _objects(frame)),
        "parquet": lambda frame, file: frame.to_parquet(file, index=False),
        "orc": lambda frame, file: frame.reset_index(drop=True).to_orc(file),
    }


def _of_orc(file: BinaryIO) -> pd.DataFrame:
    content = io.BytesIO(file.read())
    try:
        found: pd.DataFrame = errors.require("pandas", extra="data").read_orc(content)
    except OSError as error:  # Arrow's word for what is no ORC; the bytes were read already
        raise ValueError(str(error)) from error
    return found


def _of_objects(rows: Any) -> pd.DataFrame:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it must be a list of objects, one for each row")
    found: pd.DataFrame = errors.require("pandas", extra="data").DataFrame(rows)
    return found


def _objects(frame: pd.DataFrame) -> Iterator[bytes]:
    """Yields a JSON object for each row. Not pandas' own: it writes 15 digits of a number, and a float has 17."""
    names = [str(name) for name in frame.columns]
    for row in columns.rows(frame):
        yield json.dumps(dict(zip(names, row, strict=True)), default=_as_text, allow_nan=False).encode()


def _as_text(value: Any) -> str:
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise TypeError(f"{type(value).__name__} is nothing that JSON has")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
