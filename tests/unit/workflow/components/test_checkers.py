"""Checkers of models, explainers and visualizers, on tables as one finds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest

from mlpipeline import plugins
from mlpipeline.errors import DataFault, ParameterError
from mlpipeline.workflow.components.model_checkers import baselines
from mlpipeline.workflow.interface import interface_faults
from mlpipeline.workflow.types import ModelTrainer, Report, Splits, Status

from .people import people, split

NAMES = (
    *("LocalModelChecker", "LocalBiasChecker", "FairlearnBiasChecker", "PermutationExplainer", "ShapExplainer"),
    *("SklearnVisualizer", "ProphetVisualizer"),
)


class Rule(ModelTrainer):
    """Predicts by a formula over the columns."""

    def __init__(self, formula: Any = None) -> None:
        self.formula = formula

    def fit(self, data: Splits) -> Self:
        return self

    def predict(self, data: pd.DataFrame) -> pd.Series:
        return pd.Series(self.formula(data), index=data.index)

    def save(self, directory: Path) -> None:
        """Nothing is kept."""

    def load(self, directory: Path) -> Self:
        return self


def made(name: str, **keys: Any) -> Any:
    part: Any = plugins.load("component", name)()
    for key, value in keys.items():
        setattr(part, key, value)
    return part


def named(report: Report) -> dict[str, tuple[Status, Any]]:
    return {each.name: (each.status, each.value) for each in report.findings}


@pytest.fixture
def data() -> Splits:
    return split(people(), "survived")


@pytest.mark.parametrize("name", NAMES)
def test_each_keeps_the_interface(name: str) -> None:
    assert interface_faults(plugins.load("component", name)) == ()


def test_a_model_has_to_beat_the_baseline(data: Splits) -> None:
    good = Rule(lambda rows: (rows["sex"] == "woman").astype(int))
    report = made("LocalModelChecker").check_model(data, good)
    assert report.status is Status.PASS
    assert named(report)["baseline.accuracy"][1] > 0.1
    always = Rule(lambda rows: data.truth().mode().iloc[0])
    assert made("LocalModelChecker").check_model(data, always).status is Status.ERROR


def test_a_wide_gap_to_the_training_part_is_a_warning(data: Splits) -> None:
    by_heart = data.train.index
    truth = data.together()["survived"]
    model = Rule(lambda rows: np.where(rows.index.isin(by_heart), truth.loc[rows.index], 1 - truth.loc[rows.index]))
    found = named(made("LocalModelChecker").check_model(data, model))
    assert found["gap.accuracy"] == (Status.WARN, 1.0)
    assert (
        named(made("LocalModelChecker", gap_tolerance=1.5).check_model(data, model))["gap.accuracy"][0] is Status.PASS
    )


def test_models_are_compared_on_the_same_rows(data: Splits) -> None:
    good, bad = Rule(lambda rows: (rows["sex"] == "woman").astype(int)), Rule(lambda rows: 0)
    checker = made("LocalModelChecker", perf_metric="f1")
    assert checker.compare_models(data, good, bad).status is Status.PASS
    assert checker.compare_models(data, good, good).status is Status.PASS
    report = checker.compare_models(data, bad, good)
    assert report.status is Status.ERROR
    assert "worse than the former model's" in report.findings[0].message


def test_every_baseline_of_numbers_is_what_it_says() -> None:
    frame = pd.DataFrame({"t": range(10), "y": [1.0, 2, 2, 4, 9, 6, 7, 8, 3, 10]})
    data = Splits(target="y", train=frame[:6], validation=frame[6:8], test=frame[8:], time_index="t")
    expected = {
        "avg": [4.0, 4.0],
        "mode": [2.0, 2.0],
        "max": [9.0, 9.0],
        "min": [1.0, 1.0],
        "median": [3.0, 3.0],
        "last_value_1": [8.0, 3.0],
        "last_value_3": [6.0, 7.0],
        "lag_mean_2": [7.5, 5.5],
        "lag_max_3": [8.0, 8.0],
        "lag_min_3": [6.0, 3.0],
        "lag_median_3": [7.0, 7.0],
    }
    found = {name: baselines.of_numbers(name, data, frame[8:]).tolist() for name in expected}
    assert found == expected
    assert all(baselines.fault(name) == "" for name in expected)


def test_baselines_of_classes(data: Splits) -> None:
    rows = data.features("test")
    said, proba = made("LocalModelChecker", baseline_value="class_avg").baseline(data, rows)
    share = data.truth().mean()
    assert set(said) == {int(share > 0.5)}
    np.testing.assert_allclose(proba.to_numpy(), [[1 - share, share]] * len(rows))
    _, proba = made("LocalModelChecker", baseline_value="class_most_frequent").baseline(data, rows)
    assert set(proba.to_numpy().ravel()) == {0.0, 1.0}
    checker = made("LocalModelChecker", baseline_method="column", baseline_value="alone")
    assert checker.baseline(data, rows)[0].equals(rows["alone"])


def test_what_is_no_baseline_is_told(data: Splits) -> None:
    kind = plugins.load("component", "LocalModelChecker")
    told = kind.value_faults({"baseline_method": "value", "baseline_value": "last_valu_1"})
    assert "Did you mean 'last_value_1'?" in told["baseline_value"]
    assert "name the column" in kind.value_faults({"baseline_method": "column"})["baseline_method"]
    with pytest.raises(DataFault, match="there is no column 'alon' to predict by"):
        made("LocalModelChecker", baseline_method="column", baseline_value="alon").check_model(data, Rule(lambda _: 1))
    with pytest.raises(DataFault, match="take class_most_frequent"):
        made("LocalModelChecker", baseline_value="avg").check_model(data, Rule(lambda _: 1))


@pytest.mark.parametrize("name", ["LocalBiasChecker", "FairlearnBiasChecker"])
def test_groups_that_are_not_treated_alike_are_told(data: Splits, name: str) -> None:
    if name == "FairlearnBiasChecker":
        pytest.importorskip("fairlearn")
    model = Rule(lambda rows: (rows["sex"] == "woman").astype(int))
    found = named(made(name, sensitive_features=["sex", "age"]).check_model_bias(data, model))
    assert found["sex.demographic_parity"] == (Status.WARN, 1.0)
    assert found["sex.equal_opportunity"] == (Status.WARN, 1.0)
    assert found["age.demographic_parity"][1] < 0.6
    alike = named(made(name, sensitive_features=["sex"]).check_model_bias(data, Rule(lambda rows: 1)))
    assert alike["sex.demographic_parity"] == (Status.PASS, 0.0)


def test_both_checkers_of_bias_measure_the_same(data: Splits) -> None:
    pytest.importorskip("fairlearn")
    model = Rule(lambda rows: (rows["age"] < 30).astype(int))
    found = [
        named(made(name, sensitive_features=["sex", "class"], smallest_group=1).check_model_bias(data, model))
        for name in ("LocalBiasChecker", "FairlearnBiasChecker")
    ]
    assert found[0] == {
        name: (status, pytest.approx(value)) for name, (status, value) in found[1].items() if name in found[0]
    }


def test_errors_of_numbers_are_compared_by_group() -> None:
    data = split(people().drop(columns="survived").assign(fare=lambda frame: frame["deck"] * 1.5), "fare")
    model = Rule(lambda rows: rows["deck"] * 1.5 + (rows["sex"] == "man"))
    found = named(made("LocalBiasChecker", sensitive_features=["sex"]).check_model_bias(data, model))
    assert found["sex.mean_error"][1] == pytest.approx(1 / data.truth("test").std(ddof=0))


def test_groups_have_to_be_there(data: Splits) -> None:
    with pytest.raises(DataFault, match=r"no column 'sexx'\. Did you mean 'sex'\?"):
        made("LocalBiasChecker", sensitive_features=["sexx"]).check_model_bias(data, Rule(lambda rows: 1))
    with pytest.raises(DataFault, match="fewer than two groups of 1000"):
        made("LocalBiasChecker", sensitive_features=["sex"], smallest_group=1000).check_model_bias(
            data, Rule(lambda _: 1)
        )
    with pytest.raises(DataFault, match="favorable is 'yes', and the classes are 0, 1"):
        made("LocalBiasChecker", sensitive_features=["sex"], favorable="yes").check_model_bias(data, Rule(lambda _: 1))
    with pytest.raises(ParameterError, match="names no column"):
        made("LocalBiasChecker").check_model_bias(data, Rule(lambda rows: 1))


def test_what_a_model_rests_on_is_found_and_drawn(data: Splits, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    model = Rule(lambda rows: (rows["sex"] == "woman").astype(int))
    report = made("PermutationExplainer", local_dir=str(tmp_path)).get_feature_importance(data, model)
    assert report.findings[0].name == "sex"
    assert {each.value for each in report.findings[1:]} == {0.0}
    assert Path(str(report.path)).read_bytes().startswith(b"\x89PNG")


def test_contributions_add_up_to_the_prediction(data: Splits) -> None:
    rows = data.features("test")
    model = Rule(lambda frame: frame["deck"] * 2.0 + frame["alone"])
    found = made("PermutationExplainer", repeats=40).get_explanations(rows, model)
    assert found.index.equals(rows.index)
    assert list(found.columns) == list(rows.columns)
    deck = 2.0 * (rows["deck"] - rows["deck"].mean())
    assert np.corrcoef(found["deck"], deck)[0, 1] > 0.9
    assert (found.drop(columns=["deck", "alone"]) == 0).all(axis=None)


def test_shapley_values_of_a_trainer(data: Splits, tmp_path: Path) -> None:
    pytest.importorskip("xgboost")
    pytest.importorskip("matplotlib")
    trainer = made("XGBoostTrainer", training_params={"n_estimators": 15}).fit(data)
    explainer = made("ShapExplainer", local_dir=str(tmp_path))
    report = explainer.get_feature_importance(data, trainer)
    assert report.findings[0].name == "sex"
    assert Path(str(report.path)).stat().st_size > 1000
    found = explainer.get_explanations(data.features("test"), trainer)
    assert found.shape == (len(data.truth("test")), 6)
    with pytest.raises(DataFault, match="take PermutationExplainer"):
        explainer.get_explanations(data.features("test"), Rule(lambda rows: 1))


def test_pictures_of_classes(data: Splits, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    trainer = made("SklearnTrainer", estimator="LogisticRegression").fit(data)
    found = made("SklearnVisualizer", local_dir=str(tmp_path)).generate_viz(data, trainer)
    assert [path.stem for path in found] == ["confusion_matrix", "roc", "precision_recall", "calibration"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in found)
    many = split(people().drop(columns="survived"), "class")
    trainer = made("SklearnTrainer", estimator="LogisticRegression").fit(many)
    assert len(made("SklearnVisualizer", local_dir=str(tmp_path)).generate_viz(many, trainer)) == 4
    assert len(made("SklearnVisualizer", local_dir=str(tmp_path)).generate_viz(data, Rule(lambda rows: 1))) == 1


def test_pictures_of_numbers_and_series(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    frame = pd.DataFrame({"t": pd.date_range("2020-01-01", periods=60), "y": np.arange(60.0)})
    data = split(frame, "y", "t")
    model = Rule(lambda rows: np.arange(float(len(rows))))
    found = made("SklearnVisualizer", local_dir=str(tmp_path)).generate_viz(data, model)
    assert [path.stem for path in found] == ["prediction_error", "residuals"]
    (path,) = made("ProphetVisualizer", local_dir=str(tmp_path)).generate_viz(data, model)
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(DataFault, match="set time_index"):
        made("ProphetVisualizer").generate_viz(Splits(target="y", train=frame), model)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_components_of_prophet(tmp_path: Path) -> None:
    pytest.importorskip("prophet")
    pytest.importorskip("matplotlib")
    days = np.arange(120)
    frame = pd.DataFrame({"t": pd.date_range("2020-01-01", periods=120), "y": days + 10.0 * (days % 7 == 0)})
    data = split(frame, "y", "t")
    found = made("ProphetVisualizer", local_dir=str(tmp_path)).generate_viz(data, made("ProphetTrainer").fit(data))
    assert [path.stem for path in found] == ["forecast", "component_trend", "component_weekly"]
