"""Tests trees of histogram boosting that are written as a few long arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlpipeline import errors

pytest.importorskip("sklearn", reason="scikit-learn is not installed")
pytest.importorskip("skops", reason="skops is not installed")

from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlpipeline.learning.estimators import SKLearn, sklearn_files, sklearn_trees

_FEW: dict[str, Any] = {"max_iter": 4, "min_samples_leaf": 2}


def _rows() -> np.ndarray:
    chance = np.random.default_rng(0)
    return np.column_stack([chance.normal(size=120), chance.integers(0, 5, 120), chance.normal(size=120)])


def _target(classes: int) -> np.ndarray:
    x = _rows()
    found = (x[:, 0] + (x[:, 1] == 2) + x[:, 2] ** 2).astype(np.float64)
    return found if not classes else np.digitize(found, np.quantile(found, np.arange(1, classes) / classes))


@pytest.mark.parametrize(
    ("learner", "classes"),
    [
        (HistGradientBoostingRegressor(**_FEW), 0),
        (HistGradientBoostingClassifier(**_FEW), 2),
        (HistGradientBoostingClassifier(**_FEW), 3),
        (make_pipeline(StandardScaler(), HistGradientBoostingRegressor(**_FEW)), 0),
        (HistGradientBoostingRegressor(**_FEW, categorical_features=[1]), 0),
        (make_pipeline("passthrough", HistGradientBoostingClassifier(**_FEW, categorical_features=[1])), 3),
    ],
)
def test_trees_are_the_same_after_loading_and_untouched_by_saving(tmp_path: Path, learner: Any, classes: int) -> None:
    x, fitted = _rows(), SKLearn(learner).fit(_rows(), _target(classes))
    before = fitted.predict(x)
    state = fitted.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trees.npz", "without_trees.skops"]
    assert (fitted.predict(x) == before).all()
    loaded = SKLearn().load(tmp_path, state)
    assert (loaded.predict(x) == before).all()
    if classes:
        assert (loaded.predict_proba(x) == fitted.predict_proba(x)).all()


def test_splits_by_categories_come_back(tmp_path: Path) -> None:
    fitted = HistGradientBoostingRegressor(**_FEW, categorical_features=[1]).fit(_rows(), _rows()[:, 1] % 2)
    assert any(len(tree.raw_left_cat_bitsets) for each in fitted._predictors for tree in each)
    bare, arrays = sklearn_trees.without(fitted)
    assert arrays is not None
    sklearn_trees.write(arrays, tmp_path / "trees.npz")
    sklearn_trees.put_back(bare, tmp_path / "trees.npz")
    assert (bare.predict(_rows()) == fitted.predict(_rows())).all()
    assert "check_array" in repr(bare._preprocessor)
    assert repr(bare._preprocessor) == repr(fitted._preprocessor)


def test_a_model_that_was_saved_whole_is_loaded(tmp_path: Path) -> None:
    fitted = SKLearn(HistGradientBoostingRegressor(**_FEW)).fit(_rows(), _target(0))
    state = fitted.save(tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    sklearn_files.save(fitted.sklearn_, tmp_path / "model.skops")
    assert (SKLearn().load(tmp_path, state).predict(_rows()) == fitted.predict(_rows())).all()


def test_other_estimators_are_written_whole(tmp_path: Path) -> None:
    SKLearn(Ridge()).fit(_rows(), _target(0)).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.skops"]


def _saved(tmp_path: Path) -> dict[str, Any]:
    return SKLearn(HistGradientBoostingRegressor(**_FEW)).fit(_rows(), _target(0)).save(tmp_path)


def _changed(tmp_path: Path, **arrays: np.ndarray) -> None:
    with np.load(tmp_path / "trees.npz") as found:
        kept = dict(found)
    np.savez(tmp_path / "trees.npz", **kept | arrays, allow_pickle=True)  # type: ignore[arg-type, unused-ignore]


@pytest.mark.parametrize(
    "arrays",
    [
        {"nodes": np.zeros(7)},
        {"nodes_rows": np.array([1, 2])},
        {"nodes_rows": np.array([-1, 2])},
        {"rounds": np.array([99])},
        {"rounds": np.array([{"an": "object"}], dtype=object)},
    ],
)
def test_trees_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    state = _saved(tmp_path)
    _changed(tmp_path, **arrays)
    with pytest.raises(errors.DataFault, match=r"trees\.npz is damaged"):
        SKLearn().load(tmp_path, state)


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    state = _saved(tmp_path)
    content = (tmp_path / "trees.npz").read_bytes()
    (tmp_path / "trees.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(errors.DataFault, match=r"trees\.npz is damaged"):
        SKLearn().load(tmp_path, state)
