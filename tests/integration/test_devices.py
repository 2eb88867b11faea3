"""Who trains on which device, by what the runs themselves saw. The devices are a file that tests write."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import Workshop

GB = 10**9
TWO = 'Versions(0.1, Loader(), 2, 1).add("a").add("b")'
ENV = 'truth("sees", self.run.version, devices=os.environ.get("CUDA_VISIBLE_DEVICES"))\n'
WAIT = ENV + 'while not (ROOT / f"go-{self.run.version}").exists(): time.sleep(0.01)'
ANNA = {"memory": int(12.1 * GB), "name": "python", "user": "anna"}


class Machine:
    """The devices that this test's processes find."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, dict[str, Any]] = {}

    def has(self, *names: str) -> None:
        self.rows = {name: {"index": name, "uuid": f"GPU-{name}", "memory_total": 16 * GB} for name in names}
        self.write()

    def uses(self, name: str, used: float, **processes: dict[str, Any]) -> None:
        """Sets what is in use on a device; `p12` is process 12."""
        told = {pid[1:]: each for pid, each in processes.items()}
        self.rows[name] |= {"memory_free": 16 * GB - int(used * GB), "processes": told}
        self.write()

    def write(self) -> None:
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(list(self.rows.values())))
        beside.rename(self.path)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path / "devices.json")
    monkeypatch.setenv("MLP_DEVICES", str(made.path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return made


def seen(workshop: Workshop) -> dict[str, Any]:
    return {row["version"]: row["devices"] for row in workshop.truth("sees")}


def go(workshop: Workshop, *versions: str) -> None:
    for version in versions:
        (workshop.root / f"go-{version}").touch()


def end(workshop: Workshop, queue: subprocess.Popen[str]) -> int:
    return queue.wait(60)


def why(workshop: Workshop, what: str) -> str:
    return workshop.run("why", what)[1]


def test_two_runs_at_a_time_train_on_two_devices(workshop: Workshop, machine: Machine) -> None:
    machine.has("0", "1")
    workshop.config("slots = 2\n")
    workshop.model("m.py", WAIT, TWO)
    workshop.list("m.py = gpus=1")
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: len(seen(workshop)) == 2, "both train")
    assert seen(workshop) == {"a": "GPU-0", "b": "GPU-1"}
    told = workshop.run("status")[1]
    assert "GPU 0" in told
    assert "trains m.py:b" in told
    go(workshop, "a", "b")
    assert end(workshop, queue) == 0
    spec = json.loads((workshop.root / workshop.history()[0]["directory"] / "spec.json").read_text())
    assert [each["uuid"] for each in spec["devices"]] == ["GPU-1"]


def test_a_device_has_one_run_at_a_time(workshop: Workshop, machine: Machine) -> None:
    machine.has("0")
    workshop.config("slots = 2\n")
    workshop.model("m.py", WAIT, TWO)
    workshop.model("cpu.py", 'truth("sees", "cpu", devices=os.environ.get("CUDA_VISIBLE_DEVICES"))')
    workshop.list("m.py = gpus=1", "cpu.py")
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: {"a", "cpu"} <= set(seen(workshop)), "what needs no device does not wait for one")
    assert seen(workshop) == {"a": "GPU-0", "cpu": ""}
    assert "waits for a device: GPU 0 trains m.py:a" in why(workshop, "m.py:b")
    go(workshop, "a", "b")
    assert end(workshop, queue) == 0
    assert seen(workshop)["b"] == "GPU-0"


def test_runs_share_a_device_where_they_say_how_much_they_need(workshop: Workshop, machine: Machine) -> None:
    machine.has("0")
    workshop.config("slots = 4\n")
    growth = 'truth("growth", self.run.version, growth=os.environ.get("TF_FORCE_GPU_ALLOW_GROWTH"))\n'
    workshop.model("m.py", growth + WAIT, 'Versions(0.1, Loader(), 2, 1).add("a").add("b").add("c")')
    workshop.list("m.py = gpu_memory=7GB")
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: len(seen(workshop)) == 2, "two share")
    assert "GPU 0 has room for 2.0 GB, not 7.0 GB: it has m.py:a, m.py:b" in why(workshop, "m.py:c")
    go(workshop, "a", "b", "c")
    assert end(workshop, queue) == 0
    assert seen(workshop) == {"a": "GPU-0", "b": "GPU-0", "c": "GPU-0"}
    assert {row["growth"] for row in workshop.truth("growth")} == {"true"}


def test_somebody_elses_process_makes_a_run_wait(workshop: Workshop, machine: Machine) -> None:
    machine.has("0")
    machine.uses("0", 12.4, p4711=ANNA)
    workshop.model("m.py", ENV)
    workshop.list("m.py = gpus=1")
    queue = workshop.start("-r", "-u")
    told = "waits for a device: GPU 0 is used by process 4711 (python, user anna, 12.1 GB)"
    workshop.until(lambda: any(told in each["reason"] for each in workshop.json("status")["next"]), "it waits")
    assert told in why(workshop, "m.py")
    assert queue.poll() is None, "a queue in which something waits for a device is not done"
    machine.uses("0", 0.3)
    assert end(workshop, queue) == 0
    assert seen(workshop) == {"one": "GPU-0"}


def test_a_device_that_goes_costs_no_run_and_is_used_again_when_it_is_back(
    workshop: Workshop, machine: Machine
) -> None:
    machine.has("0", "1")
    gone = machine.rows["0"]
    workshop.config("slots = 2\n")
    workshop.model("m.py", WAIT, 'Versions(0.1, Loader(), 2, 1).add("a").add("b").add("c")')
    workshop.list("m.py = gpus=1")
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: len(seen(workshop)) == 2, "both train")
    del machine.rows["0"]
    machine.write()
    told = "GPU 0 (fake) is gone while m.py:a trains on it: that goes on, and nothing else gets it"
    workshop.until(lambda: told in workshop.output(), "the loss is announced")
    go(workshop, "a")
    workshop.until(lambda: [row["version"] for row in workshop.truth("trained")] == ["a"], "the run goes on")
    reason = "waits for a device: GPU 1 trains m.py:b"
    workshop.until(lambda: any(reason in each["reason"] for each in workshop.json("status")["next"]), "c waits")
    machine.rows["0"] = gone
    machine.write()
    workshop.until(lambda: "c" in seen(workshop), "c trains")
    assert seen(workshop)["c"] == "GPU-0"
    go(workshop, "b", "c")
    assert end(workshop, queue) == 0
    assert workshop.output().count(told) == 1


def test_another_scheduler_finds_the_devices_of_live_runs_booked(workshop: Workshop, machine: Machine) -> None:
    machine.has("0")
    workshop.config("slots = 2\n")
    workshop.model("m.py", WAIT, TWO)
    workshop.list("m.py = gpus=1")
    first = workshop.start("-r", "-u")
    workshop.until(lambda: seen(workshop), "a trains")
    first.kill()
    first.wait()
    second = workshop.start("-r", "-u")

    def waits() -> bool:
        told = json.loads((workshop.outputs / "status-here.json").read_text())
        reasons = [each["reason"] for each in told["next"]]
        return told["pid"] == second.pid and reasons == ["waits for a device: GPU 0 trains m.py:a"]

    workshop.until(waits, "b waits")
    assert list(seen(workshop)) == ["a"]
    go(workshop, "a", "b")
    assert end(workshop, second) == 0
    ends = {row["version"]: row["t"] for row in workshop.truth("trained")}
    begins = {row["version"]: row["t"] for row in workshop.truth("sees")}
    assert ends["a"] <= begins["b"]


def test_after_all_was_killed_nothing_is_booked_twice_or_for_ever(workshop: Workshop, machine: Machine) -> None:
    machine.has("0", "1")
    workshop.config("slots = 2\n")
    workshop.model("m.py", WAIT, TWO)
    workshop.list("m.py = gpus=1")
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: len(seen(workshop)) == 2, "both train")
    queue.kill()
    queue.wait()
    for pid in workshop.left_behind():
        os.kill(pid, signal.SIGKILL)
    workshop.until(lambda: not workshop.left_behind(), "all are dead")
    again = workshop.start("-r", "-u")
    workshop.until(lambda: len(workshop.truth("sees")) == 4, "both train again")
    assert sorted(row["devices"] for row in workshop.truth("sees")[2:]) == ["GPU-0", "GPU-1"]
    go(workshop, "a", "b")
    assert end(workshop, again) == 0


def test_test_mode_leaves_the_queue_its_devices(workshop: Workshop, machine: Machine) -> None:
    machine.has("0", "1")
    workshop.model("m.py", WAIT)
    workshop.model("t.py", ENV.replace("self.run.version", '"tried"'))
    workshop.list("m.py = gpus=1")
    workshop.list("t.py = gpus=1", test=True)
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: seen(workshop), "the queue trains")
    assert workshop.run()[0] == 0
    assert seen(workshop) == {"one": "GPU-0", "tried": "GPU-1"}
    workshop.list("t.py = gpus=2", test=True)
    trial = workshop.start()
    assert trial.stdout is not None
    line = next(line for line in trial.stdout if "waits" in line)
    assert "waits for 2 devices, 1 free: GPU 0 trains m.py:one (of the queue)" in line
    go(workshop, "one")
    assert end(workshop, queue) == 0
    trial.communicate(timeout=60)
    assert trial.returncode == 0
    assert seen(workshop)["tried"] == "GPU-0,GPU-1"


def test_a_fault_says_where_no_device_may_be_handed_out(
    workshop: Workshop, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("0")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    workshop.model("m.py", ENV)
    workshop.list("m.py = gpus=1")
    told = workshop.run("plan")[1]
    assert "m.py asks for 1 GPU, and of the 1 of this machine none can be handed out for that" in told


def test_more_than_the_machine_has_is_a_fault_of_that_entry_alone(workshop: Workshop, machine: Machine) -> None:
    machine.has("0", "1")
    workshop.model("m.py", ENV)
    workshop.model("big.py", ENV)
    workshop.model("huge.py", ENV)
    workshop.list("big.py = gpus=4", "huge.py = gpu_memory=80GB", "m.py = gpus=2")
    status, told = workshop.run("-r", "-u")
    assert status == 1
    assert "models.config:5: big.py asks for 4 GPUs, and this machine has 2" in told
    assert "models.config:6: huge.py asks for 80.0 GB of a GPU, and the largest has 16.0 GB" in told
    assert seen(workshop) == {"one": "GPU-0,GPU-1"}
    assert "big.py asks for 4 GPUs" in why(workshop, "big.py")


@pytest.mark.parametrize(
    ("names", "config", "line", "expected"),
    [
        (("0", "1"), "", "m.py", {"a": "GPU-0,GPU-1", "b": "GPU-0,GPU-1"}),
        (("0", "1"), "slots = 2\n", "m.py", {"a": "GPU-0", "b": "GPU-1"}),
        (("0", "1"), "slots = 2\n", "m.py = gpus=0", {"a": "", "b": ""}),
        (("0", "1"), "gpus = none\n", "m.py", {"a": "", "b": ""}),
        (("0", "1"), "gpus = 1,\n", "m.py", {"a": "GPU-1", "b": "GPU-1"}),
        (("0", "1"), "env = CUDA_VISIBLE_DEVICES=1\n", "m.py", {"a": "GPU-1", "b": "GPU-1"}),
        ((), "slots = 2\n", "m.py", {"a": None, "b": None}),
    ],
)
def test_what_a_run_sees_that_asks_for_nothing(
    workshop: Workshop, machine: Machine, names: tuple[str, ...], config: str, line: str, expected: dict[str, Any]
) -> None:
    machine.has(*names)
    workshop.config(config)
    both = 'while len([row for row in (ROOT / "truth.jsonl").open() if "sees" in row]) < 2: time.sleep(0.01)'
    workshop.model("m.py", ENV + (both if "slots" in config else ""), TWO)
    workshop.list(line)
    assert workshop.run("-r", "-u")[0] == 0
    assert seen(workshop) == expected


USING = (
    ENV
    + """
import json
path = Path(os.environ["MLP_DEVICES"])
def uses(size, pid):
    rows = json.loads(path.read_text())
    rows[0] |= {"memory_free": rows[0]["memory_total"] - size, "processes": {pid: size} if pid else {}}
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps(rows))
    beside.rename(path)
"""
)


def test_the_peak_of_a_device_is_recorded_shown_and_learnt_from(workshop: Workshop, machine: Machine) -> None:
    machine.has("0")
    # It is sampled once a second at least.
    looked = "until = time.monotonic() + 3\nwhile time.monotonic() < until: time.sleep(0.05)\n"
    workshop.model("m.py", USING + "uses(5 * 10**9, os.getpid())\n" + looked + "uses(0, None)")
    workshop.list("m.py = gpu_memory=auto, replicates=1")
    assert workshop.run("-r", "-u")[0] == 0
    directory = workshop.root / workshop.history()[0]["directory"]
    assert json.loads((directory / "spec.json").read_text())["devices"][0]["memory"] is None, "nothing is learnt yet"
    assert json.loads((directory / "outcome.json").read_text())["peak_gpu_memory_bytes"] == 5 * GB
    told = workshop.run("show", "m.py")[1]
    assert "peak GPU memory" in told
    assert "4.7 GiB" in told
    assert "GPU 0 (fake)" in told
    workshop.list("m.py = gpu_memory=auto, replicates=2")
    assert workshop.run("-r", "-u")[0] == 0
    directory = workshop.root / workshop.history()[0]["directory"]
    assert json.loads((directory / "spec.json").read_text())["devices"][0]["memory"] == int(5.5 * GB)


def test_what_a_live_run_holds_of_its_devices_is_shown(workshop: Workshop, machine: Machine) -> None:
    machine.has("0")
    workshop.model("m.py", USING + "uses(5 * 10**9, os.getpid())\ntime.sleep(600)")
    workshop.list("m.py = gpus=1")
    queue = workshop.start("-r", "-u")
    workshop.until(
        lambda: [each["gpu_memory"] for each in workshop.json("status")["running"]] == [5 * GB], "it is seen"
    )
    assert "GPU MEMORY" in (told := workshop.run("status")[1])
    assert "4.7 GiB" in told
    queue.kill()


def test_a_device_that_a_run_left_full_is_kept_out_until_it_is_empty(workshop: Workshop, machine: Machine) -> None:
    machine.has("0")
    workshop.model("m.py", USING + 'if self.run.version == "a": uses(3200000000, None)', TWO)
    workshop.list("m.py = gpus=1")
    queue = workshop.start("-r", "-u")
    told = "GPU 0 still holds 3.2 GB after m.py:a ended: it is not handed out before that is free"
    workshop.until(lambda: told in workshop.output(), "the leak is announced")
    assert "b" not in seen(workshop)
    machine.uses("0", 0.0)
    assert end(workshop, queue) == 0
    assert workshop.output().count(told) == 1
    assert seen(workshop)["b"] == "GPU-0"


@pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler")
@pytest.mark.parametrize("preload", ["auto", "none"])
def test_the_driver_itself_is_asked_by_scheduler_and_supervisor(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preload: str
) -> None:
    pytest.importorskip("pynvml", reason="nvidia-ml-py is not installed")
    stub = Path(__file__).parents[1] / "nvml_stub.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "libnvidia-ml.so.1", stub], check=True)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    workshop.config(f"preload = {preload}\n")
    asked = 'while "libnvidia-ml" not in open(f"/proc/{os.getppid()}/maps").read(): time.sleep(0.01)'
    workshop.model("m.py", ENV + f"{asked}\ntime.sleep(1)")
    workshop.list("m.py = gpus=1")
    assert workshop.run("-r", "-u")[0] == 0
    assert seen(workshop) == {"one": "GPU-x"}
    outcome = json.loads((workshop.root / workshop.history()[0]["directory"] / "outcome.json").read_text())
    assert outcome["peak_gpu_memory_bytes"] == 0, "a number, since the driver has answered"
