"""Estimators of scikit-learn do what all estimators do."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier, SGDRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, SVR

from mlpipeline import errors
from mlpipeline.learning.estimators import SKLearn
from mlpipeline.learning.estimators.sklearn_files import load, save
from mlpipeline.testing import EstimatorContract
from mlpipeline.testing.estimator_tables import Recorded, table

pytest.importorskip("skops", reason="skops is not installed")


class TestForests(EstimatorContract):
    kinds = ("binary", "one_hot")
    takes_missing = True

    @pytest.fixture
    def estimator(self) -> SKLearn:
        return SKLearn(RandomForestClassifier(10, max_depth=6, random_state=0))


class TestPipelines(EstimatorContract):
    kinds = ("regression",)
    counts_weights = False
    tolerance = 1e-3

    @pytest.fixture
    def estimator(self) -> SKLearn:
        return SKLearn(make_pipeline(StandardScaler(), Ridge()))


class TestLearnersOfBatches(EstimatorContract):
    kinds = ("multiclass",)

    @pytest.fixture
    def estimator(self) -> SKLearn:
        return SKLearn(SGDClassifier(loss="log_loss", random_state=0), epochs=5)


def strange(values: np.ndarray) -> np.ndarray:
    """Is a function that no file may name."""
    return values


def test_parameters_have_addresses() -> None:
    ours = SKLearn(make_pipeline(StandardScaler(), Ridge()))
    ours.set_params(sklearn__ridge__alpha=3.0)
    assert ours.get_params()["sklearn__ridge__alpha"] == 3.0
    rows = table("regression")
    assert ours.fit(rows.x, rows.y).sklearn_[-1].alpha == 3.0
    assert not hasattr(ours.sklearn[-1], "coef_"), "a clone is fitted"
    with pytest.raises(errors.ParameterError, match="'sklearn'"):
        ours.set_params(sklear__ridge__alpha=3.0)


def test_exclusive_or_is_learnt_by_a_support_vector_machine(tmp_path: Path) -> None:
    x = pd.DataFrame({"a": [0, 0, 1, 1] * 50, "b": [0, 1, 0, 1] * 50})
    y = np.array([0, 1, 1, 0] * 50)
    ours = SKLearn(SVC()).fit(x, y)
    assert ours.score(x, y) == 1.0
    loaded = SKLearn().load(tmp_path, ours.save(tmp_path))
    np.testing.assert_array_equal(loaded.predict(x), ours.predict(x))
    assert repr(loaded.sklearn) == repr(ours.sklearn)


def test_decisions_are_no_probabilities() -> None:
    rows = table("binary")
    ours = SKLearn(SVC()).fit(rows.x, rows.y)
    assert not ours.has_proba
    assert set(ours.evaluate(rows.x, rows.y)) == {"accuracy", "f1"}
    with pytest.raises(errors.DataFault, match="CalibratedClassifierCV"):
        ours.predict_proba(rows.x)
    calibrated = SKLearn(CalibratedClassifierCV(SVC(), cv=2)).fit(rows.x, rows.y)
    assert calibrated.predict_proba(rows.x).shape == (len(rows.x), 2)


def test_a_class_without_rows_has_no_probability() -> None:
    rows = table("one_hot")
    y = np.column_stack([rows.y[:, 0], np.zeros(len(rows.y), np.uint8), rows.y[:, 1:].max(axis=1)])
    proba = SKLearn(LogisticRegression()).fit(rows.x, y).predict_proba(rows.x)
    assert proba.shape == (len(y), 3)
    assert (proba[:, 1] == 0).all()


@pytest.mark.parametrize(
    "learner",
    [
        KNeighborsRegressor(3),
        GaussianProcessRegressor(),
        HistGradientBoostingRegressor(max_iter=3),
        MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0),
        SVR(),
    ],
    ids=lambda learner: type(learner).__name__,
)
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_what_scikit_learn_can_fit_can_be_saved(learner: object, tmp_path: Path) -> None:
    rows = table("regression", rows=40)
    ours = SKLearn(learner).fit(rows.x, rows.y)
    loaded = SKLearn(learner).load(tmp_path, ours.save(tmp_path))
    np.testing.assert_array_equal(loaded.predict(rows.x), ours.predict(rows.x))


def test_a_type_that_is_not_trusted_is_refused_by_name(tmp_path: Path) -> None:
    import skops.io

    rows = table("regression")
    learner = make_pipeline(FunctionTransformer(strange), Ridge())
    ours = SKLearn(learner).fit(rows.x, rows.y)
    with pytest.raises(errors.DataFault, match="strange"):
        ours.save(tmp_path)
    assert list(tmp_path.iterdir()) == [], "nothing is left that cannot be loaded"
    skops.io.dump(ours.sklearn_, tmp_path / "model.skops")
    with pytest.raises(errors.DataFault, match="strange"):
        load(tmp_path / "model.skops")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    rows = table("regression")
    file = tmp_path / "model.skops"
    save(SKLearn(Ridge()).fit(rows.x, rows.y).sklearn_, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(errors.DataFault, match="damaged"):
        load(file)
    with zipfile.ZipFile(file, "w"):
        pass
    with pytest.raises(errors.DataFault, match="damaged"):
        load(file)


def test_a_stream_is_walked_over_as_often_as_there_are_epochs() -> None:
    rows, run = table("regression"), Recorded()
    once = SKLearn(SGDRegressor(random_state=0)).fit(rows.stream(), validation=rows.validation, run=run)
    often = SKLearn(SGDRegressor(random_state=0), epochs=20).fit(rows.stream())
    assert (once.rounds, often.rounds) == (1, 20)
    assert often.score(rows.x, rows.y) > once.score(rows.x, rows.y)
    assert {"validation_rmse", "validation_r2"} <= set(run.found[-1])


def test_a_stream_takes_no_weights() -> None:
    rows = table("regression")
    with pytest.raises(errors.DataFault, match="sample_weight goes with a table"):
        SKLearn(SGDRegressor()).fit(rows.stream(), sample_weight=np.ones(len(rows.y)))


def test_probabilities_of_float32_add_up_to_1() -> None:
    rows = table("multiclass")
    learner = SKLearn(LogisticRegression()).fit(rows.x, rows.y)
    plain = learner.sklearn_.predict_proba
    np.testing.assert_array_equal(learner.predict_proba(rows.x), plain(rows.x))
    learner.sklearn_.predict_proba = lambda x: plain(x).astype(np.float32)
    found = learner.predict_proba(rows.x)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("learner", "kind", "told"),
    [
        (None, "binary", "give e.g. Ridge"),
        (Ridge, "regression", "no estimator"),
        ("Ridge", "regression", "no estimator"),
        (Ridge(), "binary", "not a classifier"),
        (LogisticRegression(), "regression", "not a regressor"),
        (KMeans(), "binary", "not a classifier"),
        (Ridge(alpha=-1), "regression", "alpha"),
        (RandomForestClassifier(n_estimators="many"), "binary", "n_estimators"),
    ],
)
def test_what_cannot_be_fitted_is_refused(learner: object, kind: str, told: str) -> None:
    rows = table(kind)
    with pytest.raises(ValueError, match=told) as raised:
        SKLearn(learner).fit(rows.x, rows.y)
    assert isinstance(raised.value, errors.MlpipelineError)


def test_weights_reach_the_last_step_of_a_pipeline() -> None:
    rows = table("regression")
    weight = np.where(np.arange(len(rows.y)) < 5, 100.0, 1.0)
    ours = SKLearn(make_pipeline(StandardScaler(), make_pipeline(Ridge()))).fit(rows.x, rows.y, sample_weight=weight)
    plain = Ridge().fit(StandardScaler().fit_transform(rows.x), rows.y, weight)
    np.testing.assert_allclose(ours.predict(rows.x), plain.predict(StandardScaler().fit_transform(rows.x)))
    with pytest.raises(errors.DataFault, match="no sample weights"):
        SKLearn(KNeighborsRegressor()).fit(rows.x, rows.y, sample_weight=weight)
