"""TensorBoard's event files: recorded metrics as records of scalars, and scalars read back; no library is needed."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from mlpipeline import wire
from mlpipeline.rundir import read_metrics

FOLDER = "tensorboard"
PATTERN = "events.out.tfevents.*"
_PARTS = ("train", "validation", "test")
_POLYNOMIAL = 0x82F63B78  # CRC-32C, reflected
_MASK = 0xA282EAD8
_LARGEST = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]


def write(directory: Path) -> Path | None:
    """Writes the metrics of an attempt as event files: `train_loss` and `validation_loss` become one plot, `loss`.

    A network's own callback may have written some already; then nothing is added.

    Args:
        directory: of the attempt.

    Returns:
        where they lie; None where nothing was recorded, or curves are there.
    """
    rows = list(read_metrics(directory / wire.METRICS))
    found = records(rows)
    if not found or any(directory.rglob(PATTERN)):
        return None
    for part, content in found.items():
        place = directory / FOLDER / part
        place.mkdir(parents=True, exist_ok=True)
        (place / name_of(rows)).write_bytes(header(rows) + content)
    return directory / FOLDER


def name_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Returns what a file is called whose first row this is."""
    return f"events.out.tfevents.{int(_time(next(iter(rows))))}.mlpipeline"


def header(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Returns what a file begins with."""
    return _record(_event(_time(next(iter(rows))), 0, version=b"brain.Event:2"))


def records(rows: Iterable[Mapping[str, Any]], first: int = 0) -> dict[str, bytes]:
    """Returns rows of recorded metrics as records, by the plot's part: `train`, `validation`, `test`, `run`.

    Args:
        rows: as `metrics.jsonl` has them.
        first: the place of the first one, which is the step of a row that has none.
    """
    found: dict[str, list[bytes]] = defaultdict(list)
    for place, row in enumerate(rows, first):
        told = row.get("values")
        if not isinstance(told, Mapping):
            continue
        step = row["step"] if isinstance(row.get("step"), int) else place
        of_row: dict[str, dict[str, float]] = defaultdict(dict)
        for name, value in told.items():
            if (number := _number(value)) is not None:
                part, _, rest = str(name).partition("_")
                of_row[part if part in _PARTS and rest else "run"][rest if part in _PARTS and rest else name] = number
        for part, values in of_row.items():
            found[part].append(_record(_event(_time(row), step, values)))
    return {part: b"".join(pieces) for part, pieces in found.items()}


def _number(value: Any) -> float | None:
    """Returns a value as a float32 holds it; NaN and infinities, which are written as text, too."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return max(-_LARGEST, min(_LARGEST, number)) if abs(number) != float("inf") and number == number else number


def _time(row: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(row["t"])).timestamp()
    except (KeyError, ValueError):  # a row of somebody else's
        return 0.0


def _event(at: float, step: int, values: Mapping[str, float] | None = None, version: bytes = b"") -> bytes:
    """Returns an Event of tensorflow/core/util/event.proto, in the wire format of protocol buffers."""
    content = b"\x09" + struct.pack("<d", at) + b"\x10" + _varint(step)
    if version:
        return content + _field(3, version)
    summary = b"".join(
        _field(1, _field(1, name.encode("utf-8", "replace")) + b"\x15" + struct.pack("<f", value))
        for name, value in (values or {}).items()
    )
    return content + _field(5, summary)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _record(content: bytes) -> bytes:
    """Returns a TFRecord: length and content, each followed by its masked checksum."""
    length = struct.pack("<Q", len(content))
    return length + struct.pack("<I", _masked(length)) + content + struct.pack("<I", _masked(content))


def _masked(content: bytes) -> int:
    table, crc = _table(), 0xFFFFFFFF
    for byte in content:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    found = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (_POLYNOMIAL if number & 1 else 0)
        found.append(number)
    return tuple(found)


def read(path: Path) -> Iterator[tuple[float, int, str, float]]:
    """Yields the scalars of an event file: time in seconds, step, name, value. What a crash has cut off is left out.

    Only scalars written as such are read (`simple_value`), as PyTorch, tensorboardX and Guild write them.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        while len(head := file.read(12)) == 12:
            (length,) = struct.unpack("<Q", head[:8])
            if struct.unpack("<I", head[8:])[0] != _masked(head[:8]):
                return
            content, tail = file.read(length), file.read(4)
            if len(tail) < 4 or struct.unpack("<I", tail)[0] != _masked(content):
                return
            yield from _scalars(content)


def _scalars(event: bytes) -> Iterator[tuple[float, int, str, float]]:
    at, step = 0.0, 0
    summaries = []
    for number, value in _fields(event):
        if number == 1 and isinstance(value, bytes):
            (at,) = struct.unpack("<d", value)
        elif number == 2 and isinstance(value, int):
            step = value
        elif number == 5 and isinstance(value, bytes):
            summaries.append(value)
    for summary in summaries:
        for number, one in _fields(summary):
            told = dict(_fields(one)) if number == 1 and isinstance(one, bytes) else {}
            name, scalar = told.get(1), told.get(2)
            if isinstance(name, bytes) and isinstance(scalar, bytes) and len(scalar) == 4:
                yield at, step, name.decode("utf-8", "replace"), struct.unpack("<f", scalar)[0]


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yields the fields of a message: its numbers as they are, everything else as bytes."""
    place = 0
    while place < len(content):
        key, place = _read_varint(content, place)
        kind = key & 7
        if kind == 0:
            value, place = _read_varint(content, place)
            yield key >> 3, value
            continue
        if kind == 2:
            size, place = _read_varint(content, place)
        else:
            size = {1: 8, 5: 4}.get(kind, len(content))
        yield key >> 3, content[place : place + size]
        place += size


def _read_varint(content: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while place < len(content):
        byte = content[place]
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            break
    return number, place
