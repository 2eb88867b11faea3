"""What NVML is asked, and what is said where it does not answer. The module is a fake; its library, where a compiler is
at hand, a real one, called by the real module."""

# ruff: noqa: N802, N815 - the names are NVML's

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mlpipeline import wire
from mlpipeline.execution import devices, environment
from mlpipeline.execution.device_watch import DeviceWatch, held
from mlpipeline.execution.devices import Device, Looker, Prober, Process, Seen, probe

GB = 10**9
ERRORS = (
    "LibraryNotFound",
    "DriverNotLoaded",
    "NoPermission",
    "LibRmVersionMismatch",
    "GpuIsLost",
    "ResetRequired",
    "NotFound",
    "NotSupported",
    "FunctionNotFound",
    "ArgumentVersionMismatch",
    "Unknown",
)


class Nvml(ModuleType):
    """What of pynvml is used, over a dictionary of GPUs."""

    NVML_DEVICE_MIG_ENABLE = 1
    nvmlMemory_v2 = 0x02000028

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.NVMLError: Any = type("NVMLError", (Exception,), {})
        for name in ERRORS:
            setattr(self, f"NVMLError_{name}", type(f"NVMLError_{name}", (self.NVMLError,), {}))
        self.gpus: list[dict[str, Any]] = []
        self.opened = self.closed = 0
        self.broken = ""
        self.is_old = False

    def fail(self, name: str) -> None:
        raise getattr(self, f"NVMLError_{name}")(name)

    def nvmlInit(self) -> None:
        if self.broken:
            self.fail(self.broken)
        self.opened += 1

    def nvmlShutdown(self) -> None:
        self.closed += 1

    def nvmlDeviceGetCount(self) -> int:
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> dict[str, Any]:
        if error := self.gpus[index].get("error"):
            self.fail(error)
        return self.gpus[index]

    def nvmlDeviceGetMigMode(self, handle: dict[str, Any]) -> list[int]:
        if "parts" not in handle:
            self.fail("NotSupported")
        return [1, 1]

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: dict[str, Any]) -> int:
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: dict[str, Any], index: int) -> dict[str, Any]:
        if index not in handle["parts"]:
            self.fail("NotFound")
        found: dict[str, Any] = handle["parts"][index]
        return found

    def nvmlDeviceGetUUID(self, handle: dict[str, Any]) -> str:
        return str(handle["uuid"])

    def nvmlDeviceGetName(self, handle: dict[str, Any]) -> str:
        return "NVIDIA Fake"

    def nvmlDeviceGetMemoryInfo(self, handle: dict[str, Any], version: int | None = None) -> SimpleNamespace:
        if version is not None and self.is_old:
            self.fail("FunctionNotFound")
        return SimpleNamespace(total=16 * GB, free=15 * GB, used=GB, reserved=GB // 2)

    def nvmlDeviceGetComputeRunningProcesses_v3(self, handle: dict[str, Any]) -> list[SimpleNamespace]:
        if self.is_old:
            self.fail("FunctionNotFound")
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in handle.get("processes", {}).items()]

    def nvmlDeviceGetComputeRunningProcesses_v2(self, handle: dict[str, Any]) -> list[SimpleNamespace]:
        return [SimpleNamespace(pid=1, usedGpuMemory=None)]


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Nvml:
    made = Nvml()
    monkeypatch.delenv(devices.FAKE, raising=False)
    monkeypatch.setitem(sys.modules, "pynvml", made)
    return made


def test_devices_are_listed_with_memory_and_processes(nvml: Nvml) -> None:
    nvml.gpus = [{"uuid": "GPU-a", "processes": {os.getpid(): 3 * GB, 2**22 + 1: None}}, {"uuid": "GPU-b"}]
    first, second = probe()
    assert (first.index, first.uuid, first.name) == ("0", "GPU-a", "NVIDIA Fake")
    assert (first.memory_total, first.memory_free, first.memory_used) == (15_500_000_000, 15 * GB, GB // 2)
    assert first.processes[os.getpid()].memory == 3 * GB
    assert first.processes[os.getpid()].name == Path("/proc/self/comm").read_text().strip()
    assert first.processes[os.getpid()].user
    assert first.processes[2**22 + 1] == Process(0), "a process that cannot be seen from here"
    assert (second.index, second.processes) == ("1", {})
    assert (nvml.opened, nvml.closed) == (1, 1)


def test_an_older_driver_is_asked_in_its_own_way(nvml: Nvml) -> None:
    nvml.gpus, nvml.is_old = [{"uuid": "GPU-a"}], True
    found = probe()[0]
    assert (found.memory_total, found.memory_used, list(found.processes)) == (16 * GB, GB, [1])


def test_a_divided_device_is_its_instances(nvml: Nvml) -> None:
    parts = {1: {"uuid": "MIG-1"}, 4: {"uuid": "MIG-4"}}
    nvml.gpus = [{"uuid": "GPU-a"}, {"uuid": "GPU-b", "parts": parts}]
    found = probe()
    assert [(each.index, each.uuid, each.is_instance) for each in found] == [
        ("0", "GPU-a", False),
        ("1:1", "MIG-1", True),
        ("1:4", "MIG-4", True),
    ]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("LibraryNotFound", "there is no NVIDIA driver"),
        ("DriverNotLoaded", "the NVIDIA driver is not loaded"),
        ("NoPermission", "this user has no permission"),
        ("LibRmVersionMismatch", "the NVIDIA driver was updated while the old one is loaded"),
        ("Unknown", "NVML says: Unknown"),
    ],
)
def test_a_driver_that_cannot_be_asked_is_named_in_a_sentence(nvml: Nvml, error: str, told: str) -> None:
    nvml.broken = error
    looker = Looker()
    seen = looker.look()
    assert seen.devices == ()
    assert seen.trouble.startswith(f"no GPU can be seen: {told}")
    nvml.broken, nvml.gpus = "", [{"uuid": "GPU-a"}]
    assert len(looker.look().devices) == 1, "asked anew once it may work"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("GpuIsLost", "GPU 0 cannot be used: it is lost, has fallen off the bus (restart the machine)"),
        ("NotFound", "GPU 0 cannot be used: it is not there any more"),
        ("NoPermission", "GPU 0 cannot be used: this user has no permission (see ls -l /dev/nvidia*)"),
    ],
)
def test_one_device_in_trouble_does_not_hide_the_others(nvml: Nvml, error: str, told: str) -> None:
    nvml.gpus = [{"uuid": "GPU-a", "error": error}, {"uuid": "GPU-b"}]
    looker = Looker()
    seen = looker.look()
    assert ([each.uuid for each in seen.devices], seen.trouble) == (["GPU-b"], told)
    del nvml.gpus[0]["error"]
    assert [each.uuid for each in looker.look().devices] == ["GPU-a", "GPU-b"]
    assert (nvml.opened, nvml.closed) == (2, 1), "what came back is only seen by a new start"


def test_without_package_or_library_there_are_no_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(devices.FAKE, raising=False)
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    monkeypatch.setattr(devices, "LIBRARY", "libno-such-driver.so.1")
    assert Looker().look() == Seen((), devices.NO_DRIVER)
    assert "pynvml" not in sys.modules, "nobody pays for the import where there is no driver"
    monkeypatch.setattr(devices, "LIBRARY", "libc.so.6")
    monkeypatch.setattr(sys, "path", [])
    assert "nvidia-ml-py is not installed" in Looker().look().trouble


def test_a_driver_that_never_answers_holds_nobody_up(nvml: Nvml, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    monkeypatch.setattr(nvml, "nvmlDeviceGetCount", lambda: answer.wait() and 1)
    nvml.gpus = [{"uuid": "GPU-a"}]
    prober = Prober(patience=0.01)
    assert prober.probe() == Seen((), devices.NO_ANSWER)
    thread = prober._thread
    assert prober.probe() == Seen((), devices.NO_ANSWER)
    assert thread is not None
    assert prober._thread is thread, "nobody asks a second time before the first answer"
    answer.set()
    thread.join()
    assert [each.uuid for each in prober.probe().devices] == ["GPU-a"]


STUB = Path(__file__).parents[2] / "nvml_stub.c"


@pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler")
def test_the_real_module_is_called_as_it_wants_to_be(tmp_path: Path) -> None:
    pytest.importorskip("pynvml", reason="nvidia-ml-py is not installed")
    library = tmp_path / "libnvidia-ml.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, STUB], check=True)
    code = "from mlpipeline.execution.devices import Looker; seen = Looker().look(); print(seen.trouble)\n"
    code += "for each in seen.devices: print(each)"
    variables = {name: value for name, value in os.environ.items() if name != devices.FAKE}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=variables | {"LD_LIBRARY_PATH": str(tmp_path), "STUB_PID": "4194305"},
        capture_output=True,
        text=True,
        check=True,
    )
    shown = "name='Stub', memory_total=15, memory_free=10, processes={4194305: Process(memory=5, name='', user='')}"
    assert done.stdout.splitlines() == [
        "",
        f"Device(index='0', uuid='GPU-x', {shown})",
        f"Device(index='1:1', uuid='MIG-x', {shown})",
    ]


def test_a_file_stands_for_the_devices_and_is_read_at_every_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "devices.json"
    monkeypatch.setenv(devices.FAKE, str(path))
    anna = {"memory": GB, "name": "python", "user": "anna"}
    path.write_text(json.dumps([{"uuid": "GPU-a", "memory_total": 16 * GB, "processes": {"7": anna}}]))
    assert probe() == [Device("0", "GPU-a", "fake", 16 * GB, 16 * GB, {7: Process(GB, "python", "anna")})]
    path.write_text("[")
    assert "is no list of devices" in Looker().look().trouble


def test_a_run_sees_its_devices_and_no_others() -> None:
    rows = [{"uuid": "GPU-b"}, {"uuid": "MIG-1"}]
    assert environment.of_devices({"devices": None}, {}) == {}
    order = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert environment.of_devices({"devices": []}, {}) == order | {"CUDA_VISIBLE_DEVICES": ""}
    assert environment.of_devices({"devices": rows}, {}) == order | {"CUDA_VISIBLE_DEVICES": "GPU-b,MIG-1"}
    shared = environment.of_devices({"devices": rows, "gpu_memory": "auto"}, {"XLA_PYTHON_CLIENT_PREALLOCATE": "true"})
    assert shared["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert shared["XLA_PYTHON_CLIENT_PREALLOCATE"] == "true", "what the user says counts"


def device(used: int, **processes: Process) -> Device:
    return Device(
        "0", "GPU-a", "fake", 16 * GB, 16 * GB - used, {int(pid[1:]): each for pid, each in processes.items()}
    )


def test_what_a_run_holds_is_told_by_its_processes_or_else_by_what_was_taken_since() -> None:
    mine, other = Process(2 * GB, "python", "me"), Process(5 * GB, "python", "anna")
    assert held(device(8 * GB, p1=mine, p2=mine, p9=other), {1, 2}, GB) == 4 * GB
    assert held(device(8 * GB, p9=other), {1, 2}, GB) == 0, "it has not begun to compute"
    assert held(device(8 * GB, p645400=Process(7 * GB)), {1, 2}, GB) == 7 * GB, "in a container"
    assert held(device(8 * GB), {1, 2}, GB) == 7 * GB


def test_the_peak_is_the_most_on_any_one_device_and_what_is_held_now_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, told = tmp_path / "devices.json", str(tmp_path / "run" / wire.GPU)
    monkeypatch.setenv(devices.FAKE, str(path))
    watch = DeviceWatch([{"uuid": "GPU-a", "used": 0}, {"uuid": "GPU-b", "used": 0}], told)
    watch.look()
    assert watch.peak is None, "nobody has looked"
    seen = []
    for a, b in ((1, 2), (5, 1), (0, 0)):
        rows = [{"uuid": f"GPU-{name}", "memory_total": 16, "memory_free": 16 - n} for name, n in (("a", a), ("b", b))]
        path.write_text(json.dumps(rows))
        watch.look()
        seen.append((wire.read_json(told) or {}).get("memory"))
        (tmp_path / "run").mkdir(exist_ok=True)
    assert watch.peak == 5
    assert seen == [None, 6, 0], "the first cannot be written, and nothing fails for it"
