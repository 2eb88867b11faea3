"""Facts that a system of workflows has to get right, by their numbers in the catalogue; those of standard workflows."""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import pytest

from tests.acceptance.test_examples import ROOT
from tests.acceptance.test_workflow_facts import Site
from tests.extras import need

pytestmark = pytest.mark.examples
CLASSES = "config: {train_data: data/train.csv, model_target: survived}"
NUMBERS = "config: {train_data: data/train.csv, model_target: sibsp}"
SERIES = "config: {train_data: data/sales.csv, model_target: sales, time_index: month}"
FEW = "train: {model_trainer: {config: {training_params: {n_estimators: 10}}}}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    for module, extra in (("sklearn", "sklearn"), ("xgboost", "xgboost-cpu"), ("statsmodels", "forecast")):
        need(module, extra)
    site = Site(tmp_path_factory.mktemp("standard"))
    (site.root / "components" / "parts.py").unlink()
    for name in ("titanic", "sales"):
        shutil.copy(ROOT / "examples" / name / "make_data.py", site.root / "make_data.py")
        assert site.python("make_data.py").returncode == 0
    site.write("classes.yaml", f"{CLASSES}\n{FEW}\n")
    site.write("numbers.yaml", f"{NUMBERS}\n{FEW}\n")
    site.write("series.yaml", f"{SERIES}\n")
    return site


def metrics(site: Site, runner: str, file: str, *more: str) -> dict[str, float]:
    done = site.run("run", "workflow", runner, "-c", file, *more, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)["metrics"]
    return found


@pytest.mark.parametrize(
    ("runner", "file", "names"),
    [
        ("ClassificationRunner", "classes.yaml", ("accuracy", "f1")),
        ("RegressionRunner", "numbers.yaml", ("rmse", "mae", "r2")),
        ("TimeSeriesRunner", "series.yaml", ("rmse", "mae", "r2")),
    ],
)
def test_fact_10_every_shipped_workflow_runs_with_no_build_method(
    site: Site, runner: str, file: str, names: tuple[str, ...]
) -> None:
    found = metrics(site, runner, file)
    assert {f"{part}__{name}" for part in ("train", "validation", "test") for name in names} <= found.keys()
    listed = site.run("list", "runners").stdout
    assert runner in listed


def test_fact_13_the_same_seed_has_the_same_rows_and_scores_and_no_row_is_left_out(site: Site) -> None:
    first = metrics(site, "ClassificationRunner", "classes.yaml")
    assert metrics(site, "ClassificationRunner", "classes.yaml") == first
    assert metrics(site, "ClassificationRunner", "classes.yaml", "--set", "seed=1") != first
    program = """
from mlpipeline.workflow import ClassificationRunner
runner = ClassificationRunner(["classes.yaml", {"config": {"use_stratified": True}}])
data, dataset = runner.process_data()
splits = runner.train.split_data(data)
parts = [set(frame.index) for name, frame in splits.parts()]
assert sum(map(len, parts)) == len(set.union(*parts)) == len(data) == dataset.facts["rows"]
assert len({round(frame["survived"].mean(), 2) for name, frame in splits.parts()}) <= 2
print("fine")
"""
    done = site.python("-c", program)
    assert done.stdout.endswith("fine\n"), done.stderr


def test_fact_15_metrics_are_printed_and_stored_parameters_are_flat_and_the_model_is_saved(site: Site) -> None:
    done = site.run("run", "workflow", "ClassificationRunner", "-c", "classes.yaml")
    assert done.returncode == 0, done.stderr
    assert re.search(r"metric +train +validation +test", done.stderr)
    assert "test__accuracy" in done.stdout
    files = (site.root / "models" / "outputs" / "resources" / "model" / "classes").glob("*.json")
    (latest, *_) = sorted(files, key=lambda path: int(path.stem), reverse=True)
    model: dict[str, Any] = json.loads(latest.read_text())
    assert model["facts"]["params.n_estimators"] == 10
    assert model["facts"]["test.accuracy"] > 0.6
    (run,) = [row for row in site.history() if row["run"] == model["run_id"]]
    assert run["metrics"]["training"]["test__accuracy"] == model["facts"]["test.accuracy"]
    program = f"""
import pandas as pd
from mlpipeline.learning.estimator_model import EstimatorModel
model = EstimatorModel.load({model["place"]!r})
rows = pd.read_csv("data/train.csv")
print((model.predict(rows) == rows["survived"]).mean())
"""
    loaded = site.python("-c", program)
    assert float(loaded.stdout) > 0.7, loaded.stderr
