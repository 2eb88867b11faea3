"""The trees of scikit-learn's histogram boosting as a few long arrays, in place of three small ones for each tree."""

from __future__ import annotations

import copy
import functools
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mlpipeline import errors

_PARTS = ("nodes", "binned_left_cat_bitsets", "raw_left_cat_bitsets")
_ROUNDS = "rounds"


def without(estimator: Any) -> tuple[Any, dict[str, np.ndarray] | None]:
    """Takes the trees out of a fitted estimator, or of the last step of a pipeline.

    Returns:
        a copy without them, and their arrays; the estimator itself, and None, where it has no such trees.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.pipeline import Pipeline

    if type(estimator) is Pipeline and estimator.steps:
        name, last = estimator.steps[-1]
        bare, arrays = without(last)
        if arrays is None:
            return estimator, None
        found = copy.copy(estimator)
        found.steps = [*estimator.steps[:-1], (name, bare)]
        return found, arrays
    if type(estimator) not in (HistGradientBoostingClassifier, HistGradientBoostingRegressor):
        return estimator, None
    arrays = _joined(estimator._predictors)
    found = copy.copy(estimator)
    found._predictors = []
    if found._preprocessor is not None:
        found._preprocessor = copy.deepcopy(found._preprocessor)
        _set_check(found._preprocessor, None)
    return found, arrays


def write(arrays: dict[str, np.ndarray], file: Path) -> None:
    """Writes the arrays of trees."""
    with file.open("wb") as out:
        np.savez(out, **arrays)  # type: ignore[arg-type, unused-ignore]


def put_back(estimator: Any, file: Path) -> None:
    """Gives an estimator the trees that were written.

    Raises:
        DataFault: the file is damaged, or of a release of scikit-learn whose trees are others.
    """
    from sklearn.ensemble._hist_gradient_boosting.common import X_DTYPE
    from sklearn.pipeline import Pipeline
    from sklearn.utils import check_array

    while type(estimator) is Pipeline:
        estimator = estimator.steps[-1][1]
    try:
        # NumPy leaves a damaged file open that it has opened itself.
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as found:
            estimator._predictors = _divided({name: found[name] for name in found.files})
        if estimator._preprocessor is not None:
            _set_check(
                estimator._preprocessor, functools.partial(check_array, dtype=[X_DTYPE], ensure_all_finite=False)
            )
    except (zipfile.BadZipFile, KeyError, EOFError, ValueError) as error:
        raise errors.DataFault(f"{file} is damaged: {error}") from error


def _set_check(preprocessor: Any, check: Callable[..., Any] | None) -> None:
    """Sets what checks columns of numbers beside categorical ones: a function, and no file may hold one."""
    for _, part, _ in (*preprocessor.transformers, *preprocessor.transformers_):
        if hasattr(part, "func"):
            part.func = check


def _joined(rounds: list[list[Any]]) -> dict[str, np.ndarray]:
    trees = [tree for each in rounds for tree in each]
    arrays = {_ROUNDS: np.array([len(each) for each in rounds], dtype=np.int64)}
    for part in _PARTS:
        values = [getattr(tree, part) for tree in trees]
        arrays[part] = np.concatenate(values, dtype=values[0].dtype)  # told, it need not be found out for each
        arrays[f"{part}_rows"] = np.array([len(each) for each in values], dtype=np.int64)
    return arrays


def _divided(arrays: dict[str, np.ndarray]) -> list[list[Any]]:
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    if arrays["nodes"].dtype != PREDICTOR_RECORD_DTYPE:
        raise ValueError("its trees are those of another release of scikit-learn: install that one, or fit again")
    parts = [_cut(arrays[part], arrays[f"{part}_rows"]) for part in _PARTS]
    trees = [TreePredictor(*each) for each in zip(*parts, strict=True)]
    return _cut(trees, arrays[_ROUNDS])


def _cut(values: Any, lengths: np.ndarray) -> list[Any]:
    """Returns pieces of these lengths, which have to be all that there is."""
    ends = np.append(0, np.cumsum(lengths))
    if (lengths < 0).any() or ends[-1] != len(values):
        raise ValueError(f"{len(values)} values, and {ends[-1]} are told of")
    return [values[start:end] for start, end in pairwise(ends.tolist())]
