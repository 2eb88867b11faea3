"""The page of the machine: slots, devices, memory over the last hour, and who holds what."""

from __future__ import annotations

import os
import shutil
from typing import Any

import psutil

from mlpipeline import wire
from mlpipeline.dashboard.pages.frame import frame, look
from mlpipeline.observe.view import LiveLine
from mlpipeline.project import Project

TEMPLATE = "machine.html"


def content(project: Project, *, is_read_only: bool = False) -> dict[str, Any]:
    """Returns what the page shows."""
    seen = look(project)
    picture = seen.picture
    disk = shutil.disk_usage(project.root)
    busy = [each for each in picture.running if each.now in ("alive", "unknown")]
    return frame(seen, title="Machine", here="/machine", live="/live/machine", is_read_only=is_read_only) | {
        "cores": os.cpu_count(),
        "memory": psutil.virtual_memory(),
        "disk": disk,
        "slots": picture.scheduler.slots,
        "held": [(each, _held(project, each)) for each in busy],
        "load": os.getloadavg(),
    }


def _held(project: Project, line: LiveLine) -> dict[str, Any]:
    """Returns what a run has: devices, and the memory of its processes."""
    directory = project.root / line.run.directory
    spec, started = (wire.read_json(directory / name) or {} for name in (wire.SPEC, wire.STARTED))
    devices = ", ".join(f"GPU {each.get('index')}" for each in spec.get("devices") or () if isinstance(each, dict))
    pid = started.get("worker_pid") or started.get("pid")
    return {"devices": devices, "memory": _memory(pid), "limit": spec.get("memory_limit"), "pid": pid}


def _memory(pid: Any) -> int | None:
    if not isinstance(pid, int):
        return None
    try:
        process = psutil.Process(pid)
        return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
    except psutil.Error:  # it has just ended
        return None
