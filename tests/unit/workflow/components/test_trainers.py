"""Trainers take tables as they are, predict what was learnt, and are what they were once they are loaded."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline import plugins
from mlpipeline.errors import DataFault, NotFitted, ParameterError, UnknownOption
from mlpipeline.workflow import scoring
from mlpipeline.workflow.components.model_trainers.estimator_trainer import EstimatorTrainer
from mlpipeline.workflow.interface import interface_faults
from mlpipeline.workflow.types import ModelTrainer, Splits

from .people import people, split

TABULAR = {
    "XGBoostTrainer": ("xgboost", {"n_estimators": 20}),
    "SklearnTrainer": ("sklearn", {"n_estimators": 20}),
    "LightGBMTrainer": ("lightgbm", {"n_estimators": 20}),
    "CatBoostTrainer": ("catboost", {"n_estimators": 200, "learning_rate": 0.3}),
    "NaiveTrainer": ("numpy", {}),
}
ALL = (*TABULAR, "KerasTrainer", "HoltWintersTrainer", "ProphetTrainer")


def made(name: str, **keys: Any) -> Any:
    trainer: Any = plugins.load("component", name)()
    for key, value in keys.items():
        setattr(trainer, key, value)
    return trainer


@pytest.fixture(params=list(TABULAR))
def trainer(request: pytest.FixtureRequest) -> ModelTrainer:
    library, parameters = TABULAR[request.param]
    pytest.importorskip(library)
    found: ModelTrainer = made(request.param, training_params=parameters)
    return found


@pytest.mark.parametrize("name", ALL)
def test_each_keeps_the_interface(name: str) -> None:
    kind = plugins.load("component", name)
    assert issubclass(kind, ModelTrainer)
    assert interface_faults(kind) == ()


def test_a_table_as_it_is_is_learnt_and_kept_to_the_last_bit(trainer: EstimatorTrainer, tmp_path: Path) -> None:
    data = split(people(), "survived")
    assert trainer.fit(data) is trainer
    rows = data.features("test")
    said, proba = trainer.predict(rows), trainer.predict_proba(rows)
    assert said.index.equals(rows.index)
    assert list(proba.columns) == [0, 1]
    least = 0.4 if type(trainer).__name__ == "NaiveTrainer" else 0.7
    assert (said == data.truth("test")).mean() > least
    trainer.save(tmp_path / "model")
    others = [type(trainer)().load(tmp_path / "model"), type(trainer)()]
    others[1].__dict__.update(pickle.loads(pickle.dumps(trainer.__getstate__())))
    for other in others:
        pd.testing.assert_series_equal(other.predict(rows), said)
        np.testing.assert_array_equal(other.predict_proba(rows).to_numpy(), proba.to_numpy())
    # A record of a workflow must be the same however often it is made.
    assert pickle.dumps(others[1].__getstate__()) == pickle.dumps(trainer.__getstate__())


def test_numbers_are_predicted_where_the_target_is_one(trainer: EstimatorTrainer) -> None:
    frame = people().drop(columns="survived")
    frame["fare"] = 10 * frame["deck"] + frame["age"].fillna(30)
    data = split(frame, "fare")
    found = scoring.scores(trainer.fit(data), data, ["rmse", "r2"])
    assert found["test"]["r2"] > (0.8 if type(trainer).__name__ != "NaiveTrainer" else -0.5)
    with pytest.raises(DataFault, match="only classes have probabilities"):
        trainer.predict_proba(data.features())


def test_text_is_a_class_and_says_so_again() -> None:
    pytest.importorskip("xgboost")
    data = split(people().assign(survived=lambda frame: frame["survived"].map({0: "no", 1: "yes"})), "survived")
    trainer = made("XGBoostTrainer").fit(data)
    assert set(trainer.predict(data.features("test"))) == {"no", "yes"}
    assert list(trainer.predict_proba(data.features("test")).columns) == ["no", "yes"]


def test_columns_are_features_categories_or_left_out_as_configured() -> None:
    data = split(people(), "survived")
    trainer = made("NaiveTrainer", drop_columns=["age"], model_index="day", model_cat_features=["deck"]).fit(data)
    kinds = {each.name: type(each).__name__ for each in trainer.model.encoding.encoders}
    assert kinds == {"sex": "Unique", "class": "Unique", "alone": "Boolean", "deck": "Unique"}
    kept = made("NaiveTrainer", model_cat_features=["id"]).fit(data)
    assert "id" in [each.name for each in kept.model.encoding.encoders]
    with pytest.raises(DataFault, match=r"there is no column 'dek'\. Did you mean 'deck'\?"):
        made("NaiveTrainer", model_cat_features=["dek"]).fit(data)


def test_the_seed_is_that_of_the_fit() -> None:
    pytest.importorskip("xgboost")
    data = split(people(), "survived")

    def proba(seed: int) -> np.ndarray:
        trainer = made("XGBoostTrainer", seed=seed, training_params={"subsample": 0.5, "n_estimators": 5})
        found: np.ndarray = trainer.fit(data).predict_proba(data.features()).to_numpy()
        return found

    np.testing.assert_array_equal(proba(1), proba(1))
    assert (proba(1) != proba(2)).any()


def test_what_cannot_be_is_told_with_what_to_do() -> None:
    data = split(people(80), "survived")
    with pytest.raises(ParameterError, match=r"XGBoostTrainer has no 'max_dept'\. Did you mean 'max_depth'\?"):
        made("XGBoostTrainer", training_params={"max_dept": 3}).fit(data)
    with pytest.raises(ParameterError, match=r"LogisticRegression has no 'c'\. Did you mean 'C'\?"):
        made("SklearnTrainer", estimator="LogisticRegression", training_params={"c": 3}).fit(data)
    with pytest.raises(UnknownOption, match=r"scikit-learn has no 'Rigde'\. Did you mean 'Ridge'\?"):
        made("SklearnTrainer", estimator="Rigde").fit(data)
    with pytest.raises(DataFault, match=r"model_target is 'survive'.*no such column\. Did you mean 'survived'\?"):
        made("NaiveTrainer").fit(Splits(target="survive", train=data.train))
    with pytest.raises(NotFitted, match="NaiveTrainer has learnt nothing yet: call fit, or load"):
        made("NaiveTrainer").predict(data.train)
    with pytest.raises(DataFault, match="is missing"):
        made("NaiveTrainer").fit(Splits(target="age", train=data.train))


def test_another_trainers_model_is_not_loaded(tmp_path: Path) -> None:
    pytest.importorskip("xgboost")
    made("NaiveTrainer").fit(split(people(80), "survived")).save(tmp_path / "model")
    with pytest.raises(DataFault, match="is a Naive, which XGBoostTrainer does not load"):
        made("XGBoostTrainer").load(tmp_path / "model")


def test_any_estimator_of_scikit_learn_is_named_and_checked() -> None:
    kind = plugins.load("component", "SklearnTrainer")
    assert {"Ridge", "SVC", "KNeighborsClassifier", "RandomForestClassifier"} <= set(kind.known_names("estimator"))
    values = {"estimator": "LogisticRegression", "training_params": {"penalti": "l2"}}
    assert kind.value_faults(values) == {
        "training_params": "LogisticRegression has no 'penalti'. Did you mean 'penalty'?"
    }
    data = split(people(), "survived")
    trainer = made("SklearnTrainer", estimator="LogisticRegression", training_params={"C": 0.5}).fit(data)
    assert (trainer.predict(data.features("test")) == data.truth("test")).mean() > 0.7


def test_a_trainer_with_other_parameters_is_another_one_and_can_become_this_one() -> None:
    data = split(people(100), "survived")
    own = made("SklearnTrainer", estimator="DummyClassifier").fit(data)
    fresh = own.fresh({"strategy": "stratified"})
    assert (fresh is own, fresh.parameters, own.parameters) == (False, {"strategy": "stratified"}, {})
    assert own.become(fresh.fit(data)).parameters == {"strategy": "stratified"}
    own = made("NaiveTrainer").fit(data)
    other = made("NaiveTrainer").fit(
        split(people(100).assign(survived=lambda frame: 1 - frame["survived"]), "survived")
    )
    assert own.become(other) is own
    assert (own.predict_proba(data.train) == other.predict_proba(data.train)).all(axis=None)
    assert own.become(made("KerasTrainer")) is not own


def monthly(rows: int = 72) -> pd.DataFrame:
    month = np.arange(rows)
    sales = 100 + month + 20 * np.sin(2 * np.pi * month / 12)
    return pd.DataFrame({"month": pd.date_range("2018-01-01", periods=rows, freq="MS"), "sales": sales, "noise": 1.0})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("name", "library"), [("HoltWintersTrainer", "statsmodels"), ("ProphetTrainer", "prophet")])
def test_series_are_forecast_by_their_time(name: str, library: str, tmp_path: Path) -> None:
    pytest.importorskip(library)
    data = split(monthly(), "sales", "month")
    trainer = made(name).fit(data)
    rows = data.features("test")
    said = trainer.predict(rows)
    assert scoring.scores(trainer, data, ["mape"])["test"]["mape"] < 0.05
    assert [each.name for each in trainer.model.encoding.encoders] == ["month"]
    # Which rows are asked for, and in which order, does not matter.
    pd.testing.assert_series_equal(trainer.predict(rows.iloc[::-2]), said.iloc[::-2])
    trainer.save(tmp_path / "model")
    pd.testing.assert_series_equal(made(name).load(tmp_path / "model").predict(rows), said)
    with pytest.raises(DataFault, match="needs a time: set time_index"):
        made(name).fit(Splits(target="sales", train=data.train))


def test_a_network_of_keras_learns_from_a_table(tmp_path: Path) -> None:
    pytest.importorskip("keras")
    data = split(people(), "survived")
    trainer = made("KerasTrainer", training_params={"hidden_width": 16, "hidden_layers": 1, "epochs": 8}).fit(data)
    rows = data.features("test")
    assert (trainer.predict(rows) == data.truth("test")).mean() > 0.75
    trainer.save(tmp_path / "model")
    loaded = made("KerasTrainer").load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(rows).to_numpy(), trainer.predict_proba(rows).to_numpy())
