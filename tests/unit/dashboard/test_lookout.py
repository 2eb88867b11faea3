"""One look for all pages, and what devices hold."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mlpipeline import wire
from mlpipeline.dashboard import lookout
from mlpipeline.dashboard.devices import Devices
from mlpipeline.execution.devices import FAKE
from mlpipeline.execution.limits import boot_id, start_ticks
from mlpipeline.project import Project


def test_pages_share_a_look_for_a_moment_and_not_longer(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(lookout.time, "monotonic", lambda: clock[0])
    found = lookout.Lookout(project)
    first = found.look()
    clock[0] += 0.4
    assert found.look() is first
    clock[0] += 0.2
    second = found.look()
    assert second is not first
    found.forget()
    assert found.look() is not second


def test_a_device_is_asked_how_much_of_it_a_run_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = {"pid": os.getpid(), "boot_id": boot_id(), "start_ticks": start_ticks(os.getpid())}
    (tmp_path / wire.STARTED).write_text(json.dumps(started))
    processes = {str(os.getpid()): 3 << 30, "1": {"memory": 1 << 30, "name": "x"}}
    devices = [{"uuid": "GPU-a", "memory_total": 8 << 30, "memory_free": 4 << 30, "processes": processes}]
    (tmp_path / "devices.json").write_text(json.dumps(devices))
    monkeypatch.setenv(FAKE, str(tmp_path / "devices.json"))
    given = [{"uuid": "GPU-a", "index": "0", "used": 0}]
    assert Devices().held(str(tmp_path), given) == 3 << 30
    assert Devices().held(str(tmp_path), []) is None
    assert Devices().held(str(tmp_path), [{"uuid": "GPU-gone"}]) is None
    assert Devices().held(str(tmp_path / "none"), given) is None
