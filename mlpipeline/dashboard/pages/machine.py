"""The page of the machine: slots, devices, memory over the last hour, and who holds what."""

from __future__ import annotations

import os
import shutil
from typing import Any

import psutil

from mlpipeline import wire
from mlpipeline.dashboard.devices import Devices
from mlpipeline.dashboard.lookout import Lookout
from mlpipeline.dashboard.pages.frame import frame
from mlpipeline.observe.view import LiveLine
from mlpipeline.project import Project

TEMPLATE = "machine.html"


def content(lookout: Lookout, devices: Devices, *, is_read_only: bool = False) -> dict[str, Any]:
    """Returns what the page shows."""
    seen, project = lookout.look(), lookout.project
    picture = seen.picture
    busy = [each for each in picture.running if each.now in ("alive", "unknown")]
    held = [(each, _held(project, devices, each)) for each in busy]
    return frame(seen, title="Machine", here="/machine", live="/live/machine", is_read_only=is_read_only) | {
        "cores": os.cpu_count(),
        "memory": psutil.virtual_memory(),
        "disk": shutil.disk_usage(project.root),
        "slots": picture.scheduler.slots,
        "held": held,
        "has_limits": any(has["limit"] for _, has in held),
        "has_devices": any(has["devices"] for _, has in held),
        "load": os.getloadavg(),
    }


def _held(project: Project, devices: Devices, line: LiveLine) -> dict[str, Any]:
    """Returns what a run may have, and what it has of its devices."""
    directory = project.root / line.run.directory
    spec, started = (wire.read_json(directory / name) or {} for name in (wire.SPEC, wire.STARTED))
    given = [each for each in spec.get("devices") or () if isinstance(each, dict)]
    pid = started.get("worker_pid") or started.get("pid")
    return {
        "devices": ", ".join(f"GPU {each.get('index')}" for each in given),
        "limit": spec.get("memory_limit"),
        "pid": pid if isinstance(pid, int) else None,
        "gpu_memory": devices.held(str(directory), given),
    }
