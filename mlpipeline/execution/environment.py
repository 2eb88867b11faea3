"""The environment variables of a worker.

Imported by the supervisor at every start: light modules only.
"""

from __future__ import annotations

import os

from mlpipeline.execution.limits import THREAD_VARIABLES, carried

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_GROWING = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}

PACKAGE_PARENT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""Where an interpreter finds this package that was started without site-packages."""


def of_worker(spec: dict[str, Any], directory: str, lock: str) -> dict[str, str]:
    """Returns what a worker inherits: its supervisor's variables, threads, token, copied sources.

    Args:
        spec: of the attempt.
        directory: of the attempt.
        lock: the mark of its lock file, see `carried`.
    """
    values = dict(os.environ)
    threads = spec.get("threads")
    if threads:
        values.update({name: str(threads) for name in THREAD_VARIABLES})
    values["MLP_TOKEN"] = carried(spec["token"], lock)
    values["MLP_SUPERVISOR"] = str(os.getpid())
    values["PYTHONHASHSEED"] = "0"
    values.update(of_devices(spec, values))
    copies = spec.get("python_path") or []
    inherited = [values["PYTHONPATH"]] if values.get("PYTHONPATH") else []
    # Child interpreters (multiprocessing's spawn) find the copied modules as plain files.
    values["PYTHONPATH"] = os.pathsep.join([os.path.normpath(f"{directory}/{path}") for path in copies] + inherited)
    return values


def of_devices(spec: dict[str, Any], inherited: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables by which a run sees its devices and no others; none where devices are not handed out.

    Who said how much memory is needed shares a device: there libraries must not take all of it at their start.
    """
    devices = spec.get("devices")
    if devices is None:
        return {}
    # Identities mean the same whatever the order of devices is; the order is for code that asks for them all.
    values = {"CUDA_VISIBLE_DEVICES": ",".join(each["uuid"] for each in devices), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    if devices and spec.get("gpu_memory"):
        values |= {name: inherited.get(name, value) for name, value in _GROWING.items()}
    return values
