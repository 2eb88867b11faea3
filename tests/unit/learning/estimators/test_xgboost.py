"""XGBoost does what all estimators do; and what is its own: categories, streams, early stopping, errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
from mlpipeline.data.encoders import Norm, OneHot, Unique
from mlpipeline.data.encoding import Encoding
from mlpipeline.learning.estimators import XGBoost, resources, xgboost_matrices
from mlpipeline.testing import EstimatorContract
from mlpipeline.testing.estimator_tables import CutShort, Recorded, table

pytest.importorskip("xgboost", reason="xgboost is not installed")


class TestXGBoost(EstimatorContract):
    counts_weights = True
    selects = True
    takes_missing = True

    @pytest.fixture
    def estimator(self) -> XGBoost:
        return XGBoost(n_estimators=20, max_depth=3, patience=5, n_jobs=1)


def small(**more: Any) -> XGBoost:
    return XGBoost(**{"n_estimators": 10, "max_depth": 3, "n_jobs": 1} | more)


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_exclusive_or_is_learnt_and_kept(dtype: str, tmp_path: Path) -> None:
    # Drawn, since where all four cases are as frequent no first split gains anything.
    x = pd.DataFrame(np.random.default_rng(0).integers(0, 2, (1000, 2)), columns=["a", "b"])
    y = (x["a"] ^ x["b"]).to_numpy(dtype)
    fitted = small(n_estimators=30).fit(x, y)
    assert fitted.score(x, y) > 0.99
    loaded = small(n_estimators=30).load(tmp_path, fitted.save(tmp_path))
    np.testing.assert_array_equal(loaded.predict(x), fitted.predict(x))


def test_patience_counts_the_rounds_in_vain() -> None:
    rows = table("binary")
    turned = (rows.x, rows.contrary)
    for patience, learnt in {0: 2, 1: 2, 5: 6}.items():
        run = Recorded()
        fitted = small(patience=patience).fit(*turned, validation=(rows.x, rows.y), run=run)
        assert len(run.found) == learnt
        assert set(run.found[0]) == {"train_log_loss", "validation_log_loss"}
        assert (fitted.best_iteration_, fitted.booster_.num_boosted_rounds()) == (0, 1)
        assert fitted.best_score_ == run.found[0]["validation_log_loss"]
    assert len(small(patience=None).fit(*turned, validation=(rows.x, rows.y)).history_["train"]["log_loss"]) == 10


def test_without_rows_to_select_by_all_rounds_are_learnt_and_none_is_recorded_of_them() -> None:
    rows, run = table("regression"), Recorded()
    fitted = small().fit(rows.x, rows.y, run=run)
    assert {name for values in run.found for name in values} == {"train_rmse"}
    assert (fitted.booster_.num_boosted_rounds(), fitted.best_score_) == (10, None)


def test_the_last_metric_selects_in_its_own_direction() -> None:
    rows, run = table("binary"), Recorded()
    fitted = small(eval_metric=["log_loss", "auc"], patience=2).fit(rows.x, rows.y, validation=rows.validation, run=run)
    told = [values["validation_auc"] for values in run.found]
    assert fitted.best_score_ == max(told)
    assert fitted.best_iteration_ == int(np.argmax(told))
    assert "train_log_loss" in run.found[0]


def test_classes_that_training_has_not_shown_are_not_selected_by() -> None:
    rows = table("multiclass")
    x, y = rows.validation
    strange = np.where(np.arange(len(y)) < 5, 9, y).astype(y.dtype)
    with_strangers = small().fit(rows.x, rows.y, validation=(x, strange))
    without = small().fit(rows.x, rows.y, validation=(x.iloc[5:], y[5:]))
    assert with_strangers.history_ == without.history_
    only = small().fit(rows.x, rows.y, validation=(x.iloc[:5], strange[:5]))
    assert list(only.history_) == ["train"]


def test_what_was_learnt_when_a_run_is_ended_early_can_be_used(tmp_path: Path) -> None:
    rows = table("regression")
    assert small().fit(rows.x, rows.y, run=CutShort(tmp_path / "a", 3)).booster_.num_boosted_rounds() == 3
    nothing = small().fit(rows.x, rows.y, run=CutShort(tmp_path / "b", 0)).predict(rows.x)
    assert len(set(nothing.tolist())) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"booster": "dart", "rate_drop": 0.3},
        {"tree_method": "exact"},
        {"subsample": 0.5},
        {"colsample_bytree": 0.5, "colsample_bynode": 0.5, "subsample": 0.7, "num_parallel_tree": 2},
        {"tree_method": "approx", "colsample_bylevel": 0.5},
        {"booster": "gblinear"},
    ],
    ids=str,
)
def test_an_interrupted_fit_is_the_same_whatever_is_drawn(more: dict[str, Any], tmp_path: Path) -> None:
    rows = table("binary")
    straight = small(**more).fit(rows.x, rows.y, validation=rows.validation)
    small(**more).fit(rows.x, rows.y, validation=rows.validation, run=CutShort(tmp_path, 4))
    resumed = small(**more).fit(rows.x, rows.y, validation=rows.validation, run=CutShort(tmp_path))
    np.testing.assert_array_equal(resumed.predict_proba(rows.x), straight.predict_proba(rows.x))
    assert resumed.history_ == straight.history_
    assert len(resumed.history_["train"]["log_loss"]) == len(straight.history_["train"]["log_loss"])


def test_a_checkpoint_of_other_features_is_refused(tmp_path: Path) -> None:
    rows = table("binary")
    small().fit(rows.x, rows.y, run=CutShort(tmp_path, 2))
    with pytest.raises(errors.DataFault, match="3 features, and there are 2 now"):
        small().fit(rows.x[["first", "third"]], rows.y, run=CutShort(tmp_path))


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_stream_gives_the_model_of_the_table(in_memory: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xgboost_matrices, "QUANTIZED_IN_MEMORY", 1 << 20 if in_memory else 10)
    monkeypatch.setattr(xgboost_matrices, "_PAGE_BYTES", 1000)
    rows = table("multiclass")
    straight = small().fit(rows.x, rows.y, validation=(rows.x, rows.y))
    streamed = small().fit(rows.stream(30), validation=rows.stream(70))
    np.testing.assert_allclose(streamed.predict_proba(rows.x), straight.predict_proba(rows.x), atol=1e-5)
    by_table = small().fit(rows.stream(30), validation=(rows.x, rows.y))
    np.testing.assert_array_equal(by_table.predict_proba(rows.x), streamed.predict_proba(rows.x))


def test_codes_are_categories_and_columns_of_zeros_and_ones_are_not(tmp_path: Path) -> None:
    words = np.array(list("abcdefghijkl") * 20)
    frame = pd.DataFrame({"word": words, "size": np.arange(240.0), "color": np.where(np.arange(240) % 2, "r", "b")})
    y = np.isin(words, list("adgjl")).astype(int)
    encoding = Encoding([Unique("word"), Norm("size"), OneHot("color")], None)
    encoding.fit(lambda names: frame)
    x = encoding.encode_x(frame)
    # One split by a set of categories tells all words apart; one by their order cannot.
    fitted = small(n_estimators=1, max_depth=1, learning_rate=1.0).fit(x, y, encoding=encoding)
    assert fitted.feature_types_ == ["c", "q", "q", "q"]
    assert fitted.score(x, y) == 1.0
    assert small(n_estimators=1, max_depth=1, enable_categorical=False).fit(x, y, encoding=encoding).score(x, y) < 0.9
    for without in ({"tree_method": "exact"}, {"booster": "gblinear"}):
        assert set(small(**without).fit(x, y, encoding=encoding).feature_types_) == {"q"}
    loaded = small().load(tmp_path, json.loads(json.dumps(fitted.save(tmp_path))))
    unseen = x.assign(unique_word=np.uint8(1))
    np.testing.assert_array_equal(loaded.predict_proba(unseen), fitted.predict_proba(unseen))


def test_categories_of_pandas_are_categories() -> None:
    x = pd.DataFrame({"word": pd.Categorical(list("abcdefghijkl") * 20)})
    y = x["word"].isin(list("adgjl")).astype(int)
    fitted = small(n_estimators=1, max_depth=1, learning_rate=1.0).fit(x, y, validation=(x, y))
    assert fitted.score(x, y) == 1.0


def test_features_may_have_any_name() -> None:
    rows = table("binary")
    x = rows.x.set_axis(["price[usd]", "a<b", ""], axis=1)
    fitted = small().fit(x, rows.y, validation=(x, rows.y))
    assert fitted.score(x, rows.y) > 0.9
    assert fitted.feature_importances_.idxmax() == "price[usd]"
    assert fitted.feature_importances_.sum() == pytest.approx(1.0)


def test_constraints_name_features() -> None:
    rows = table("regression")
    fitted = small(monotone_constraints={"first": -1}).fit(rows.x, rows.y)
    line = pd.DataFrame({"first": np.linspace(-3, 3, 50), "second": 0.0, "third": 1})
    assert (np.diff(fitted.predict(line)) <= 0).all()
    small(interaction_constraints=[["first"], ["second", "third"]]).fit(rows.x, rows.y)
    for name in ("monotone_constraints", "interaction_constraints"):
        asked = {"firsts": 1} if name.startswith("mono") else [["firsts"]]
        with pytest.raises(errors.ParameterError, match=r"'firsts', which is no feature.*'first'"):
            small(**{name: asked}).fit(rows.x, rows.y)


@pytest.mark.parametrize("booster", ["gblinear", "dart"])
def test_other_boosters_keep_their_best_round_too(booster: str, tmp_path: Path) -> None:
    rows, run = table("regression"), Recorded()
    fitted = small(booster=booster, n_estimators=30, rate_drop=0.3, patience=3)
    fitted.fit(rows.x, rows.y, validation=rows.validation, run=run)
    best = min(values["validation_rmse"] for values in run.found)
    assert fitted.evaluate(*rows.validation)["rmse"] == pytest.approx(best, rel=1e-5)
    assert len(fitted.feature_importances_) == 3
    loaded = small(booster=booster).load(tmp_path, fitted.save(tmp_path))
    np.testing.assert_array_equal(loaded.predict(rows.x), fitted.predict(rows.x))


def test_a_fit_uses_the_threads_that_a_run_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert resources.threads(None) == 3
    assert resources.threads(7) == 7
    assert resources.threads(-1) is None
    monkeypatch.setenv("OMP_NUM_THREADS", "nonsense")
    assert resources.threads(None) is None
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert resources.threads(None) is None


def test_a_loaded_model_uses_the_threads_of_its_process_whatever_its_fit_was_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    x = np.arange(40.0).reshape(-1, 2)
    state = XGBoost(n_estimators=2, patience=None, n_jobs=2).fit(x, x[:, 0]).save(tmp_path)

    def threads() -> str:
        booster = XGBoost(n_jobs=2).load(tmp_path, state).booster_
        return str(json.loads(booster.save_config())["learner"]["generic_param"]["nthread"])

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert threads() == "1"
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads() == "2"


def test_a_gpu_is_refused_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "visible_gpus", lambda: 0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    rows = table("binary")
    for device in ("cuda", "cuda:1", "gpu"):
        with pytest.raises(errors.ParameterError, match=f"'{device}', and this process sees no GPU"):
            small(device=device).fit(rows.x, rows.y)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"booster": "gbtre"}, "'gbtree'"),
        ({"tree_method": "gpu_hist"}, "hist"),
        ({"grow_policy": 1}, "lossguide"),
        ({"device": "tpu"}, "'cpu'"),
        ({"n_estimators": 0}, "n_estimators is 0"),
        ({"n_estimators": 2.5}, "whole number"),
        ({"patience": -1}, "patience is -1"),
        ({"max_depth": -3}, "max_depth"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"subsample": 2.0}, "subsample"),
        ({"eval_metric": "accuracies"}, "accuracies"),
        ({"eval_metric": []}, "eval_metric is empty"),
        ({"objective": "reg:squarederror"}, "binary:logistic"),
        ({"kind": "binry"}, "binary"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(wrong: dict[str, Any], told: str) -> None:
    rows = table("binary")
    with pytest.raises(ValueError, match=told) as raised:
        small(**wrong).fit(rows.x, rows.y)
    assert isinstance(raised.value, errors.MlpipelineError)


def test_data_that_cannot_be_learnt_from_is_refused() -> None:
    rows = table("regression")
    rows.x.loc[3, "second"] = np.inf
    with pytest.raises(errors.DataFault, match="'second'"):
        small().fit(rows.x, rows.y)
    with pytest.raises(errors.DataFault, match="infinite"):
        small().fit(rows.stream())
    with pytest.raises(errors.ParameterError, match="hist"):
        small(tree_method="approx").fit(table("binary").stream())
    with pytest.raises(errors.DataFault, match="one row at least"):
        small().fit(rows.x.iloc[:0], rows.y[:0])
    one = small().fit(rows.x.iloc[:1], rows.y[:1])
    assert one.predict(rows.x.iloc[:1]) == pytest.approx(rows.y[:1])


def test_a_regression_may_have_another_objective() -> None:
    rows = table("regression")
    fitted = small(objective="reg:absoluteerror", eval_metric="mae").fit(rows.x, rows.y, validation=rows.validation)
    assert list(fitted.history_["validation"]) == ["mae"]
    with pytest.raises(errors.UnknownOption, match="'reg:' or 'count:'"):
        small(objective="multi:softmax").fit(rows.x, rows.y)


def test_where_xgboost_is_not_installed_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    rows = table("binary")
    with pytest.raises(errors.MissingExtra, match=r"mlpipeline\[xgboost\]"):
        small().fit(rows.x, rows.y)
