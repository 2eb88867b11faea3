"""Any estimator or pipeline of scikit-learn, fitted, saved and loaded as the others are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.context import RunContext
from mlpipeline.learning import intake, scores
from mlpipeline.learning.estimator import Estimator, Training
from mlpipeline.learning.estimators import sklearn_files, sklearn_trees, tables

_MODEL = "model.skops"
# Not called as the whole one is: a release that knows of no trees beside it finds nothing, rather than half a model.
_BARE, _TREES = "without_trees.skops", "trees.npz"


class SKLearn(Estimator):
    """A regressor or classifier of scikit-learn, or a pipeline that ends in one.

    Its parameters have addresses: `SKLearn(RandomForestClassifier())` has `sklearn__max_depth`, and in a model
    `estimator__sklearn__max_depth`. A clone of it is fitted; what was learnt is `sklearn_`.

    Probabilities are those of its `predict_proba`. From a `decision_function` none are made, since its values are not
    calibrated: put such a classifier, SVC say, into a CalibratedClassifierCV. Without them, classes are scored by
    accuracy and f1 alone.

    It is saved by skops, which writes no pickle; and loaded by it, which makes nothing but scikit-learn's own objects
    and arrays: see `sklearn_files.TRUSTED`. A function or a class of somebody else in it is an error when it is saved.

    Args:
        sklearn: the estimator; None only where what was saved is to be loaded, which brings it.
        epochs: how often a stream is walked over, where the estimator has `partial_fit`.
        kind: what is predicted, "regression", "binary" or "multiclass"; told by the target by default.
    """

    def __init__(self, sklearn: Any = None, *, epochs: int = 1, kind: str | None = None) -> None:
        self.sklearn = sklearn
        self.epochs = epochs
        self.kind = kind

    @property
    def accepts_batches(self) -> bool:  # type: ignore[override]
        """Whether it learns from a stream."""
        return hasattr(self.sklearn, "partial_fit")

    @property
    def rounds(self) -> int:
        """How often a stream is walked over; a table is learnt in one go."""
        return self.epochs if self.accepts_batches else 1

    @property
    def has_proba(self) -> bool:
        """Whether it tells how probable classes are."""
        return hasattr(vars(self).get("sklearn_", self.sklearn), "predict_proba")

    def _check(self) -> None:
        errors.require("sklearn", extra="sklearn")
        from mlpipeline.learning.estimators.boosting import check_whole

        check_whole(self, "epochs", at_least=1)
        if not hasattr(self.sklearn, "fit") or isinstance(self.sklearn, type):
            told = "None" if self.sklearn is None else repr(self.sklearn)
            raise errors.ParameterError(f"SKLearn: {told} is no estimator of scikit-learn: give e.g. Ridge()")

    def _fit(self, training: Training) -> None:
        from sklearn.base import clone

        self._check_kind(training)
        with _explained(self, training):
            learner = clone(self.sklearn)
            if training.is_streamed:
                self._learn_batches(learner, training)
            else:
                with one_step(training.run):
                    given = self._weights(training)
                    learner.fit(training.train.x, training.train.y, **given)
                self.sklearn_ = learner
        self._tell(training)

    def _check_kind(self, training: Training) -> None:
        from sklearn.base import is_classifier, is_regressor

        fits = is_regressor if training.target.is_regression else is_classifier
        if not fits(self.sklearn):
            wanted = "a regressor" if training.target.is_regression else "a classifier"
            raise errors.DataFault(
                f"the target is {training.target.kind}, and {self.sklearn!r} is not {wanted}: give one, or another kind"
            )

    def _weights(self, training: Training) -> dict[str, Any]:
        if training.sample_weight is None:
            return {}
        from sklearn.pipeline import Pipeline
        from sklearn.utils.validation import has_fit_parameter

        prefix, last = "", self.sklearn
        while isinstance(last, Pipeline):
            name, last = last.steps[-1]
            prefix += f"{name}__"
        if not has_fit_parameter(last, "sample_weight"):
            raise errors.DataFault(f"SKLearn: {last!r} takes no sample weights: leave them out, or take another")
        return {f"{prefix}sample_weight": training.sample_weight}

    def _learn_batches(self, learner: Any, training: Training) -> None:
        target = training.target
        classes = {} if target.is_regression else {"classes": np.arange(len(target.classes))}
        for _ in training.run.steps(range(self.epochs), initial=0):
            for batch in training.train:
                learner.partial_fit(intake.features(self, batch.x), batch.y, **classes)
                if training.run.should_stop:
                    break
        self.sklearn_ = learner

    def _tell(self, training: Training) -> None:
        rows = training.validation
        if rows is None or not hasattr(rows, "x"):
            return
        target, x = training.target, intake.features(self, rows.x)
        proba = self._predict_proba(x) if self.has_proba and not target.is_regression else None
        found = scores.evaluate(target, rows.y, self._predict(x), proba)
        training.run.record({f"validation_{name}": value for name, value in found.items() if np.isfinite(value)})

    def _predict(self, x: pd.DataFrame) -> np.ndarray:
        with _explained(self, x):
            found = np.asarray(self.sklearn_.predict(x)).reshape(len(x))
        return found.astype(np.float64 if self.target_.is_regression else np.int64)

    def _predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        if not self.has_proba:
            raise errors.DataFault(
                f"{self.sklearn_!r} has no predict_proba: put it into a CalibratedClassifierCV for probabilities"
            )
        with _explained(self, x):
            found = np.asarray(self.sklearn_.predict_proba(x))
        if found.dtype != np.float64:  # what adds up to 1 in float32 does not in float64
            found = found.astype(np.float64)
            found /= found.sum(axis=1, keepdims=True)
        # A class of which the training split has no row is none that it has learnt.
        every = np.zeros((len(x), len(self.target_.classes)))
        every[:, np.asarray(self.sklearn_.classes_, dtype=np.int64)] = found
        return every

    def _save(self, directory: Path) -> dict[str, Any]:
        bare, trees = sklearn_trees.without(self.sklearn_)
        if trees is None:
            sklearn_files.save(self.sklearn_, directory / _MODEL)
        else:
            sklearn_files.save(bare, directory / _BARE)
            sklearn_trees.write(trees, directory / _TREES)
        return {}

    def _load(self, directory: Path, learnt: dict[str, Any]) -> None:
        errors.require("sklearn", extra="sklearn")
        from sklearn.base import clone

        if (directory / _TREES).exists():
            self.sklearn_ = sklearn_files.load(directory / _BARE)
            sklearn_trees.put_back(self.sklearn_, directory / _TREES)
        else:
            self.sklearn_ = sklearn_files.load(directory / _MODEL)
        if self.sklearn is None:
            self.sklearn = clone(self.sklearn_)


@contextmanager
def one_step(run: RunContext) -> Iterator[None]:
    """Makes one step of what is done within, for what learns in one go and cannot be ended earlier."""
    steps = run.steps(range(1), initial=0)
    next(steps, None)
    yield
    for _ in steps:
        pass


@contextmanager
def _explained(estimator: SKLearn, given: Any) -> Iterator[None]:
    """Turns errors of scikit-learn into ours; where features are at fault, it names them."""
    from sklearn.utils._param_validation import InvalidParameterError

    try:
        yield
    except errors.MlpipelineError:
        raise
    except InvalidParameterError as error:
        raise errors.ParameterError(f"SKLearn: {error}") from error
    except ValueError as error:
        x = given if isinstance(given, pd.DataFrame) else getattr(given.train, "x", None)
        if x is not None and any(word in str(error) for word in ("NaN", "infinity", "could not convert")):
            tables.check_numbers(estimator, x)
            tables.check_finite(estimator, x, takes_missing="NaN" not in str(error))
        raise errors.DataFault(f"SKLearn: {_shown(estimator.sklearn)} cannot use the data: {error}") from error


def _shown(wrapped: Any) -> str:
    """Returns how scikit-learn writes an estimator, which takes several lines of one within another, on one line."""
    return " ".join(repr(wrapped).split())
