"""A model is described by a forked process as by a started one: the same faults, nothing left, nothing lost."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from typing import Any

import psutil
import pytest

from .conftest import Workshop, warm_process

SEEN = """
import os, subprocess, sys, time
from pathlib import Path
HERE = Path(__file__).resolve().parent.parent
DESCRIBED = "MLP_SUPERVISOR" not in os.environ

def line(pid):
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\\0", " ")

def begun(**more):
    import json
    if DESCRIBED:
        told = {"pid": os.getpid(), "parent": os.getppid(), "own": line(os.getpid()), "above": line(os.getppid())}
        with (HERE / "described.jsonl").open("a") as file:
            file.write(json.dumps(told | more) + "\\n")
"""
WARM, COLD = "json", "none"


def model(workshop: Workshop, text: str) -> None:
    """Writes a model that does something when it is imported."""
    beside = workshop.root / "m.py"
    beside.write_text(
        f'{SEEN}\n{text}\nfrom truthful import *\nMODEL = Truthful(Versions(0.1, Loader(), 2, 1).add("one"))\n'
    )
    beside.rename(workshop.models / "m.py")  # whole at once: half a file would be described, too


def described(workshop: Workshop) -> list[dict[str, Any]]:
    path = workshop.root / "described.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def watching(workshop: Workshop, preload: str, text: str, more: str = "") -> subprocess.Popen[str]:
    """Starts a scheduler that stays."""
    workshop.config(f"preload = {preload}\n{more}")
    workshop.list("m.py")
    model(workshop, text)
    return workshop.start("-r", "-u", "--watch")


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("preload", [WARM, COLD])
def test_an_edit_is_described_without_a_new_interpreter(workshop: Workshop, preload: str) -> None:
    process = watching(workshop, preload, "begun()")
    workshop.until(lambda: workshop.truth("trained"), "the first one is trained")
    before = len(described(workshop))
    model(workshop, "begun(edited=True)\nEDITED = 1")
    workshop.until(lambda: len(workshop.truth("trained")) == 2, "the edited one is trained")
    rows = described(workshop)[before:]
    assert len(rows) == 1
    assert rows[0]["edited"]
    assert ("execution.warm" in rows[0]["own"]) is (preload == WARM)
    assert ("execution.warm" in rows[0]["above"]) is (preload == WARM)
    process.send_signal(signal.SIGINT)
    process.wait(60)


FAULTS = {
    "a syntax error": "begun()\nx = (",
    "an exception": "begun()\nprint('said', flush=True)\n1 / 0",
    "exit": "begun()\nsys.exit(3)",
    "os._exit": "begun()\nprint('said', flush=True)\nos._exit(3)",
    "a signal": "begun()\nos.kill(os.getpid(), 11)",
    "killed": "begun()\nos.kill(os.getpid(), 9)",
    "hangs": "begun()\nwhile True: time.sleep(1)",
    "prints much": "begun()\nprint('much ' * 500_000)\nos.write(2, b'said ' * 100_000)\nraise ValueError('done')",
    "closes its output": "begun()\nos.close(1); os.close(2)\nraise ValueError('done')",
    "no model": "begun()\nsys.modules['truthful'] = None",
}


def told(workshop: Workshop, preload: str, text: str) -> list[str]:
    """Lets a queue meet a fault. Returns the lines of the log about it."""
    limit = 1 if "while True" in text else 60
    workshop.config(f"preload = {preload}\ndescribe_timeout_seconds = {limit}\n")
    workshop.list("m.py")
    model(workshop, text)
    before, count = len(workshop.output()), len(described(workshop))
    status, said = workshop.run("-r", "-u")
    assert status == 1, said
    rows = described(workshop)[count:]
    assert all(("execution.warm" in row["own"]) is (preload == WARM) for row in rows)
    assert len(rows) == ("x = (" not in text)
    assert workshop.left_behind() == []
    lines = workshop.output()[before:].splitlines()
    return [re.sub(r"^\S+ \S+ ", "", line) for line in lines if "preload: " not in line]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_reads_the_same(workshop: Workshop, fault: str) -> None:
    warm, cold = told(workshop, WARM, FAULTS[fault]), told(workshop, COLD, FAULTS[fault])
    assert any("fault: m.py: " in line or "fault: models/m.py" in line for line in warm)
    assert warm == cold


@pytest.mark.parametrize("preload", [WARM, COLD])
@pytest.mark.parametrize("own_session", [False, True])
def test_what_an_import_started_is_gone_afterwards(workshop: Workshop, preload: str, own_session: bool) -> None:
    start = f"subprocess.Popen(['sleep', '600'], start_new_session={own_session})"
    process = watching(workshop, preload, f"if DESCRIBED: begun(child={start}.pid)")
    workshop.until(lambda: workshop.truth("trained"), "it is trained")
    child = described(workshop)[0]["child"]
    if preload == COLD and own_session:
        os.kill(child, signal.SIGKILL)  # a started process is no subreaper: this one has left its group
    workshop.until(lambda: not alive(child), "it is gone")
    process.send_signal(signal.SIGINT)
    process.wait(60)


WAITS = """
begun()
if DESCRIBED:
    while not (HERE / "go").exists(): time.sleep(0.01)
"""


def test_when_the_warm_process_is_killed_the_model_is_described_again(workshop: Workshop) -> None:
    process = watching(workshop, WARM, WAITS)
    workshop.until(lambda: described(workshop), "it is being described")
    for count in (1, 2, 3):
        workshop.until(lambda count=count: len(described(workshop)) == count, "it is being described again")
        row = described(workshop)[-1]
        if "execution.warm" not in row["own"]:
            break
        warm_process(process.pid).kill()
        workshop.until(lambda row=row: not alive(row["pid"]) and not alive(row["parent"]), "who described it is gone")
    assert len(described(workshop)) in (2, 3), "at last by a process of its own"
    (workshop.root / "go").touch()
    workshop.until(lambda: workshop.truth("trained"), "it is trained")
    assert "fault" not in workshop.output()
    process.send_signal(signal.SIGINT)
    process.wait(60)


@pytest.mark.parametrize("preload", [WARM, COLD])
def test_a_scheduler_that_is_killed_meanwhile_leaves_nothing(workshop: Workshop, preload: str) -> None:
    process = watching(workshop, preload, WAITS)
    workshop.until(lambda: described(workshop), "it is being described")
    process.kill()
    process.wait()
    workshop.until(lambda: workshop.left_behind() == [], "everything ends")
    (workshop.root / "go").touch()
    assert workshop.run("-r", "-u")[0] == 0
    assert len(workshop.truth("trained")) == 1
