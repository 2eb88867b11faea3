"""Explanations: what matters is found, contributions add up to predictions, pictures are drawn."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.errors import DataFault, MissingExtra, NotFitted, UnknownOption
from mlpipeline.learning.estimators import Naive, XGBoost
from mlpipeline.learning.explain import Contributions, contributions, explain, importance
from tests.unit.learning.small_models import Boosted, Paying, People, Towns, fitted, people

pytest.importorskip("xgboost", exc_type=ImportError)


@pytest.fixture(scope="module")
def paying() -> Any:
    return fitted(Paying(), Boosted(), metric="rmse")


@pytest.fixture(scope="module")
def old() -> Any:
    return fitted(People(), Boosted(), metric="auc")


def test_what_matters_is_found_whatever_the_direction_of_the_metric(paying: Any, old: Any) -> None:
    for model, metric in ((paying, "rmse"), (old, "auc")):
        for by, names in (("inputs", ["age", "town"]), ("encoders", ["norm_age", "unique_town"])):
            found = importance(model, people(), by=by, seed=1)
            assert list(found.table.index) == names
            assert found.metric == metric
            assert found.table["importance"].iloc[0] > 5 * abs(found.table["importance"].iloc[1])
            assert found.rows == 60
    assert importance(paying, people(), metric="r2").table["importance"].iloc[0] > 0


def test_the_same_seed_gives_the_same_and_another_one_does_not(paying: Any) -> None:
    one, two, other = (importance(paying, people(), seed=seed).table for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(other)
    assert importance(paying, people(), repeats=1).table["deviation"].eq(0).all()


def test_importance_is_what_a_loop_by_hand_finds(paying: Any) -> None:
    found = importance(paying, people(), repeats=3, seed=4)
    generator, frame = np.random.default_rng(4), people()
    encoding, estimator = paying.encoding, paying.estimator

    def rmse(rows: pd.DataFrame) -> float:
        wrong = estimator.predict(encoding.encode_x(rows)) - frame["pays"].to_numpy()
        return float(np.sqrt((wrong**2).mean()))

    worse = [rmse(frame.assign(age=frame["age"].to_numpy()[generator.permutation(60)])) - rmse(frame) for _ in range(3)]
    assert found.table.loc["age", "importance"] == pytest.approx(np.mean(worse))
    assert found.table.loc["age", "deviation"] == pytest.approx(np.std(worse, ddof=1))
    assert found.score == pytest.approx(rmse(frame))


def test_one_function_explains_by_any_method(paying: Any) -> None:
    pd.testing.assert_frame_equal(explain(paying, people(), seed=3).table, importance(paying, people(), seed=3).table)
    told = explain(paying, people(), method="auto", most_rows=7)
    assert isinstance(told, Contributions)
    assert len(told.rows) == 7


def test_the_yardstick_rests_on_nothing() -> None:
    assert importance(fitted(), people()).table["importance"].eq(0).all()


@pytest.mark.parametrize(
    ("dataset", "metric", "booster"),
    [
        (Paying(), "rmse", "gbtree"),
        (Paying(), "rmse", "gblinear"),
        (People(), "auc", "gbtree"),
        (Towns(), "log_loss", "gbtree"),
    ],
)
def test_contributions_of_xgboost_and_the_base_add_up_to_the_prediction(
    dataset: Any, metric: str, booster: str
) -> None:
    model = fitted(dataset, Boosted(booster=booster), metric=metric)
    found = contributions(model, people())
    margin = model.estimator._ask(model.encoding.encode_x(people()), output_margin=True).reshape(60, -1)
    np.testing.assert_allclose(found.predicted, margin, atol=1e-4)
    assert found.unit == ("number" if metric == "rmse" else "log-odds")
    assert found.values.shape == (60, margin.shape[1], len(model.encoding.encoders))


@pytest.mark.parametrize(("dataset", "metric"), [(Paying(), "rmse"), (Towns(), "log_loss")])
def test_contributions_of_our_xgboost_know_its_categories(dataset: Any, metric: str) -> None:
    model = fitted(dataset, XGBoost(n_estimators=8), metric=metric)
    found, x = contributions(model, people()), model.encoding.encode_x(people())
    assert "c" in model.estimator.feature_types_
    if metric == "rmse":
        np.testing.assert_allclose(found.predicted[:, 0], model.estimator.predict(x), atol=1e-3)
    else:
        raised = np.exp(found.predicted)
        proba = raised / raised.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(proba, model.estimator.predict_proba(x), atol=1e-5)


class Counting(Naive):
    """Predicts by the place of a row."""

    def _predict(self, x: pd.DataFrame) -> np.ndarray:
        return np.arange(len(x), dtype=np.float64)


def test_an_estimator_that_counts_rows_is_refused() -> None:
    pytest.importorskip("shap", reason="the extra explain is not installed", exc_type=ImportError)
    with pytest.raises(DataFault, match=r"Counting\(\) predicts by more than the features of a row"):
        contributions(fitted(Paying(), Counting(), metric="rmse"), people(4), background=people(8))


@pytest.mark.parametrize(("dataset", "metric"), [(Paying(), "rmse"), (People(), "auc"), (Towns(), "log_loss")])
def test_contributions_by_shap_and_the_base_add_up(dataset: Any, metric: str) -> None:
    pytest.importorskip("shap", reason="the extra explain is not installed", exc_type=ImportError)
    model = fitted(dataset, Boosted(), metric=metric)
    found = contributions(model, people().iloc[:4], method="shap", background=people(8))
    x = model.encoding.encode_x(people().iloc[:4])
    said = model.estimator.predict(x)[:, None] if metric == "rmse" else model.estimator.predict_proba(x)
    np.testing.assert_allclose(found.predicted, said[:, 1:] if metric == "auc" else said, atol=1e-5)
    assert found.unit == ("number" if metric == "rmse" else "probability")
    if metric == "rmse":
        assert found.table().index[0] == "norm_age"


def test_tables_show_what_was_read(paying: Any) -> None:
    found = contributions(paying, people())
    table = found.table()
    assert list(table.index) == ["norm_age", "unique_town"]
    np.testing.assert_allclose(table["size"].to_numpy(), np.abs(found.values).mean(axis=(0, 1)))
    row = found.row(2)
    assert row.loc["norm_age", "value"] == str(people()["age"][2])
    assert row.loc["unique_town", "value"] == "Ulm"
    assert row["contribution"].sum() + found.base[0] == pytest.approx(found.predicted[2, 0])
    with pytest.raises(DataFault, match="there is no row 60: 60 are explained"):
        found.row(60)
    with pytest.raises(DataFault, match="there is no output 'x': there are pays"):
        found.table("x")


def test_outputs_are_called_by_what_they_stand_for(old: Any) -> None:
    assert contributions(old, people()).outputs == ("is_old = True",)
    towns = contributions(fitted(Towns(), Boosted()), people())
    assert towns.outputs == ("town = Bonn", "town = Köln", "town = Ulm")
    assert len(towns.table("town = Ulm")) == 3


def test_rows_are_drawn_from_many_and_taken_from_the_validation_split(paying: Any) -> None:
    assert importance(paying).rows == len(paying.dataset.validation_data)
    assert len(contributions(paying, people(), most_rows=10, seed=3).rows) == 10
    assert importance(paying, people(), most_rows=20).rows == 20


def test_what_cannot_be_explained_says_why(paying: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    naive = fitted()
    with pytest.raises(DataFault, match=r"Naive\(\) does not tell contributions itself.*method='shap'"):
        contributions(naive, people(), method="xgboost")
    with pytest.raises(UnknownOption, match="'permutation', 'auto', 'xgboost' or 'shap'"):
        contributions(naive, people(), method="lime")
    with pytest.raises(UnknownOption, match="'inputs' or 'encoders'"):
        importance(naive, people(), by="rows")
    with pytest.raises(UnknownOption, match="no score 'acc' for binary"):
        importance(naive, people(), metric="acc")
    with pytest.raises(DataFault, match="repeats is 0"):
        importance(naive, people(), repeats=0)
    with pytest.raises(DataFault, match="no rows: give some"):
        importance(naive, people().iloc[:0])
    with pytest.raises(DataFault, match="the frame has no target: it needs pays"):
        importance(paying, people()[["age", "town"]])
    with pytest.raises(DataFault, match="no column 'town'"):
        contributions(paying, people()[["age"]])
    naive.encoding = None
    with pytest.raises(NotFitted):
        importance(naive, people())
    naive.dataset = None
    naive.encoding = paying.encoding
    with pytest.raises(DataFault, match="give a frame"):
        contributions(naive)
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(MissingExtra, match=r"mlpipeline\[explain\]"):
        contributions(naive, people())


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_pictures_are_files_and_nothing_global_is_touched(paying: Any, tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("matplotlib", reason="the extra explain is not installed", exc_type=ImportError)
    before = "matplotlib.pyplot" in sys.modules
    found: Contributions = contributions(paying, people())
    paths = [
        importance(paying, people()).plot(tmp_path / f"importance{suffix}"),
        found.plot(tmp_path / f"bars{suffix}"),
        found.summary_plot(tmp_path / "deep" / f"summary{suffix}"),
        found.force_plot(tmp_path / f"force{suffix}", place=3),
    ]
    begins = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert all(path.read_bytes().startswith(begins) for path in paths)
    assert ("matplotlib.pyplot" in sys.modules) == before
    with pytest.raises(DataFault, match=r"ends in \.png, \.svg, \.pdf"):
        found.plot(tmp_path / "x.bmp")


def test_names_are_no_formulas_and_equal_beginnings_stay_apart(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra explain is not installed", exc_type=ImportError)
    from mlpipeline.learning.explain import pictures

    names = [f"{'a very long name of a column that ' * 2}{end}" for end in "ab"] + ["$x_{1$", "x$"]
    path = pictures.bars(tmp_path / "x.svg", pd.Series([3.0, 2.0, 1.0, 0.5], names), None, title="t", label="l")
    assert path.read_text().count("a very long name of a col") >= 2


def test_a_naive_model_can_be_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra explain is not installed", exc_type=ImportError)
    pytest.importorskip("shap", reason="the extra explain is not installed", exc_type=ImportError)
    found = contributions(fitted(estimator=Naive()), people(4), background=people(8))
    assert np.abs(found.values).max() == 0
    found.summary_plot(tmp_path / "summary.png")
    found.force_plot(tmp_path / "force.png")
