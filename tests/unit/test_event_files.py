"""Learning curves as TensorBoard reads them."""

from __future__ import annotations

import struct
import sys
import types
from pathlib import Path

import pytest

from mlpipeline import event_files
from mlpipeline.context import RunContext


def recorded(directory: Path) -> Path:
    run = RunContext(directory=directory)
    for step in run.steps(range(3)):
        run.record(train_loss=1 / (step + 1), validation_loss=2.0, speed=7)
    run.close()
    return directory


def records(path: Path) -> list[bytes]:
    content, found = path.read_bytes(), []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        found.append(content[12 : 12 + length])
        content = content[16 + length :]
    return found


def test_each_part_has_a_file_with_an_event_for_each_step(tmp_path: Path) -> None:
    folder = event_files.write(recorded(tmp_path))
    assert folder == tmp_path / "tensorboard"
    assert sorted(path.name for path in folder.iterdir()) == ["run", "train", "validation"]
    (path,) = (folder / "train").iterdir()
    version, *events = records(path)
    assert version.endswith(b"brain.Event:2")
    assert len(events) == 3
    assert all(b"loss" in event for event in events)
    assert events[1].endswith(struct.pack("<f", 0.5))


def test_the_checksum_is_the_one_that_the_format_documents() -> None:
    turned = 0xE3069283 >> 15 | 0xE3069283 << 17 & 0xFFFFFFFF
    assert event_files._masked(b"123456789") == turned + 0xA282EAD8 & 0xFFFFFFFF


def test_what_a_network_wrote_itself_stays_alone(tmp_path: Path) -> None:
    (recorded(tmp_path) / "logs").mkdir()
    (tmp_path / "logs" / "events.out.tfevents.1.host").write_bytes(b"")
    assert event_files.write(tmp_path) is None


def test_where_nothing_was_recorded_there_is_no_curve(tmp_path: Path) -> None:
    assert event_files.write(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_tensorboard_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Told so, it leaves TensorFlow alone, which takes seconds to import.
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", types.ModuleType("notf"))
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    event_files.write(recorded(tmp_path))
    (path,) = (tmp_path / "tensorboard" / "train").iterdir()
    events = list(loader.RawEventFileLoader(str(path)).Load())
    assert len(events) == 4
