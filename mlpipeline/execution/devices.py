"""The GPUs of this machine: which there are, how much of their memory is free, and which processes use them.

NVML tells it, through nvidia-ml-py; nothing here touches CUDA, so no device is ever initialised by a look. MLP_DEVICES
names a JSON file that is read instead, at every look.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

FAKE = "MLP_DEVICES"
_PATIENCE_SECONDS = 30.0
LIBRARY = "libnvidia-ml.so.1"
NO_DRIVER = f"no GPU can be seen: there is no NVIDIA driver on this machine ({LIBRARY})"
NO_ANSWER = "no GPU can be seen: the NVIDIA driver does not answer (dmesg may say why)"
NO_PACKAGE = "no GPU can be seen: nvidia-ml-py is not installed (pip install nvidia-ml-py)"
_SENTENCES = {
    "NVMLError_DriverNotLoaded": "the NVIDIA driver is not loaded (modprobe nvidia)",
    "NVMLError_NoPermission": "this user has no permission (see ls -l /dev/nvidia*)",
    "NVMLError_LibRmVersionMismatch": "the NVIDIA driver was updated while the old one is loaded (restart the machine)",
    "NVMLError_GpuIsLost": "it is lost, has fallen off the bus (restart the machine)",
    "NVMLError_ResetRequired": "it must be reset (nvidia-smi --gpu-reset)",
    "NVMLError_NotFound": "it is not there any more",
}


class Process(NamedTuple):
    """Who uses a device. `memory` is in bytes, 0 where the driver does not say; `name` is empty where the process
    cannot be seen from here, as from within a container."""

    memory: int
    name: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU, or an instance of one that is divided (MIG). Sizes are bytes.

    Attributes:
        index: as nvidia-smi counts; `0:1` is instance 1 of GPU 0.
        memory_total: what processes can have, without what the driver keeps for itself.
        processes: those that compute on it, by process id.
    """

    index: str
    uuid: str
    name: str
    memory_total: int
    memory_free: int
    processes: Mapping[int, Process]

    @property
    def memory_used(self) -> int:
        """What is taken, by whomever."""
        return self.memory_total - self.memory_free

    @property
    def is_instance(self) -> bool:
        """Whether this is a part of a GPU. A process can use one such part only."""
        return self.uuid.startswith("MIG-")


class Seen(NamedTuple):
    """What a look found. `trouble` says why devices are missing from it; empty where nothing is odd."""

    devices: tuple[Device, ...]
    trouble: str = ""


class Looker:
    """Looks at the devices. NVML is opened at the first look, and again after every trouble: what came back is only
    seen by a new start."""

    def __init__(self) -> None:
        self._nvml: Any = None

    def look(self) -> Seen:
        """Returns the devices in the order of their index."""
        if path := os.environ.get(FAKE):
            return _fake(path)
        nvml, trouble = _module()
        if nvml is None:
            return Seen((), trouble)
        try:
            if self._nvml is None:
                nvml.nvmlInit()
                self._nvml = nvml
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError as error:
            self.close()
            return Seen((), _unseen(error))
        found: list[Device] = []
        troubles = []
        for index in range(count):
            try:
                found += _devices(nvml, index)
            except nvml.NVMLError as error:
                troubles.append(f"GPU {index} cannot be used: {_sentence(error)}")
        if troubles:
            self.close()
        return Seen(tuple(found), "; ".join(troubles))

    def close(self) -> None:
        """Lets go of the driver, so that it can be updated or a device reset."""
        nvml, self._nvml = self._nvml, None
        if nvml is not None:
            try:
                nvml.nvmlShutdown()
            except nvml.NVMLError:
                return  # the driver went away under it: there is nothing to let go of


class Prober:
    """Looks without ever being held up for long: a driver in trouble may never answer.

    Args:
        patience: how many seconds the driver has to answer. Without persistence mode it takes some at first.
    """

    def __init__(self, patience: float = _PATIENCE_SECONDS) -> None:
        self.patience = patience
        self._looker = Looker()
        self._seen = Seen(())
        self._thread: threading.Thread | None = None

    def probe(self) -> Seen:
        """Returns the devices in the order of their index."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, daemon=True)
            self._thread.start()
            self._thread.join(self.patience)
        if self._thread.is_alive():
            return Seen((), NO_ANSWER)
        self._thread = None
        return self._seen

    def _look(self) -> None:
        self._seen = self._looker.look()

    def close(self) -> None:
        """Lets go of the driver, unless it still owes an answer."""
        if self._thread is None:
            self._looker.close()


def probe() -> list[Device]:
    """Returns the devices of this machine; none where none can be seen."""
    prober = Prober()
    try:
        return list(prober.probe().devices)
    finally:
        prober.close()


def _module() -> tuple[Any, str]:
    """Returns the module that speaks to NVML, or why there is none. Where there is no driver, it is not imported."""
    if "pynvml" not in sys.modules:
        try:
            ctypes.CDLL(LIBRARY)
        except OSError:
            return None, NO_DRIVER
    try:
        return importlib.import_module("pynvml"), ""
    except ImportError:
        return None, NO_PACKAGE


def _unseen(error: Exception) -> str:
    is_missing = type(error).__name__ == "NVMLError_LibraryNotFound"
    return NO_DRIVER if is_missing else f"no GPU can be seen: {_sentence(error)}"


def _sentence(error: Exception) -> str:
    return _SENTENCES.get(type(error).__name__) or f"NVML says: {error}"


def _devices(nvml: Any, index: int) -> Iterator[Device]:
    """Yields a GPU, or its instances where it is divided: it cannot be used as a whole then."""
    whole = nvml.nvmlDeviceGetHandleByIndex(index)
    if not _is_divided(nvml, whole):
        yield _device(nvml, whole, str(index), nvml.nvmlDeviceGetName(whole))
        return
    for number in range(nvml.nvmlDeviceGetMaxMigDeviceCount(whole)):
        try:
            part = nvml.nvmlDeviceGetMigDeviceHandleByIndex(whole, number)
        except nvml.NVMLError_NotFound:
            continue  # places of instances need not be taken one after the other
        yield _device(nvml, part, f"{index}:{number}", nvml.nvmlDeviceGetName(part))


def _is_divided(nvml: Any, handle: Any) -> bool:
    try:
        return bool(nvml.nvmlDeviceGetMigMode(handle)[0] == nvml.NVML_DEVICE_MIG_ENABLE)
    except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound):
        return False


def _device(nvml: Any, handle: Any, index: str, name: str) -> Device:
    total, free = _memory(nvml, handle)
    return Device(index, nvml.nvmlDeviceGetUUID(handle), name, total, free, _processes(nvml, handle))


def _memory(nvml: Any, handle: Any) -> tuple[int, int]:
    """Returns the memory that processes can have, and how much of it is free."""
    try:
        info = nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2)
    except (nvml.NVMLError_FunctionNotFound, nvml.NVMLError_NotSupported, nvml.NVMLError_ArgumentVersionMismatch):
        info = nvml.nvmlDeviceGetMemoryInfo(handle)  # a driver before 510: what it keeps counts as used
        return int(info.total), int(info.free)
    return int(info.total) - int(info.reserved), int(info.free)


def _processes(nvml: Any, handle: Any) -> dict[int, Process]:
    for version in ("_v3", "_v2"):
        try:
            running = getattr(nvml, f"nvmlDeviceGetComputeRunningProcesses{version}")(handle)
        except nvml.NVMLError_FunctionNotFound:
            continue  # an older driver
        except (nvml.NVMLError_NotSupported, nvml.NVMLError_NoPermission):
            break
        return {each.pid: Process(int(each.usedGpuMemory or 0), *_who(each.pid)) for each in running}
    return {}


def _who(pid: int) -> tuple[str, str]:
    """Returns a process's name and user; nothing where it cannot be seen."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            name = file.read().strip()
        uid = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return "", ""
    return name, user(uid)


def user(uid: int) -> str:
    """Returns a user's name; the number of one who has none, as in containers."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _fake(path: str) -> Seen:
    """Reads a list of devices from a file. A process may be given by its memory alone."""
    try:
        with open(path, encoding="utf-8") as file:
            rows = json.load(file)
        return Seen(tuple(_fake_device(place, row) for place, row in enumerate(rows)))
    except (OSError, ValueError, TypeError, KeyError) as error:
        return Seen((), f"{FAKE} = {path}: is no list of devices: {error!r}")


def _fake_device(place: int, row: Mapping[str, Any]) -> Device:
    processes = {}
    for pid, each in row.get("processes", {}).items():
        about = each if isinstance(each, dict) else {"memory": each}
        name, user = _who(int(pid))
        processes[int(pid)] = Process(about["memory"], about.get("name", name), about.get("user", user))
    index, total = str(row.get("index", place)), int(row["memory_total"])
    free = int(row.get("memory_free", total))
    return Device(index, row["uuid"], row.get("name", "fake"), total, free, processes)
