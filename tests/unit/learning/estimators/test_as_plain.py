"""With the same parameters, estimators are as good as the libraries used by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlpipeline.learning.estimators import CatBoost, LightGBM, SKLearn, XGBoost
from tests.unit.learning.estimators.real_tables import KINDS, Real, real


@pytest.fixture(params=KINDS)
def table(request: pytest.FixtureRequest) -> Real:
    return real(request.param)


def score(rows: Real, predicted: Any) -> float:
    truth = rows.test[1]
    measure = metrics.r2_score if rows.kind == "regression" else metrics.accuracy_score
    return float(measure(truth, predicted))


def test_xgboost_is_the_same_model(table: Real) -> None:
    xgboost = pytest.importorskip("xgboost", reason="xgboost is not installed")
    same = {"max_depth": 4, "learning_rate": 0.3, "n_estimators": 30, "reg_lambda": 2.0, "min_child_weight": 2.0}
    ours = XGBoost(**same, n_jobs=1, random_state=3).fit(table.x, table.y, validation=table.validation)
    kind = xgboost.XGBRegressor if table.kind == "regression" else xgboost.XGBClassifier
    plain = kind(**same, n_jobs=1, random_state=3, early_stopping_rounds=10)
    plain.fit(table.x, table.y, eval_set=[table.validation], verbose=False)
    assert ours.best_iteration_ == plain.best_iteration
    np.testing.assert_array_equal(ours.predict(table.test[0]), plain.predict(table.test[0]))
    if table.kind != "regression":
        np.testing.assert_allclose(ours.predict_proba(table.test[0]), plain.predict_proba(table.test[0]), atol=1e-6)
    assert ours.score(*table.test) == pytest.approx(score(table, plain.predict(table.test[0])))


def test_xgboost_is_as_good_where_rows_and_features_are_drawn(table: Real) -> None:
    xgboost = pytest.importorskip("xgboost", reason="xgboost is not installed")
    same = {"max_depth": 4, "n_estimators": 30, "subsample": 0.8, "colsample_bytree": 0.7, "learning_rate": 0.2}
    kind = xgboost.XGBRegressor if table.kind == "regression" else xgboost.XGBClassifier
    ours, plain = [], []
    for seed in range(3):
        fitted = XGBoost(**same, n_jobs=1, random_state=seed).fit(table.x, table.y)
        ours.append(fitted.score(*table.test))
        by_hand = kind(**same, n_jobs=1, random_state=seed).fit(table.x, table.y)
        plain.append(score(table, by_hand.predict(table.test[0])))
    assert np.mean(ours) == pytest.approx(np.mean(plain), abs=0.02)


def test_lightgbm_is_as_good(table: Real) -> None:
    lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    same = {"num_leaves": 15, "learning_rate": 0.2}
    ours = LightGBM(**same, n_estimators=30, n_jobs=1).fit(table.x, table.y, validation=table.validation)
    objective = {"regression": "regression", "binary": "binary", "multiclass": "multiclass"}[table.kind]
    classes = {"num_class": len(np.unique(table.y))} if table.kind == "multiclass" else {}
    data = lightgbm.Dataset(table.x.to_numpy(), table.y)
    plain = lightgbm.train(
        {**same, **classes, "objective": objective, "num_threads": 1, "verbosity": -1},
        data,
        num_boost_round=30,
        valid_sets=[data.create_valid(table.validation[0].to_numpy(), table.validation[1])],
        callbacks=[lightgbm.early_stopping(10, verbose=False)],
    )
    found = plain.predict(table.test[0].to_numpy())
    if table.kind != "regression":
        found = found.argmax(axis=1) if found.ndim == 2 else found > 0.5
    assert ours.score(*table.test) == pytest.approx(score(table, found), abs=0.01)


def test_catboost_is_as_good(table: Real) -> None:
    catboost = pytest.importorskip("catboost", reason="catboost is not installed")
    ours = CatBoost(n_estimators=30, max_depth=4, learning_rate=0.3, n_jobs=1)
    ours.fit(table.x, table.y, validation=table.validation)
    kind = catboost.CatBoostRegressor if table.kind == "regression" else catboost.CatBoostClassifier
    plain = kind(iterations=30, depth=4, learning_rate=0.3, random_seed=0, allow_writing_files=False, thread_count=1)
    plain.fit(table.x, table.y, eval_set=table.validation, early_stopping_rounds=10, verbose=False)
    predicted = np.asarray(plain.predict(table.test[0])).reshape(len(table.test[1]))
    assert ours.score(*table.test) == pytest.approx(score(table, predicted), abs=0.01)


def test_scikit_learn_is_the_same_model(table: Real) -> None:
    if table.kind == "regression":
        learners: list[Any] = [make_pipeline(StandardScaler(), Ridge()), RandomForestRegressor(20, random_state=0)]
    else:
        learners = [
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
            RandomForestClassifier(20, random_state=0),
        ]
    for learner in learners:
        ours = SKLearn(learner).fit(table.x, table.y)
        plain = learner.fit(table.x, table.y)
        np.testing.assert_array_equal(ours.predict(table.test[0]), plain.predict(table.test[0]))
        assert ours.score(*table.test) == pytest.approx(score(table, plain.predict(table.test[0])))


def test_each_is_good_where_it_is_known_how_good_one_can_be() -> None:
    pytest.importorskip("xgboost", reason="xgboost is not installed")
    for name, least in {"iris": 0.9, "digits": 0.9, "breast_cancer": 0.92}.items():
        rows = real(name)
        ours = XGBoost(n_estimators=25, n_jobs=1).fit(rows.x, rows.y, validation=rows.validation)
        assert ours.score(*rows.test) >= least, name
