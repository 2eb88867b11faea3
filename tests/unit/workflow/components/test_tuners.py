"""Tuners try hyper-parameters out: each trial is a run, none is repeated, the best one is the trainer."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import pandas as pd
import pytest

from mlpipeline.errors import DataFault, MlpipelineError, ParameterError
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.run import Run, State
from mlpipeline.workflow.components.hyperparameter_tuners import GridTuner, OptunaTuner
from mlpipeline.workflow.components.hyperparameter_tuners.search import SearchTuner
from mlpipeline.workflow.types import ModelTrainer, Splits

FITS: list[dict[str, Any]] = []


class Constant(ModelTrainer):
    """Predicts a number that it is given."""

    training_params: dict[str, Any] | None = None

    def fit(self, data: Splits) -> Self:
        FITS.append(dict(self.parameters))
        if self.parameters.get("value") == 13:
            raise DataFault("thirteen")
        self.value = float(self.parameters.get("value", 0))
        return self

    def predict(self, data: pd.DataFrame) -> pd.Series:
        return pd.Series(self.value, index=data.index)

    def save(self, directory: Path) -> None:
        Path(directory).mkdir(exist_ok=True)
        (Path(directory) / "value.json").write_text(json.dumps(self.value))

    def load(self, directory: Path) -> Self:
        self.value = json.loads((Path(directory) / "value.json").read_text())
        return self

    @classmethod
    def known_names(cls, key: str) -> tuple[str, ...] | None:
        return ("value", "unused") if key == "training_params" else None


class Other(Constant):
    """Competes."""


@pytest.fixture
def data() -> Splits:
    frame = pd.DataFrame({"x": range(60), "y": 5.0})
    return Splits(target="y", train=frame[:40], validation=frame[40:50], test=frame[50:])


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLP_SUPERVISOR", raising=False)
    FITS.clear()
    return tmp_path


@pytest.fixture
def project(nowhere: Path) -> Project:
    (nowhere / "mlp.config").write_text("[MLP]\nhost = here\n")
    return Project.load(nowhere)


def made(kind: type[SearchTuner], **keys: Any) -> SearchTuner:
    tuner = kind()
    tuner.model_trainer = Constant()
    for name, value in {"perf_metric": "rmse", **keys}.items():
        setattr(tuner, name, value)
    return tuner


def tuned(tuner: SearchTuner, data: Splits) -> ModelTrainer:
    def fit(parameters: Mapping[str, Any]) -> tuple[ModelTrainer, float]:
        assert tuner.model_trainer is not None
        trainer = tuner.model_trainer.fresh(parameters).fit(data)
        assert data.validation is not None
        return trainer, abs(float(trainer.predict(data.validation).iloc[0]) - 5.0)

    return tuner.tune(data, fit)


def runs(project: Project) -> list[Run]:
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        return ledger.runs(newest_first=False)


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_best_of_a_grid_is_the_trainer_of_the_workflow(nowhere: Path, data: Splits, jobs: int) -> None:
    tuner = made(GridTuner, search_space={"value": [1, 4, 9], "unused": "fixed"}, num_jobs=jobs)
    best = tuned(tuner, data)
    assert best is tuner.model_trainer
    assert best.parameters == {"value": 4, "unused": "fixed"}
    assert (best.predict(data.features("test")) == 4.0).all()
    assert sorted(each["value"] for each in FITS) == [1, 4, 9]
    assert list(nowhere.iterdir()) == []


@pytest.mark.parametrize("space", [{"value": [4]}, {"value": 4}])
def test_a_grid_of_one_and_a_scalar_are_searches_too(nowhere: Path, data: Splits, space: dict[str, Any]) -> None:
    assert tuned(made(GridTuner, search_space=space), data).parameters == {"value": 4}
    pytest.importorskip("optuna")
    assert tuned(made(OptunaTuner, search_space=space, num_trials=3), data).parameters == {"value": 4}
    assert len(FITS) == 2


def test_trials_run_side_by_side(nowhere: Path, data: Splits) -> None:
    together = threading.Barrier(3, timeout=60)
    tuner = made(GridTuner, search_space={"value": [1, 2, 3]}, num_jobs=3)

    def fit(parameters: Mapping[str, Any]) -> tuple[ModelTrainer, float]:
        together.wait()
        assert tuner.model_trainer is not None
        return tuner.model_trainer.fresh(parameters).fit(data), float(parameters["value"])

    assert tuner.tune(data, fit).parameters == {"value": 1}


def test_each_trial_is_a_run_and_none_is_repeated(project: Project, data: Splits) -> None:
    space = {"value": [1, 4, 9]}
    first = tuned(made(GridTuner, search_space=space), data)
    found = runs(project)
    assert [(run.version, run.state, run.params["value"]) for run in found] == [
        ("trial-1", State.SUCCEEDED, 1),
        ("trial-2", State.SUCCEEDED, 4),
        ("trial-3", State.SUCCEEDED, 9),
    ]
    assert [run.last.metrics for run in found] == [{"validation": {"rmse": value}} for value in (4.0, 1.0, 4.0)]
    again = tuned(made(GridTuner, search_space=space), data)
    assert len(FITS) == 3
    assert (again.predict(data.train) == first.predict(data.train)).all()
    assert again.parameters == first.parameters


def test_other_rows_are_another_search(project: Project, data: Splits) -> None:
    tuned(made(GridTuner, search_space={"value": [4]}), data)
    changed = Splits(target="y", train=data.train.assign(x=1), validation=data.validation)
    tuned(made(GridTuner, search_space={"value": [4]}), changed)
    assert len(FITS) == 2


def test_a_search_that_was_ended_goes_on(project: Project, data: Splits) -> None:
    tuner = made(GridTuner, search_space={"value": [1, 4, 9]})

    def fit(parameters: Mapping[str, Any]) -> tuple[ModelTrainer, float]:
        if parameters["value"] == 4 and len(FITS) == 1:
            raise KeyboardInterrupt
        assert tuner.model_trainer is not None
        return tuner.model_trainer.fresh(parameters).fit(data), abs(parameters["value"] - 5.0)

    with pytest.raises(KeyboardInterrupt):
        tuner.tune(data, fit)
    assert [run.state for run in runs(project)] == [State.SUCCEEDED, State.CANCELLED]
    FITS.append({})
    assert tuner.tune(data, fit).parameters == {"value": 4}
    assert [each.get("value") for each in FITS] == [1, None, 4, 9]


def test_more_trials_of_optuna_continue(project: Project, data: Splits) -> None:
    pytest.importorskip("optuna")
    space = {"value": {"low": 0.0, "high": 10.0}}
    tuned(made(OptunaTuner, search_space=space, num_trials=4), data)
    drawn = [run.params["value"] for run in runs(project)]
    tuned(made(OptunaTuner, search_space=space, num_trials=7), data)
    found = [run.params["value"] for run in runs(project)]
    assert (len(FITS), found[:4], len(set(found))) == (7, drawn, 7)
    tuned(made(OptunaTuner, search_space=space, num_trials=7, num_jobs=2), data)
    assert len(FITS) == 7


def test_a_failed_trial_does_not_end_the_search(project: Project, data: Splits) -> None:
    best = tuned(made(GridTuner, search_space={"value": [13, 6]}), data)
    assert best.parameters == {"value": 6}
    assert [run.state for run in runs(project)] == [State.FAILED, State.SUCCEEDED]
    with pytest.raises(MlpipelineError, match="none of 1 trials succeeded: thirteen") as caught:
        tuned(made(GridTuner, search_space={"value": [13]}), data)
    assert isinstance(caught.value.__cause__, DataFault)


def test_an_unknown_hyper_parameter_is_told_before_anything_is_fitted(nowhere: Path, data: Splits) -> None:
    with pytest.raises(ParameterError, match=r"Constant has no hyper-parameter 'valu'\. Did you mean 'value'\?"):
        tuned(made(GridTuner, search_space={"valu": [1]}), data)
    assert FITS == []


def test_there_must_be_rows_to_compare_by(nowhere: Path, data: Splits) -> None:
    with pytest.raises(DataFault, match="no validation part"):
        tuned(made(GridTuner, search_space={"value": [1]}), Splits(target="y", train=data.train))


@pytest.mark.parametrize(
    ("keys", "key", "message"),
    [
        ({"search_space": {"value": {"low": 0.1, "high": 1.0}}}, "search_space", "a grid has no cells"),
        ({"search_space": {"value": []}}, "search_space", "empty"),
        ({"search_space": {"value": {"low": 2, "high": 1}}}, "search_space", "above high"),
        ({"search_space": {"value": {"lo": 2, "high": 1}}}, "search_space", "Did you mean 'low'"),
        ({"search_space": {"value": [1]}, "trainers": {"a": {"value": [1]}}}, "trainers", "search_space as well"),
        ({"num_jobs": 0}, "num_jobs", "1 or more"),
    ],
)
def test_what_is_no_space_is_told_at_build_time(keys: dict[str, Any], key: str, message: str) -> None:
    assert message in GridTuner.value_faults(keys)[key]


def test_the_first_of_the_metrics_decides_where_none_else_is_named(nowhere: Path) -> None:
    frame = pd.DataFrame({"x": range(60), "y": [0.0, 10.0] * 30})
    data = Splits(target="y", train=frame[:40], validation=frame[40:])
    tuner = made(GridTuner, perf_metric=None, metrics=["r2", "mae"], search_space={"value": [1, 5]})

    def fit(parameters: Mapping[str, Any]) -> tuple[ModelTrainer, float]:
        assert tuner.model_trainer is not None
        return tuner.model_trainer.fresh(parameters).fit(data), {1: -0.64, 5: 0.0}[parameters["value"]]

    assert tuner.tune(data, fit).parameters == {"value": 5}


def test_warnings_of_the_process_stay_as_they_were(nowhere: Path, data: Splits) -> None:
    pytest.importorskip("optuna")
    before = list(warnings.filters)
    tuned(made(OptunaTuner, search_space={"value": [1, 4]}, num_trials=3), data)
    assert warnings.filters == before


def test_optuna_is_told_of_wrong_numbers() -> None:
    keys = {"num_trials": 0, "search_space": {"max_depth": [3]}}
    assert OptunaTuner.value_faults(keys) == {"num_trials": "is 0: give 1 or more"}
    assert OptunaTuner.known_names("sampler") == ("tpe", "cmaes")
