"""A new version of the package is installed while a run trains: run and record end as they would have."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mlpipeline
from tests.integration.conftest import Workshop

BODY = """
while not (ROOT / "go").exists(): time.sleep(0.01)
for step in self.run.steps(total=3):
    self.run.record(loss=1.0)
    self.run.checkpoint(lambda path: path.write_text("x"))
"""


@pytest.mark.parametrize("preload", ["auto", "none"])
def test_a_run_goes_on_while_its_package_is_replaced(workshop: Workshop, tmp_path: Path, preload: str) -> None:
    place = tmp_path / "installed"
    shutil.copytree(Path(mlpipeline.__file__).parent, place / "mlpipeline")
    workshop.config(f"preload = {preload}\n")
    workshop.model("m.py", BODY)
    workshop.list("m.py")
    environment = {**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    queue = subprocess.Popen(
        [sys.executable, "-m", "mlpipeline", "-r", "-u"], cwd=workshop.root, env=environment, stdout=subprocess.DEVNULL
    )
    workshop.until(lambda: workshop.truth("train"), "it trains")
    workshop.until(lambda: list(workshop.outputs.glob("runs/*/1/started.json")), "its supervisor says so")
    queue.kill()
    queue.wait()
    shutil.rmtree(place)
    (place / "mlpipeline").mkdir(parents=True)
    (place / "mlpipeline" / "__init__.py").write_text("raise RuntimeError('half installed')\n")
    (workshop.root / "go").touch()
    workshop.until(lambda: list(workshop.outputs.glob("runs/*/1/outcome.json")), "it ended, and was recorded")
    assert workshop.run("-r", "-u")[0] == 0
    run = workshop.history()[0]
    assert (run["state"], run["steps"], run["exit_code"]) == ("succeeded", 3, 0)
    assert len(workshop.truth("train")) == 1
    assert workshop.run("fsck")[0] == 0
