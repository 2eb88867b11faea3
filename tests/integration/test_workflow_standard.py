"""A standard workflow in the queue, killed at one of its steps: what was finished is not done again, or made twice."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Workshop

pytest.importorskip("sklearn")
pytest.importorskip("pyarrow")

TITANIC = Path(__file__).resolve().parents[2] / "examples" / "titanic"
WORKFLOW = """
runner: ClassificationRunner
config:
  train_data: data/train.csv
  eval_data: data/eval.csv
  model_target: survived
  retrain_all: true
  auto_approve_models: true
train:
  component: {model_trainer: GroupTrainer}
  model_trainer: {config: {training_params: {columns: [pclass, sex]}}}
checks:
  STEP: {before: checks/dying.py}
"""
DYING = """
import os, signal
from pathlib import Path

def check(*given, **named):
    if Path("dying").exists():
        Path("dying").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
"""


def write(workshop: Workshop, name: str, text: str) -> None:
    path = workshop.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def yard(workshop: Workshop) -> Workshop:
    """The passengers of the Titanic, and a trainer that is quick."""
    write(workshop, "components/group_trainer.py", (TITANIC / "components" / "group_trainer.py").read_text())
    write(workshop, "checks/dying.py", DYING)
    subprocess.run([sys.executable, str(TITANIC / "make_data.py")], cwd=workshop.root, check=True, timeout=60)
    workshop.list("flow.yaml")
    return workshop


def resources(workshop: Workshop) -> dict[str, list[str]]:
    """Returns the digests of what was made, by kind and name."""
    found: dict[str, list[str]] = {}
    for path in sorted((workshop.outputs / "resources").glob("*/*/*.json")):
        content = json.loads(path.read_text())
        found.setdefault(f"{content['kind']} {content['name']}", []).append(content["digest"])
    return found


def steps_of(text: str) -> tuple[list[str], list[str]]:
    """Returns the pipelines' methods that a run's output says were taken from the record, and those that were begun."""
    taken = re.findall(r"^(\S+) was done before this run was interrupted", text, re.MULTILINE)
    begun = re.findall(r"^((?:process|train|deploy|predict)\.\S+) begins$", text, re.MULTILINE)
    return taken, begun


@pytest.mark.parametrize(
    "step", ["train.evaluate_model", "train.compare_models", "deploy.approve_model", "predict.save_predictions"]
)
def test_a_killed_run_goes_on_at_the_step_that_was_interrupted(yard: Workshop, step: str) -> None:
    write(yard, "models/flow.yaml", WORKFLOW.replace("STEP", step))
    write(yard, "dying", "")
    status, text = yard.run("-r", "-u")
    assert status == 0, text
    (run,) = yard.history()
    assert (run["state"], len(run["attempts"])) == ("succeeded", 2)
    (directory,) = (yard.outputs / "runs").iterdir()
    first, second = ((directory / attempt / "output.log").read_text() for attempt in ("1", "2"))
    _, before = steps_of(first)
    taken, begun = steps_of(second)
    assert before[-1] == step
    within = {"deploy.check_approval"}  # called by approve_model: what happens within a step is not kept by itself
    finished = [each for each in before[:-1] if each not in within]
    assert taken == finished
    assert [each for each in begun if each not in within][: len(finished)] == finished
    made = resources(yard)
    assert {name: len(each) for name, each in made.items()} == {
        "dataset flow/train": 1,
        "dataset flow/eval": 1,
        "model flow": 2,
        "predictions flow/eval": 1,
    }
    assert not any((yard.outputs / "model_dirs").rglob("*.pickle"))
