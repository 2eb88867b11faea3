"""Learning curves for TensorBoard: what a run recorded, as event files beside it; no library is needed."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from mlpipeline import wire
from mlpipeline.rundir import read_metrics

FOLDER = "tensorboard"
_PARTS = ("train", "validation", "test")
_POLYNOMIAL = 0x82F63B78  # CRC-32C, reflected
_MASK = 0xA282EAD8


def write(directory: Path) -> Path | None:
    """Writes the metrics of an attempt as event files: `train_loss` and `validation_loss` become one plot, `loss`.

    A network's own callback may have written some already; then nothing is added.

    Args:
        directory: of the attempt.

    Returns:
        where they lie; None where nothing was recorded, or curves are there.
    """
    found = _by_part(read_metrics(directory / wire.METRICS))
    if not found or any(directory.rglob("events.out.tfevents.*")):
        return None
    for part, events in found.items():
        place = directory / FOLDER / part
        place.mkdir(parents=True, exist_ok=True)
        records = [_record(_event(events[0][0], 0, version=b"brain.Event:2"))]
        records += [_record(_event(at, step, values)) for at, step, values in events]
        (place / f"events.out.tfevents.{int(events[0][0])}.mlpipeline").write_bytes(b"".join(records))
    return directory / FOLDER


def _by_part(rows: Iterator[dict[str, Any]]) -> dict[str, list[tuple[float, int, dict[str, float]]]]:
    found: dict[str, list[tuple[float, int, dict[str, float]]]] = defaultdict(list)
    for place, row in enumerate(rows):
        told = row.get("values")
        if not isinstance(told, Mapping):
            continue
        at = datetime.fromisoformat(str(row["t"])).timestamp()
        step = row["step"] if isinstance(row.get("step"), int) else place
        of_row: dict[str, dict[str, float]] = defaultdict(dict)
        for name, value in told.items():
            part, _, rest = str(name).partition("_")
            if isinstance(value, int | float):
                of_row[part if part in _PARTS and rest else "run"][rest if part in _PARTS and rest else name] = value
        for part, values in of_row.items():
            found[part].append((at, step, values))
    return found


def _event(at: float, step: int, values: Mapping[str, float] | None = None, version: bytes = b"") -> bytes:
    """Returns an Event of tensorflow/core/util/event.proto, in the wire format of protocol buffers."""
    content = b"\x09" + struct.pack("<d", at) + b"\x10" + _varint(step)
    if version:
        return content + _field(3, version)
    summary = b"".join(
        _field(1, _field(1, name.encode()) + b"\x15" + struct.pack("<f", value))
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
