"""The page about workflows: its first workflow is written to disk as it stands there, and used in every way it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "workflow.md").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in re.findall(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    (tmp_path / "models.config").write_text(
        "[MLP]\nuse_blacklist = false\n[WHITELISTED_MODELS]\nfirst.yaml\n[BLACKLISTED_MODELS]\n"
    )
    return tmp_path


def run(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_command_of_the_first_workflow_works(project: Path) -> None:
    (block,) = re.findall(r"```text\n(mlpipeline validate.*?)```", PAGE, re.DOTALL)
    told = [run(project, "-m", *re.split(r"\s{2,}", line)[0].split()) for line in block.splitlines()]
    assert "no fault" in told[0]
    assert told[1].split()[:5] == ["METRIC", "VALUE", "score", "1", "run"]
    assert "train.model_trainer.training_params.rate" in told[2]
    history = run(project, "-m", "mlpipeline", "history")
    assert history.count("succeeded") == 3
    assert "first.yaml:by-hand" in history
    assert "training score 1.8" in history


def test_parts_are_attributes_in_python(project: Path) -> None:
    (block,) = re.findall(r"```python\n(runner = .*?)```", PAGE, re.DOTALL)
    program = f"from runners.mine import MyRunner\n{block}\nprint(runner.train.model_trainer.rate, runner.main())"
    assert run(project, "-c", program) == "0.5 {'score': 1.0}\n"


def test_every_yaml_block_of_the_page_is_yaml() -> None:
    from mlpipeline.workflow import yaml_text

    for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL):
        assert yaml_text.read(block.encode(), "page")[1] == []
