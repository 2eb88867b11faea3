"""The story that workflows were made for, with its files as they were told: a trainer, a pipeline, one YAML."""

from __future__ import annotations

import shutil

import pytest

from tests.acceptance.test_examples import ROOT
from tests.acceptance.test_workflow_facts import Site
from tests.extras import need

pytestmark = pytest.mark.examples
TRAINER = """
from mlpipeline.workflow import ModelTrainer

class CatBoostTrainer(ModelTrainer):
    def __init__(self, problem_type, training_params): ...
    def fit(self, data): ...
"""
PIPELINE = """
from mlpipeline.workflow import ModelTrainer, Pipeline

class MyTraining(Pipeline):
    model_trainer: ModelTrainer                 # what it needs, by type; any implementation will do
    def train_model(self, data):
        return self.model_trainer.fit(data)
"""
RUNNER = """
from mlpipeline.workflow import ClassificationRunner

class MyRunner(ClassificationRunner): ...
"""
WORKFLOW = """
runner: MyRunner
pipeline: {process: OfflineProcess, train: MyTraining, predict: OfflinePredict}
component: {metadata_tracker: LedgerTracker}
config: {train_data: data/train.csv, model_target: survived, metrics: [accuracy, f1], perf_metric: f1}
train:
  component: {data_splitter: LocalDataSplitter, model_trainer: XGBoostTrainer}
  model_trainer: {config: {training_params: {max_depth: 8, learning_rate: 0.3}}}
versions:                                   # addresses leave the level `config` out
  shallow: {train__model_trainer__training_params__max_depth: 3}
  deep:    {train__model_trainer__training_params__max_depth: 10}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    for module, extra in (("sklearn", "sklearn"), ("xgboost", "xgboost-cpu")):
        need(module, extra)
    site = Site(tmp_path_factory.mktemp("story"))
    (site.root / "components" / "parts.py").unlink()
    shutil.copy(ROOT / "examples" / "titanic" / "make_data.py", site.root)
    site.write("components/catboost_trainer.py", TRAINER)
    site.write("pipelines/my_training.py", PIPELINE)
    site.write("runners/my_runner.py", RUNNER)
    site.write("models/titanic.yaml", WORKFLOW)
    site.write("dev.yaml", WORKFLOW)
    site.write("tests.yaml", "checks: {main: {after: [{metric: test.f1, above: 0.6}]}}\n")
    site.list("titanic.yaml")
    assert site.python("make_data.py").returncode == 0
    return site


def test_it_runs_from_the_shell_and_from_python(site: Site) -> None:
    done = site.run("run", "workflow", "MyRunner", "--config-file", "dev.yaml")
    assert done.returncode == 0, done.stderr
    assert "test__f1" in done.stdout
    program = 'from runners.my_runner import MyRunner\nrunner = MyRunner(conf="dev.yaml")\nprint(runner.main()["test"])'
    done = site.python("-c", program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("{'accuracy': 0.")


def test_its_checks_are_carried_out_and_its_values_have_origins(site: Site) -> None:
    done = site.run("test", "workflow", "MyRunner", "tests.yaml", "-c", "dev.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    shown = site.run("show-config", "dev.yaml", "--origins").stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("train.model_trainer.training_params.max_depth")]
    assert line.split()[1:] == ["8", "dev.yaml:8:57"]


def test_every_version_is_trained_in_the_queue_with_its_own_depth(site: Site) -> None:
    done = site.run("-r", "-u")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [row for row in site.history() if row["version"] != "by-hand"]
    assert {row["version"]: row["state"] for row in rows} == {"shallow": "succeeded", "deep": "succeeded"}
    scores = {row["version"]: row["metrics"]["training"]["train__f1"] for row in rows}
    assert scores["deep"] > scores["shallow"]


def test_swapping_the_trainer_is_one_line(site: Site) -> None:
    site.write("naive.yaml", WORKFLOW.replace("XGBoostTrainer", "NaiveTrainer").replace(DEEP, ""))
    done = site.run("run", "workflow", "MyRunner", "-c", "naive.yaml", "--json")
    assert done.returncode == 0, done.stderr


def test_a_trainer_of_ones_own_that_is_half_done_is_told_when_it_is_used(site: Site) -> None:
    site.write("own.yaml", WORKFLOW.replace("XGBoostTrainer", "CatBoostTrainer"))
    done = site.run("validate", "own.yaml")
    assert done.returncode == 2
    for method in ("predict(self, data)", "save(self, directory)", "load(self, directory)"):
        assert f"CatBoostTrainer has no {method}: define it" in done.stderr


DEEP = WORKFLOW[WORKFLOW.index("  model_trainer: {config") :]
