"""Exports, run for real by the tools that they are written for.

Each workflow fails once at its second step: the tool runs that one again, and the first is not repeated. The files'
names, and a parameter's value, have all in them that must be quoted somewhere.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from mlpipeline.workflow.exports import export
from mlpipeline.workflow.exports.options import Options
from tests.unit.workflow.exports.conftest import Yard

from .conftest import Tool

NAME = 'it\'s "v1.2" $(x)'
DATA = 'd\'a "t🙂".txt'
EXPECTED = {"mean": 10.0, "off": 9.0}
VARIABLE = "DB_PASSWORD"
SECRET = "opensesame-42"
OPTIONS = Options(retries=1, retry_seconds=1)


@pytest.fixture
def path(yard: Yard) -> Path:
    """A workflow of three steps that fails once, and knows a secret."""
    text = (yard.root / "models/steps.yaml").read_text()
    (yard.root / "data.txt").rename(yard.root / DATA)
    (yard.root / "fail_once").touch()
    return yard.write(f"models/sub/{NAME}.yaml", f"{text}rows: {{config: {{db_password: '${{env:{VARIABLE}}}'}}}}\n")


def assert_ran(yard: Yard, done: subprocess.CompletedProcess[str]) -> None:
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert yard.calls == ["read", "fit", "fit", "score"]
    assert "RuntimeError: only once" in told  # the program's own output is in the tool's log
    assert SECRET not in told
    records = list((yard.root / ".mlpipeline/records").rglob("*"))
    assert [each for each in records if each.is_file()] == []  # nothing is left of a run that is complete


def last_json(text: str) -> object:
    lines = [line[line.index("{") :] for line in text.splitlines() if line.rstrip().endswith("}") and "{" in line]
    return json.loads(lines[-1])


def test_prefect_runs_a_flow(yard: Yard, path: Path, tool: Tool) -> None:
    (flow,) = export("prefect", [path], options=OPTIONS)
    function = next(line for line in flow.read_text().splitlines() if "_flow(" in line and line.startswith("def "))
    program = (
        f"import sys, json\nsys.path.insert(0, {str(flow.parent)!r})\nimport flow\n"
        f"print(json.dumps(flow.{function[4:-1]}(rate=5, train_data={DATA!r})))"
    )
    done = tool("prefect", "python", "-c", program, **{VARIABLE: SECRET})
    assert_ran(yard, done)
    assert last_json(done.stdout) == EXPECTED


def test_metaflow_runs_a_flow(yard: Yard, path: Path, tool: Tool) -> None:
    (flow,) = export("metaflow", [path], options=OPTIONS)
    words = ("run", "--rate", "2", "--train_data", DATA, "--settings", '["mean.rate=5"]')
    done = tool("metaflow", "python", str(flow), *words, **{VARIABLE: SECRET})
    assert_ran(yard, done)
    assert last_json(done.stdout) == EXPECTED


def test_airflow_runs_a_dag(yard: Yard, path: Path, tool: Tool) -> None:
    (dag,) = export("airflow", [path], options=OPTIONS)
    (name,) = [line.split('"')[1] for line in dag.read_text().splitlines() if "dag_id=" in line]
    variables = {VARIABLE: SECRET, "AIRFLOW__CORE__DAGS_FOLDER": str(dag.parent)}
    made = tool("airflow", "airflow", "db", "migrate", **variables)
    assert made.returncode == 0, made.stderr
    conf = json.dumps({"rate": 5, "train_data": DATA})
    done = tool("airflow", "airflow", "dags", "test", "--conf", conf, name, **variables)
    assert_ran(yard, done)
    assert f"Returned value was: {EXPECTED}" in done.stdout


def test_a_step_that_fails_fails_the_flow_with_what_it_said(yard: Yard, path: Path, tool: Tool) -> None:
    (flow,) = export("metaflow", [path], options=Options(retries=0))
    done = tool("metaflow", "python", str(flow), "run", "--train_data", DATA, **{VARIABLE: SECRET})
    assert done.returncode != 0
    assert yard.calls == ["read", "fit"]
    assert "step 2 ended with status 1" in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_flow_file_may_lie_elsewhere(yard: Yard, tool: Tool, tmp_path: Path) -> None:
    """One of pipelines, copied to another place: the project is named by the environment."""
    (flow,) = export("metaflow", [yard.root / "models/pipelines.yaml"])
    copy = shutil.copy(flow, tmp_path / "moved.py")
    records = tmp_path / "records"
    done = tool(
        "metaflow", "python", str(copy), "run", MLPIPELINE_PROJECT=str(yard.root), MLPIPELINE_RECORDS=str(records)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert last_json(done.stdout) == {"read__rows": 3.0, "train__mean": 2.0, "train__off": 1.0}
    assert records.is_dir()
