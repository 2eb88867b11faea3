"""The examples at the root, trained for real by the command line in a copy of the project."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.project import Project
from mlpipeline.selection import read
from tests.conftest import ALL
from tests.extras import need

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("digits_softmax.py", "digits_original.py")
KERAS = "digits_keras.py"
RESUMING = ("resume_exact.py", "resume_close.py")
BROKEN = "resume_broken.py"
LIMIT_SECONDS = 280

pytestmark = pytest.mark.examples

# Trains a version in the parts given, each as a new attempt in the same directory, and prints a digest of its state.
IN_PARTS = """
import hashlib, importlib, json, os, sys
from pathlib import Path
sys.path.insert(0, "examples")
from mlpipeline import ExecutionModeKeys, RunContext
name, version, parts, directory = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), Path(sys.argv[4])
model = importlib.import_module(name).MODEL
model.current_version = model.versions.getVersion(version)
loader = model.current_version["dataloader"]
directory.mkdir()
for part in parts:
    model.run = RunContext(model_dir=directory, seed=7, mode=ExecutionModeKeys.TRAIN)
    model.pre_execution_hook(model.current_version, str(directory))
    model.train_model(loader.get_train_input(), part)
if hasattr(model, "network"):
    state = [each.numpy() for each in [*model.network.variables, *model.network.optimizer.variables]]
elif isinstance(model.weights, list):
    state = model.weights
else:
    state = [model.weights, model.velocity]
digest = hashlib.sha256(b"".join(each.tobytes() for each in state)).hexdigest()
print(json.dumps([model.get_trained_step_count(), digest, "sklearn" in sys.modules]))
"""


def need_keras() -> None:
    need("sklearn", "sklearn")
    need("tensorflow", "tensorflow-cpu")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A project that holds nothing but the examples and what lists them."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples", project / "examples", ignore=shutil.ignore_patterns("outputs", "__pycache__"))
    for name in ("mlp.config", "models.config", "models_test.config"):
        shutil.copy(ROOT / name, project / name)
    return project


def python(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs Python in the project; a failure shows what it said."""
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def train(project: Path, *models: str) -> list[dict[str, Any]]:
    """Tries the models in test mode, trains them with history, and returns the history."""
    python(project, "-m", "mlpipeline", *models)
    assert history(project) == [], "test mode must record nothing"
    python(project, "-m", "mlpipeline", "-r", "-u", *models)
    return history(project)


def history(project: Path) -> list[dict[str, Any]]:
    runs = json.loads(python(project, "-m", "mlpipeline", "history", "--json").stdout)["runs"]
    assert {run["state"] for run in runs} <= {"succeeded"}
    return list(runs)


def accuracies(runs: list[dict[str, Any]], model: str) -> list[float]:
    return [run["metrics"]["test"]["accuracy"] for run in runs if run["model"] == model]


def state_after(project: Path, model: str, version: str, parts: list[int]) -> list[Any]:
    """Trains in parts and returns the steps done, a digest of the state, and whether scikit-learn was imported."""
    directory = project / f"parts-{len(parts)}"
    done = python(project, "-c", IN_PARTS, model, version, json.dumps(parts), str(directory))
    return list(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("test", [True, False])
def test_the_lists_hold_every_example_that_has_a_model_and_no_fault_but_the_broken_one(copy: Path, test: bool) -> None:
    selection = read(Project.load(copy), test=test)
    have_a_model = {path.name for path in (copy / "examples").glob("*.py") if "\nMODEL = " in path.read_text()}
    assert not selection.faults
    assert {each.model for each in selection.models} == have_a_model - {BROKEN} == {*SMALL, KERAS, *RESUMING}
    assert BROKEN in have_a_model


def test_the_numpy_examples_pass_test_mode_and_learn_to_read_digits(copy: Path) -> None:
    need("sklearn", "sklearn")
    runs = train(copy, *SMALL)
    of_model = Counter(run["model"] for run in runs)
    assert of_model == {SMALL[0]: 9, SMALL[1]: 2}, "three versions from three seeds, and two versions"
    assert min(accuracies(runs, SMALL[0])) >= 0.90
    assert min(accuracies(runs, SMALL[1])) >= 0.90


def test_the_examples_of_resumption_pass_test_mode_and_train(copy: Path) -> None:
    runs = train(copy, *RESUMING)
    assert {run["model"] for run in runs} == set(RESUMING)
    assert max(run["metrics"]["test"]["loss"] for run in runs) < 0.02, "the noise is 0.01"


def test_the_drill_tells_the_examples_of_resumption_apart(copy: Path) -> None:
    need("sklearn", "sklearn")
    command = [sys.executable, "-m", "mlpipeline", "--drill", *RESUMING, BROKEN, "digits_softmax.py:momentum", "--json"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    results = {each["model"]: each for each in json.loads(done.stdout)["drills"]}
    assert {model: each["result"] for model, each in results.items()} == {
        "resume_exact.py": "exact",
        "resume_close.py": "close",
        "resume_broken.py": "broken",
        "digits_softmax.py": "exact",
    }
    assert results[BROKEN]["step"] == 11, "the first step after the checkpoint"
    assert 0 < results["resume_close.py"]["largest_difference"] < 1e-5
    assert done.returncode == 1
    assert not (copy / "examples" / "outputs").exists()


def test_what_is_done_is_not_trained_again(copy: Path) -> None:
    need("sklearn", "sklearn")
    once = train(copy, SMALL[1])
    python(copy, "-m", "mlpipeline", "-r", "-u", SMALL[1])
    assert history(copy) == once


@pytest.mark.slow
def test_the_keras_example_passes_test_mode_and_reads_95_of_100_digits(copy: Path) -> None:
    need_keras()
    # `make demo` trains all four; here it is one of them that has to learn.
    runs = train(copy, KERAS if ALL else f"{KERAS}:filters=8,dropout=0.4")
    assert len({run["version"] for run in runs}) == len(runs) == (4 if ALL else 1)
    assert min(accuracies(runs, KERAS)) >= 0.95


@pytest.mark.parametrize(("model", "version"), [("digits_softmax", "momentum"), ("digits_original", "wide")])
def test_an_interrupted_numpy_training_ends_with_the_same_weights(copy: Path, model: str, version: str) -> None:
    need("sklearn", "sklearn")
    straight = state_after(copy, model, version, [60])
    assert straight[0] == 60
    assert state_after(copy, model, version, [23, 37]) == straight
    assert straight[2] is False, "scikit-learn takes longer to import than these take to train"


@pytest.mark.slow
def test_an_interrupted_keras_training_ends_with_the_same_weights_and_optimizer(copy: Path) -> None:
    need_keras()
    straight = state_after(copy, "digits_keras", "filters=8,dropout=0.4", [60])
    assert straight[0] == 60
    assert state_after(copy, "digits_keras", "filters=8,dropout=0.4", [23, 37]) == straight


def test_the_digits_are_those_of_scikit_learn_and_both_parts_hold_each_in_proportion(copy: Path) -> None:
    need("sklearn", "sklearn")
    script = (
        "import sys; sys.path.insert(0, 'examples'); import digits_data, numpy as np\n"
        "images, labels = digits_data.read(); (_, trained), (_, held_out) = digits_data.split()\n"
        "from sklearn.datasets import load_digits; known = load_digits()\n"
        "assert np.array_equal(images * 16, known.data) and np.array_equal(labels, known.target)\n"
        "assert len(trained) + len(held_out) == 1797\n"
        "shares = np.bincount(held_out) / np.bincount(labels); assert (0.19 < shares).all() and (shares <= 0.2).all()\n"
    )
    python(copy, "-c", script)
