"""The examples of workflows, each used in all four ways: from Python, from the shell, in the queue, as checks."""

from __future__ import annotations

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
EXAMPLES = ROOT / "examples"
RUNNERS = {
    "titanic": ("MyRunner", "dev.yaml"),
    "medical_visits": ("RegressionRunner", "models/medical_visits.yaml"),
    "sales": ("TimeSeriesRunner", "models/sales.yaml"),
}
METRICS = {"titanic": ("accuracy", "f1"), "medical_visits": ("rmse", "mae", "r2"), "sales": ("rmse", "mae", "mape")}
VERSIONS = {"titanic": {"shallow", "deep"}, "medical_visits": {"trees", "stumps"}, "sales": {"months", "quarters"}}


class Project:
    """A copy of an example, with its data made."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self.root = root
        shutil.copytree(EXAMPLES / name, root, ignore=shutil.ignore_patterns("outputs", "data", "__pycache__"))
        self.python("make_data.py")

    def python(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def run(self, *words: str, status: int = 0) -> str:
        return self.python("-m", "mlpipeline", *words, status=status).stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    @property
    def outputs(self) -> Path:
        return self.root / "models" / "outputs"

    def resources(self, kind: str) -> list[dict[str, Any]]:
        """Returns the resources of a kind that the ledger's tracker keeps, by their files."""
        files = sorted((self.outputs / "resources" / kind).glob("*/*.json"))
        return [json.loads(each.read_text()) for each in files]


@pytest.fixture(scope="module", params=list(RUNNERS))
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    for module, extra in (("sklearn", "sklearn"), ("statsmodels", "forecast"), ("xgboost", "xgboost-cpu")):
        need(module, extra)
    return Project(request.param, tmp_path_factory.mktemp("workflow") / request.param)


def said(text: str, project: Project) -> dict[str, dict[str, float]]:
    """Checks that a text tells metrics in a table, and where everything lies; returns the metrics."""
    lines = text.splitlines()
    (heading,) = [place for place, line in enumerate(lines) if line.split()[:2] == ["metric", "train"]]
    parts = lines[heading].split()[1:]
    found: dict[str, dict[str, float]] = {part: {} for part in parts}
    for name in METRICS[project.name]:
        (row,) = [line.split() for line in lines[heading:] if line.split()[:1] == [name]]
        for part, value in zip(parts, row[1:], strict=True):
            found[part][name] = float(value)
    for word in ("model", "predictions"):
        (line,) = [line for line in lines if re.match(rf"{word} +{word}-", line)]
        place = re.search(r" at ([^,]+)", line)
        assert place is not None
        assert (project.root / place[1]).exists(), line
    lineage = [line for line in lines if line.startswith("lineage ")]
    assert re.search(r"predictions-\S+ \([0-9a-f]{12}\) <- model-\S+ \+ dataset-\S+", lineage[0]), lineage
    assert any(re.search(r"model-\S+ \([0-9a-f]{12}\) <- dataset-\S+", line) for line in lineage)
    return found


def test_1_from_python(project: Project) -> None:
    metrics = said(project.python("run.py").stdout, project)
    assert {"train", "validation", "test"} <= metrics.keys()
    model = project.resources("model")[-1]
    for part in ("train", "validation", "test"):
        for name in METRICS[project.name]:
            assert model["facts"][f"{part}.{name}"] == pytest.approx(metrics[part][name], abs=1e-4)
    assert any(name.startswith("params.") for name in model["facts"])


def test_2_from_the_shell_with_the_same_scores(project: Project) -> None:
    runner, file = RUNNERS[project.name]
    done = project.python("-m", "mlpipeline", "run", "workflow", runner, "-c", file)
    metrics = said(done.stderr, project)
    for part, found in metrics.items():
        for name, value in found.items():
            assert f"{part}__{name}" in done.stdout
            if part != "ground_truth":
                kept = [each["facts"][f"{part}.{name}"] for each in project.resources("model")]
                assert kept == pytest.approx([value] * len(kept), abs=1e-4)
                assert len(set(kept)) == 1
    digests = {each["digest"] for each in project.resources("dataset") if each["name"].endswith("train")}
    assert len(digests) == 1


def test_3_as_versions_in_the_queue(project: Project) -> None:
    project.run("-r", "-u")
    runs = [run for run in project.json("history")["runs"] if run["version"] != "by-hand"]
    assert {run["version"]: run["state"] for run in runs} == dict.fromkeys(VERSIONS[project.name], "succeeded")
    for run in runs:
        said(project.run("logs", run["run"]), project)
        for name in METRICS[project.name]:
            assert f"test__{name}" in run["metrics"]["training"]
        made = [each for each in project.resources("model") if each["run_id"] == run["run"]]
        assert made
        assert all(Path(each["place"]).exists() for each in made)
    assert project.json("plan", "--all")["items"][0]["verdict"] == "done"


def test_4_as_checks(project: Project) -> None:
    runner, file = RUNNERS[project.name]
    checks = project.json("test", "workflow", runner, "tests.yaml", "-c", file)["checks"]
    assert len(checks) >= 2
    assert {each["status"] for each in checks} == {"passed"}


def test_a_check_that_fails_is_told_by_the_exit_status(project: Project) -> None:
    if project.name != "sales":
        pytest.skip("the same in all examples; the series is learnt fastest")
    (project.root / "bad.yaml").write_text("checks: {main: {after: [{metric: test.mape, below: 0.0001}]}}\n")
    project.run("test", "workflow", "TimeSeriesRunner", "bad.yaml", "-c", "models/sales.yaml", status=1)


def test_a_trainer_of_ones_own_is_one_line_of_yaml(project: Project) -> None:
    if project.name != "titanic":
        pytest.skip("of the example titanic alone")
    if not project.resources("model"):
        project.run("run", "workflow", "MyRunner", "-c", "dev.yaml")
    done = project.python("-m", "mlpipeline", "run", "workflow", "ClassificationRunner", "-c", "groups.yaml")
    assert said(done.stderr, project)["test"]["accuracy"] > 0.7
    assert "GroupTrainer" in {each["facts"]["trainer"] for each in project.resources("model")}
    # The model before was fitted by another trainer, and is compared with all the same.
    assert re.search(r"accuracy on 104 rows of test is .* the former model's .* \(model-titanic-\d+\)", done.stderr)
