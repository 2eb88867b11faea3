"""What runs take of this machine: of processes that are known to be theirs, and of no others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import wire
from mlpipeline.execution.limits import boot_id, start_ticks
from mlpipeline.observe.usage import Meter, gpu_memory, processes_of, processor_seconds

HERE = {"pid": os.getpid(), "start_ticks": start_ticks(os.getpid()), "boot_id": boot_id()}


@pytest.mark.parametrize(
    "told", [None, {}, HERE | {"start_ticks": 1}, HERE | {"boot_id": "another"}, HERE | {"pid": "no number"}]
)
def test_a_process_that_is_not_known_to_be_the_runs_is_not_looked_at(
    tmp_path: Path, told: dict[str, Any] | None
) -> None:
    if told is not None:
        wire.write_json(tmp_path / wire.STARTED, told)
    assert not processes_of(str(tmp_path))
    assert Meter().look(str(tmp_path.parent), [tmp_path.name]) == {}


def test_memory_is_known_at_once_and_cores_from_the_second_look_on(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    wire.write_json(tmp_path / "run" / wire.STARTED, HERE)
    meter = Meter()
    first, second = (meter.look(str(tmp_path), ["run"])["run"] for _ in range(2))
    assert first.memory > 1_000_000
    assert first.cores is None
    assert second.cores is not None
    assert second.cores >= 0
    assert second.gpu_memory is None


def test_what_a_run_holds_on_its_devices_is_what_its_supervisor_saw(tmp_path: Path) -> None:
    wire.write_json(tmp_path / wire.GPU, {"memory": 3 * 2**30})
    assert gpu_memory(str(tmp_path)) == 3 * 2**30
    wire.write_json(tmp_path / wire.GPU, {"memory": "much"})
    assert gpu_memory(str(tmp_path)) is None


def test_processor_time_only_grows() -> None:
    before = processor_seconds([os.getpid()])
    sum(range(2_000_000))
    assert processor_seconds([os.getpid()]) >= before > 0
    assert processor_seconds([]) == 0
