"""What every task of an exported flow does, without the tool around it: a stand-in has its names."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from mlpipeline.workflow.exports import export

from .conftest import Yard

ROOT = Path(__file__).resolve().parents[4]
STAND_IN = """
class FlowSpec: ...
JSONType = current = None
def Parameter(*args, **options): ...
def retry(**options): return lambda function: function
def step(function): return function
"""
PROGRAM = """
import json, sys
import flow
for number in map(int, sys.argv[1].split()):
    changes = flow.changes_of({"rate": 5, "train_data": None}, json.loads(sys.argv[2]))
    print(json.dumps([number, flow.run_step(number, "../a:b+c d", changes)]))
"""


def run(yard: Yard, numbers: str, *settings: str) -> subprocess.CompletedProcess[str]:
    (path,) = export("metaflow", [yard.root / "models/steps.yaml"])
    (yard.root / "stand_in").mkdir(exist_ok=True)
    (yard.root / "stand_in" / "metaflow.py").write_text(STAND_IN)
    command = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "mlpipeline"]
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, numbers, json.dumps(settings)],
        env={
            "PYTHONPATH": f"{path.parent}:{yard.root / 'stand_in'}",
            "PATH": "/usr/bin:/bin",
            "HOME": str(yard.root / "home"),
            "MLPIPELINE_COMMAND": shlex.join(command),
        },
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def results(done: subprocess.CompletedProcess[str]) -> list[Any]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


def test_steps_go_on_from_one_another_and_leave_nothing_behind(yard: Yard) -> None:
    assert results(run(yard, "1 2")) == [[1, {}], [2, {}]]
    records = yard.root / ".mlpipeline/records/steps"
    (kept,) = records.iterdir()
    assert kept.name == "run-..%2Fa%3Ab%2Bc%20d"  # whatever a run is called
    assert results(run(yard, "3", "mean.rate=5")) == [[3, {"mean": 10.0, "off": 9.0}]]
    assert yard.calls == ["read", "fit", "score"]
    assert list(records.iterdir()) == []


def test_28_a_step_that_fails_tells_what_the_program_said(yard: Yard) -> None:
    (yard.root / "fail_once").touch()
    done = run(yard, "1 2")
    assert done.returncode == 1
    assert "RuntimeError: step 2 ended with status 1:" in done.stderr
    assert "RuntimeError: only once\nin mean.fit" in done.stderr
    assert results(run(yard, "2 3"))[1] == [3, {"mean": 10.0, "off": 9.0}]
    assert yard.calls == ["read", "fit", "fit", "score"]
