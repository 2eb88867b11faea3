"""What this process may use of the machine: its affinity and its control groups, of both versions, count."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlpipeline.execution import machine

MANY = frozenset(range(16))


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "_groups", lambda _: [tmp_path])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: MANY)
    monkeypatch.delenv("MLP_MEMORY", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 16),
        ({"cpu.max": "max 100000"}, 16),
        ({"cpu.max": "400000 100000"}, 4),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "6400000 100000"}, 16),
        ({"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"}, 16),
        ({"cpu.cfs_quota_us": "300000", "cpu.cfs_period_us": "100000"}, 3),
    ],
)
def test_the_quota_of_a_group_bounds_the_cores(group: Path, files: dict[str, str], cores: int) -> None:
    for name, text in files.items():
        (group / name).write_text(f"{text}\n")
    assert machine.cores() == cores


@pytest.mark.parametrize(
    ("limit", "usage", "reclaimable"),
    [
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ],
)
def test_the_limit_of_a_group_is_its_machine(group: Path, limit: str, usage: str, reclaimable: str) -> None:
    whole = machine.memory()
    (group / limit).write_text("90000000\n")
    (group / usage).write_text("50000000\n")
    (group / "memory.stat").write_text(f"anon 1\n{reclaimable} 20000000\n")
    assert machine.memory() == (90_000_000, 60_000_000)
    (group / limit).write_text("max\n" if limit == "memory.max" else f"{2**63 - 4096}\n")
    assert machine.memory().total == whole.total
