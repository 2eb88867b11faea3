"""Facts that a system of workflows has to get right, by their numbers in the catalogue; those about models."""

from __future__ import annotations

import importlib.util
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.run import Run

from .test_workflow_facts import Site

PARTS = """
import pandas as pd
from mlpipeline.workflow import Pipeline, Runner, scoring
from mlpipeline.workflow.types import HyperparameterTuner, ModelTrainer, Splits

class Train(Pipeline):
    model_trainer: ModelTrainer
    hyperparameter_tuner: HyperparameterTuner | None
    train_data: str
    model_target: str
    metrics: list[str]
    perf_metric: str
    retrain_all: bool = False

    @classmethod
    def known_names(cls, key):
        return scoring.metric_names() if key in ("metrics", "perf_metric") else None

    def main(self):
        rows = pd.read_csv(self.train_data)
        cuts = [int(part * len(rows)) for part in (0.7, 0.85)]
        parts = rows[: cuts[0]], rows[cuts[0] : cuts[1]], rows[cuts[1] :]
        data = Splits(target=self.model_target, train=parts[0], validation=parts[1], test=parts[2])
        model = self.fit(data)
        found = scoring.scores(model, data, self.metrics)
        if self.retrain_all:
            everything = Splits(target=data.target, train=data.together())
            model = self.model_trainer.become(model.fresh().fit(everything))
            found["all"] = {"rows": model.model.dataset.row_counts["training"], **numbers(model.parameters)}
        return {**found, "best": numbers(model.parameters), "trainer": {"is_" + type(model).__name__: 1}}

    def fit(self, data):
        if self.hyperparameter_tuner is None:
            return self.model_trainer.fit(data)
        def fit(parameters):
            trainer = self.model_trainer.fresh(parameters).fit(data)
            return trainer, scoring.scores(trainer, data, [self.perf_metric])["validation"][self.perf_metric]
        return self.model_trainer.become(self.hyperparameter_tuner.tune(data, fit))

def numbers(values):
    return {name: value for name, value in values.items() if isinstance(value, int | float)}
"""
DEV = """
pipeline: {train: Train}
config: {train_data: people.csv, model_target: survived, metrics: [accuracy, rocauc], perf_metric: accuracy}
train:
  component: {model_trainer: XGBoostTrainer}
  model_trainer: {config: {model_index: id}}
"""
TUNED = """
pipeline: {train: Train}
config: {train_data: people.csv, model_target: survived, metrics: [accuracy], perf_metric: accuracy, seed: 3}
train:
  component:
    model_trainer: XGBoostTrainer
    hyperparameter_tuner: GridTuner
  hyperparameter_tuner: {config: {search_space: {max_depth: [1, 4], n_estimators: 20}}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    from tests.unit.workflow.components.people import people

    site = Site(tmp_path)
    site.write("components/parts.py", PARTS)
    site.write("dev.yaml", DEV)
    people(300).to_csv(tmp_path / "people.csv", index=False)
    return site


def metrics(site: Site, *words: str) -> dict[str, Any]:
    done = site.run("run", "workflow", "Runner", "-c", "dev.yaml", *words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["metrics"]
    return {name.removeprefix("train__"): value for name, value in found.items()}


def runs(site: Site) -> list[Run]:
    with closing(Ledger.open_readonly(Project.load(site.root).ledger_path)) as ledger:
        return ledger.runs(newest_first=False)


def trials(site: Site) -> list[Run]:
    """Returns the runs that are trials: beside them stands that of the workflow."""
    return [run for run in runs(site) if run.version.startswith("trial")]


@pytest.mark.parametrize("trainer", ["XGBoostTrainer", "SklearnTrainer", "KerasTrainer"])
def test_another_trainer_is_one_line(site: Site, trainer: str) -> None:
    library = {"XGBoostTrainer": "xgboost", "SklearnTrainer": "sklearn", "KerasTrainer": "keras"}[trainer]
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    site.write("dev.yaml", DEV.replace("model_trainer: XGBoostTrainer", f"model_trainer: {trainer}"))
    # A network of the default width takes its time.
    small = ["--set", "train.model_trainer.training_params.hidden_width=16"] if trainer == "KerasTrainer" else []
    found = metrics(site, *small)
    assert found[f"trainer__is_{trainer}"] == 1
    assert found["test__accuracy"] > 0.75


@pytest.mark.parametrize("tuner", ["GridTuner", "OptunaTuner"])
def test_another_tuner_is_one_line(site: Site, tuner: str) -> None:
    if tuner == "OptunaTuner":
        pytest.importorskip("optuna")
    site.write("dev.yaml", TUNED.replace("GridTuner", tuner))
    assert metrics(site)["best__max_depth"] in (1, 4)
    assert sorted(run.params["max_depth"] for run in trials(site)) == [1, 4]


def test_14_a_hyper_parameter_that_the_trainer_does_not_know_is_a_fault(site: Site) -> None:
    wrong = "model_trainer: {config: {model_index: id, training_params: {max_dept: 3}}}"
    text = DEV.replace("model_trainer: {config: {model_index: id}}", wrong)
    site.write("dev.yaml", text)
    told = site.faults()
    assert "dev.yaml:6:73: training_params of XGBoostTrainer (train.model_trainer): there is no 'max_dept'" in told
    assert "Did you mean 'max_depth'?" in told
    site.write("dev.yaml", text.replace("XGBoostTrainer", "SklearnTrainer"))
    assert "RandomForestRegressor has no 'max_dept'. Did you mean 'max_depth'?" in site.faults()


def test_16_a_metric_that_there_is_not_is_a_fault_and_rocauc_is_of_many_classes_too(site: Site) -> None:
    site.write("dev.yaml", DEV.replace("rocauc", "rocaux"))
    assert "metrics of Train (train): there is no 'rocaux'. Did you mean 'rocauc'?" in site.faults()
    site.write("dev.yaml", DEV)
    assert 0.7 < metrics(site)["test__rocauc"] <= 1
    site.write("dev.yaml", DEV.replace("model_target: survived", "model_target: class"))
    assert 0 < metrics(site)["test__rocauc"] < 1


def test_17_a_grid_of_one_scalars_and_trials_side_by_side(site: Site) -> None:
    text = TUNED.replace("config: {search_space", "config: {num_jobs: 3, search_space")
    site.write("dev.yaml", text.replace("[1, 4]", "4"))
    assert metrics(site)["best__max_depth"] == 4
    assert [run.params["max_depth"] for run in trials(site)] == [4]
    site.write("dev.yaml", text.replace("[1, 4]", "[4]").replace("n_estimators: 20", "n_estimators: [5, 6, 20]"))
    assert metrics(site)["best__n_estimators"] in (5, 6, 20)
    assert sorted(run.params["n_estimators"] for run in trials(site)) == [5, 6, 20, 20]


@pytest.mark.parametrize("text", [DEV, TUNED])
def test_18_all_rows_are_learnt_from_again_with_a_trainer_and_with_a_tuner(site: Site, text: str) -> None:
    site.write("dev.yaml", text.replace("config: {train_data", "config: {retrain_all: true, train_data"))
    found = metrics(site)
    assert found["all__rows"] == 300
    if text is TUNED:
        assert (found["all__max_depth"], found["all__n_estimators"]) == (found["best__max_depth"], 20)


def test_trainers_compete_and_the_best_of_all_is_taken(site: Site) -> None:
    space = "search_space: {max_depth: [1, 4], n_estimators: 20}"
    several = "trainers: {model_trainer: {max_depth: [1, 4]}, naive: {}}"
    text = TUNED.replace(space, several).replace(
        "    hyperparameter_tuner: G", "    naive: NaiveTrainer\n    hyperparameter_tuner: G"
    )
    site.write("dev.yaml", text)
    assert metrics(site)["trainer__is_XGBoostTrainer"] == 1
    assert sorted(run.params["trainer"] for run in trials(site)) == ["NaiveTrainer"] + ["XGBoostTrainer"] * 2


def test_trials_within_a_run_of_the_queue_are_runs_too(site: Site) -> None:
    site.write("models/dev.yaml", TUNED)
    site.list("dev.yaml")
    done = site.run("-r", "-u")
    assert done.returncode == 0, done.stdout + done.stderr
    found = {run.version: run for run in runs(site)}
    assert found.keys() == {"default", "trial-1", "trial-2"}
    assert {run.model for run in found.values()} == {"dev.yaml"}
    assert found["trial-1"].params["workflow_run"] == found["default"].id


def test_a_search_of_the_file_has_the_queue_run_the_whole_workflow_for_each_trial(site: Site) -> None:
    search = """
search:
  space:
    train__model_trainer__training_params__max_depth: [1, 4]
    train__model_trainer__training_params__subsample: 0.9
  trials: 5
  metric: train__validation__rocauc
  sampler: grid
"""
    site.write("models/dev.yaml", DEV + search)
    site.list("dev.yaml")
    done = site.run("-r", "-u")
    assert done.returncode == 0, done.stdout + done.stderr
    found = {run.version: run for run in runs(site)}
    assert found.keys() == {"trial-1", "trial-2"}
    address = "train__model_trainer__training_params__max_depth"
    assert sorted(run.params[address] for run in found.values()) == [1, 4]
    assert all(run.last.metrics["search"] for run in found.values())
    site.write("models/dev.yaml", DEV + search.replace("max_depth", "max_dept"))
    told = site.run("-r", "-u").stderr
    assert "there is no 'max_dept'. Did you mean 'max_depth'?" in told


DYING = """
import os, signal
from pathlib import Path
from mlpipeline.workflow.components.model_trainers.sklearn import SklearnTrainer

class Dying(SklearnTrainer):
    estimator: str | None = "DummyClassifier"
    def fit(self, data):
        with Path("fits.txt").open("a") as file:
            file.write(f"{self.parameters['strategy']}\\n")
        if self.parameters["strategy"] == "prior" and Path("dying").exists():
            Path("dying").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(data)
"""


def test_a_killed_search_within_the_queue_repeats_no_trial_that_ended(site: Site) -> None:
    site.write("components/dying.py", DYING)
    space = "search_space: {strategy: [most_frequent, prior, uniform]}"
    text = TUNED.replace("search_space: {max_depth: [1, 4], n_estimators: 20}", space)
    site.write("models/dev.yaml", text.replace("XGBoostTrainer", "Dying"))
    site.write("dying", "")
    site.list("dev.yaml")
    for _ in range(2):
        site.run("-r", "-u")
    assert (site.root / "fits.txt").read_text().split() == ["most_frequent", "prior", "prior", "uniform"]
    ended = {run.version: run.state.value for run in runs(site)}
    assert ended == dict.fromkeys(("default", "trial-1", "trial-2", "trial-3"), "succeeded")
