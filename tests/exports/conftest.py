"""The tools that exports are written for, each in an environment of its own: `make test-exports` makes them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.workflow.exports.conftest import Yard

ROOT = Path(__file__).resolve().parents[2]
_VARIABLE = "MLP_EXPORT_TOOLS"
_LONGEST = 240
Tool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path / "pro ject's")


@pytest.fixture
def tool(tmp_path: Path, yard: Yard) -> Tool:
    """Runs a program of a tool's environment, in which mlpipeline is not installed. Everything stays in the test."""
    command = ["env", f"PYTHONPATH={ROOT}", "PYTHONDONTWRITEBYTECODE=1", sys.executable, "-m", "mlpipeline"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "USER": "tester",
        "USERNAME": "tester",
        "NO_PROXY": "*",
        "MLPIPELINE_COMMAND": shlex.join(command),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(tmp_path / "metaflow"),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "DO_NOT_TRACK": "1",
    }

    def run(name: str, program: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        path = Path(os.environ.get(_VARIABLE, ""), name, "bin", program)
        if _VARIABLE not in os.environ or not path.exists():
            pytest.skip(f"{_VARIABLE} names no directory with an environment {name}: make test-exports")
        return subprocess.run(
            [str(path), *words], cwd=tmp_path, env=environment | variables, capture_output=True, text=True,
            timeout=_LONGEST, check=False,
        )  # fmt: skip

    return run
