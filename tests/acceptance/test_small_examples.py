"""The examples that are projects of their own, each used as its first lines say, in a copy."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_examples import LIMIT_SECONDS, ROOT
from tests.extras import need

pytestmark = pytest.mark.examples


class Example:
    """A copy of an example."""

    def __init__(self, name: str, root: Path) -> None:
        self.root = root
        ignored = shutil.ignore_patterns("outputs", "__pycache__", "build", "*.egg-info")
        shutil.copytree(ROOT / "examples" / name, root, ignore=ignored)

    def python(self, *words: str, path: str = str(ROOT)) -> str:
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": path, "COLUMNS": "200"}
        done = subprocess.run(
            [sys.executable, *words], cwd=self.root, env=environment, capture_output=True, text=True,
            timeout=LIMIT_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, *words: str, path: str = str(ROOT)) -> str:
        return self.python("-m", "mlpipeline", *words, path=path)

    def history(self) -> list[dict[str, Any]]:
        return list(json.loads(self.run("history", "--json"))["runs"])


def test_two_seeds_of_each_version_are_compared(tmp_path: Path) -> None:
    example = Example("seeds", tmp_path / "seeds")
    example.run()
    assert example.history() == []
    example.run("-r", "-u")
    runs = example.history()
    assert len(runs) == 6
    assert len({(each["version"], each["replicate"]) for each in runs}) == 6
    first = [each["version"] for each in reversed(runs)][:3]
    assert first == ["width=8", "width=12", "width=64"], "all once before any twice"
    assert "±" in example.run("compare")
    assert "2 seeds in common, 3 are needed" in example.run("compare")
    listed = example.root / "models.config"
    listed.write_text(listed.read_text().replace("replicates=2", "replicates=3"))
    example.run("-r", "-u")
    assert len(example.history()) == 9, "only the new seeds are trained"
    assert "are needed" not in example.run("compare")


def test_a_forest_and_boosted_trees_learn_from_the_same_rows(tmp_path: Path) -> None:
    need("sklearn", "sklearn")
    need("xgboost", "xgboost-cpu")
    example = Example("trees", tmp_path / "trees")
    example.run()
    example.run("-r", "-u")
    runs = example.history()
    assert sorted(each["model"] for each in runs) == ["boosted.py"] * 2 + ["forest.py"] * 2
    assert all(each["metrics"]["test"]["auc"] > 0.85 for each in runs)
    compared = example.run("compare")
    first = compared.splitlines()[0]
    assert "ESTIMATOR__MAX_DEPTH" in first
    assert "ESTIMATOR__SKLEARN__MAX_DEPTH" in first
    assert "N_JOBS" not in first, "what only one of the models has and never changes"
    drawn = example.run("plot")
    assert "log_loss" in drawn
    assert "boosted.py" in drawn


def test_a_sweep_finds_the_pit_and_each_trial_is_a_run(tmp_path: Path) -> None:
    need("optuna", "tune")
    example = Example("sweep", tmp_path / "sweep")
    example.run()
    example.run("-r", "-u", "-j", "2")
    runs = example.history()
    assert sorted(each["version"] for each in runs) == sorted(f"trial-{number}" for number in range(1, 21))
    assert min(each["metrics"]["search"]["height"] for each in runs) < -0.9, "it is -1 where it is deepest"
    assert "trial-" in example.run("compare", "pit.py").splitlines()[2]


def test_what_was_killed_goes_on_and_ends_where_it_would_have(tmp_path: Path) -> None:
    example = Example("resume", tmp_path / "resume")
    said = example.python("power_cut.py")
    killed, alone = sorted(example.history(), key=lambda each: str(each["version"]))
    assert [(each["version"], each["attempt"]) for each in (killed, alone)] == [("killed", 2), ("left_alone", 1)]
    assert killed["metrics"] == alone["metrics"]
    done = re.search(r"had done (\d+) steps", said)
    went_on = re.search(r"went on at step (\d+)", said)
    assert done is not None
    assert went_on is not None
    assert 100 < int(went_on[1]) <= int(done[1]) + 1, "from its checkpoint, not from the beginning"


def test_digits_are_read_by_pytorch_and_a_killed_training_ends_the_same(tmp_path: Path) -> None:
    need("sklearn", "sklearn")
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed: pip install 'mlpipeline[torch]'")
    example = Example("torch", tmp_path / "torch")
    example.run()
    example.run("-r", "-u")
    runs = example.history()
    assert {each["version"] for each in runs} == {"filters=4", "filters=16"}
    assert min(each["metrics"]["test"]["accuracy"] for each in runs) > 0.9
    drills = json.loads(example.run("--drill", "digits.py:filters=4", "--json"))["drills"]
    assert [each["result"] for each in drills] == ["exact"]


def test_an_installed_plugin_offers_its_parts_everywhere(tmp_path: Path) -> None:
    need("yaml", "workflow")
    package, place = Example("plugin", tmp_path / "plugin"), tmp_path / "installed"
    package.python(
        "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(place), str(package.root)
    )  # fmt: skip
    path = f"{ROOT}:{place}"
    project = Example("seeds", tmp_path / "project")
    parts = json.loads(project.run("list", "components", "--json", path=path))["parts"]
    assert {each["name"]: each["where"] for each in parts}["LoudNotifier"] == "greeting-parts 1.0"
    assert project.run("greet", "Ada", path=path) == "Hello Ada\n"
    assert "greet" in project.run("--help", path=path)
    project.run("create", "model", "hello", "--template", "greeting", path=path)
    project.run("-r", "-u", "hello.py", path=path)
    assert {each["version"] for each in project.history()} == {"whom=Ada", "whom=Grace"}
    (project.root / "loud.yaml").write_text("component: {notifier: LoudNotifier}\nnotifier: {config: {marks: 3}}\n")
    project.run("validate", "loud.yaml", path=path)
    script = "import logging, sys; logging.basicConfig(level=logging.INFO, stream=sys.stdout)\n"
    script += "from mlpipeline.workflow import load; load('loud.yaml').notifier.notify('done')"
    assert "DONE!!!" in project.python("-c", script, path=path)
