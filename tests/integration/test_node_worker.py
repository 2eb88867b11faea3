"""The worker of a job: a fork of its supervisor, in which a model finds what it would find in a started interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import wire
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.execution.forked import STARTED_WITH
from mlpipeline.execution.node import BOOTSTRAP
from mlpipeline.testing import executor_trial

_MODEL = """
import json, os, signal, sys, threading
from pathlib import Path
from mlpipeline.helper import Model
from mlpipeline.utils import Versions

def status(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    shown = [line.split() for line in lines if line.startswith(("SigIgn", "SigCgt", "SigBlk"))]
    masks = {name: int(mask, 16) for name, mask in shown}
    return {name: mask & 0x7FFFFFFF for name, mask in masks.items()}  # 32 and 33 are the C library's

def targets():
    found = []
    for each in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{each}").partition(":")[0])
        except OSError:
            continue
    return sorted(found)

class Tells(Model):
    def train_model(self, input_fn, steps):
        if self.current_version["kind"] == "dies":
            os._exit(41)
        command = [Path(f"/proc/{pid}/cmdline").read_text() for pid in (os.getpid(), os.getppid())]
        both = (sys.stdout, sys.stderr)
        streams = [(each.encoding, each.errors, each.line_buffering, each.fileno()) for each in both]
        told = {
            "is_fork": command[0] == command[1],
            "supervisor": os.getppid() == int(os.environ["MLP_SUPERVISOR"]),
            "token": f"MLP_TOKEN={os.environ['MLP_TOKEN']}" in Path("/proc/self/environ").read_text().split(chr(0)),
            "leads": os.getpgid(0) == os.getpid(),
            "flags": list(sys.flags),
            "path": sys.path,
            "arguments": sys.argv,
            "environment": dict(os.environ),
            "signals": status(os.getpid()),
            "handler": repr(signal.getsignal(signal.SIGINT)),
            "files": targets(),
            "streams": streams,
            "directory": os.getcwd(),
            "threads": threading.active_count(),
            "hash": hash("the same in every run"),
            "modules": sorted(sys.modules),
            "main": sorted(vars(sys.modules["__main__"]))[:3],
        }
        Path("told.json").write_text(json.dumps(told))

    def evaluate_model(self, input_fn, steps):
        return 1.0

MODEL = Tells(Versions().add("quick", kind="quick").add("dies", kind="dies"))
"""


def run(root: Path, version: str, variables: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Supervises an attempt as a job does. Returns what its model told, its outcome, and what the job printed."""
    trial = executor_trial.Trial(root, "", "engine", 60.0)
    directory = trial.prepare(version).directory
    wire.write_json(directory / wire.ENGINE, {"name": "the engine"})
    command = [sys.executable, "-c", BOOTSTRAP, PACKAGE_PARENT, str(directory)]
    environment = {name: value for name, value in os.environ.items() if name not in STARTED_WITH}
    done = subprocess.run(
        command, cwd=root, env={**environment, **variables}, capture_output=True, text=True, timeout=100, check=True
    )
    told = root / "told.json"
    text = told.read_text() if told.exists() else "{}"
    told.unlink(missing_ok=True)
    outcome = wire.read_json(directory / wire.OUTCOME)
    assert outcome is not None
    found = json.loads(text.replace(str(directory), "ATTEMPT").replace(str(root), "ROOT"))
    for own in ("MLP_SUPERVISOR", "MLP_TOKEN"):
        found.get("environment", {}).pop(own, None)
    return found, outcome, done.stdout + done.stderr


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor_trial, "_MODEL", _MODEL)


def test_a_forked_worker_is_what_a_started_one_is(tmp_path: Path) -> None:
    forked, outcome, said = run(tmp_path / "forked", "quick", dict(STARTED_WITH))
    started, other, _ = run(tmp_path / "started", "quick", {})
    assert (outcome["state"], other["state"], said) == ("succeeded", "succeeded", "")
    assert (forked.pop("is_fork"), started.pop("is_fork")) == (True, False)
    assert {*started.pop("modules")} <= {*forked.pop("modules")}  # a fork has its supervisor's as well
    assert forked == started
    assert forked["token"]
    assert forked["supervisor"]
    assert forked["leads"]


def test_a_worker_imports_nothing_that_is_heavy_by_itself(tmp_path: Path) -> None:
    told, _, _ = run(tmp_path / "light", "quick", dict(STARTED_WITH))
    bare = subprocess.run([sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, check=True)
    own = {*told["modules"]} - {*bare.stdout.decode().split()}
    heavy = {"ast", "asyncio", "dataclasses", "inspect", "shutil", "subprocess", "sysconfig", "tempfile", "typing"}
    assert own & heavy == set()


def test_what_an_interpreter_reads_at_its_start_has_one_started(tmp_path: Path) -> None:
    told, outcome, _ = run(tmp_path / "more", "quick", {**STARTED_WITH, "PYTHONHASHSEED": "7"})
    assert outcome["state"] == "succeeded"
    assert not told["is_fork"]


def test_a_forked_worker_that_dies_is_told_of(tmp_path: Path) -> None:
    _, outcome, _ = run(tmp_path / "dies", "dies", dict(STARTED_WITH))
    assert (outcome["state"], outcome["exit_code"]) == ("failed", 41)


def test_what_is_raised_before_the_model_is_in_its_output(tmp_path: Path) -> None:
    trial = executor_trial.Trial(tmp_path / "gone", "", "engine", 60.0)
    prepared = trial.prepare("quick")
    spec = wire.read_json(prepared.directory / wire.SPEC)
    assert spec is not None
    wire.write_json(
        prepared.directory / wire.SPEC, spec | {"memory_limit": 1 << 99, "memory_limit_by": "address_space"}
    )
    command = [sys.executable, "-c", BOOTSTRAP, PACKAGE_PARENT, str(prepared.directory)]
    subprocess.run(command, cwd=trial.root, env={**os.environ, **STARTED_WITH}, timeout=100, check=True)
    outcome = wire.read_json(prepared.directory / wire.OUTCOME)
    assert outcome is not None
    assert (outcome["state"], outcome["exit_code"]) == ("failed", 70)
    assert "Traceback" in (prepared.directory / wire.OUTPUT).read_text()
