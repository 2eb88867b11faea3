"""What all estimators share: fit, predict, score, by scikit-learn's rules."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.config_text import near_miss
from mlpipeline.context import RunContext
from mlpipeline.data.encoding import Encoding, Observations
from mlpipeline.data.parameters import Parameterized, signature
from mlpipeline.learning import scores
from mlpipeline.learning.hooks import hooked
from mlpipeline.learning.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """All that an estimator is fitted with.

    Attributes:
        train: what to learn from: observations whose `y` is as `target.learnable` gives it; or a Stream of such
            observations, which can be walked over again and again, and whose `len` is the number of rows.
        validation: what to select by, in the same form; None where there is nothing.
        sample_weight: of shape (rows,); None where all rows count alike, and for streams.
        target: what is predicted.
        encoding: the encoders that made the features: a network is built from them. None where features were made
            otherwise.
        run: progress, metrics, checkpoints, and the wish to end, go through it; detached outside the queue.
    """

    train: Any
    validation: Any
    sample_weight: np.ndarray | None
    target: Target
    encoding: Encoding | None
    run: RunContext

    @property
    def is_streamed(self) -> bool:
        """Whether rows come in batches."""
        return not isinstance(self.train, Observations)


class Estimator(Parameterized):
    """Learns to predict a target from features.

    A kind stores its parameters in the constructor, and defines `_fit`, `_predict`, `_save` and `_load`, and
    `_predict_proba` where it can tell classes apart. Whatever is learnt has a name that ends in an underscore.
    What is predicted, `kind`, is told by the target where the parameter is None: see `Target.of`.
    `before_fit`, `after_fit(…, result)` and so on, where a subclass defines them, are called around `fit`, `predict`,
    `predict_proba`, `evaluate` and `score`.

    Attributes:
        accepts_batches: whether it can be fitted on a stream, in memory that does not grow with the rows.
        is_resumable: whether an interrupted fit goes on from its checkpoint.
    """

    accepts_batches: ClassVar[bool] = False
    is_resumable: ClassVar[bool] = False

    __signature__: ClassVar[inspect.Signature]
    kind: str | None = None
    target_: Target

    def __new__(cls, *positional: Any, **named: Any) -> Self:
        """Refuses a parameter that there is not, with the nearest name; Python itself would not name it."""
        for name in named:
            if name not in signature(cls):
                near = near_miss(name, signature(cls))
                raise errors.ParameterError(
                    f"{cls.__name__} has no parameter '{name}'.{near} It has {', '.join(sorted(signature(cls)))}"
                )
        return super().__new__(cls)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # Else tools would show the parameters of __new__, which takes any.
        own = inspect.signature(cls.__init__)
        cls.__signature__ = own.replace(parameters=list(own.parameters.values())[1:])

    @property
    def rounds(self) -> int:
        """How many steps a fit takes: epochs of a network, trees of boosting, 1 where it is done in one go."""
        return 1

    @hooked
    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        validation: Any = None,
        sample_weight: Any = None,
        encoding: Encoding | None = None,
        run: RunContext | None = None,
    ) -> Self:
        """Learns anew; nothing of an earlier fit remains.

        Args:
            x: features, a frame of shape (rows, features), or an array; or a Stream of observations, which has the
                target too.
            y: the target: codes of shape (rows,), or (rows, classes) with a 1 for each row's class.
            validation: what to select by: observations, a pair (x, y), or a Stream; an estimator that stops early
                does so by these.
            sample_weight: of shape (rows,), 0 or more; not with a Stream.
            encoding: the encoders that made the features.
            run: where progress and metrics go, and checkpoints lie.

        Raises:
            DataFault: (a ValueError) the target is missing, or not as `Target.of` wants it; numbers of rows differ.
            ParameterError: (a ValueError) a parameter has a value that cannot be used.
        """
        from mlpipeline.learning import intake

        training = intake.training(self, x, y, validation, sample_weight, encoding, run or RunContext.detached())
        self._check()
        for name in [each for each in vars(self) if each.endswith("_") and not each.startswith("_")]:
            delattr(self, name)
        self.target_ = training.target
        self._remember(training)
        self._fit(training)
        return self

    @hooked
    def predict(self, x: Any) -> np.ndarray:
        """Returns the prediction for each row: numbers, or codes of classes as the target had them.

        Returns:
            shape (rows,), or (rows, classes) where the target came so.
        """
        frame = self._checked(x)
        return self.target_.codes(self._predict(frame))

    @hooked
    def predict_proba(self, x: Any) -> np.ndarray:
        """Returns the probability of each class of `target_.classes`, of shape (rows, classes).

        Raises:
            DataFault: numbers are predicted, or the estimator has no probabilities.
        """
        frame = self._checked(x)
        if self.target_.is_regression:
            raise errors.DataFault(f"{self!r} predicts numbers: only classes have probabilities")
        return self._predict_proba(frame)

    @hooked
    def evaluate(self, x: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """Returns all scores of the kind of target by name: see `scores`."""
        from mlpipeline.learning import intake

        frame, target = self._checked(x), self.target_
        truth = target.learnable(y)
        weight = intake.weights(sample_weight, len(frame))
        if target.is_regression:
            return scores.evaluate(target, truth, self._predict(frame), None, weight)
        proba = self._predict_proba(frame) if self.has_proba else None
        predicted = self._predict(frame) if proba is None else proba.argmax(axis=1)
        return scores.evaluate(target, truth, predicted, proba, weight)

    @hooked
    def score(self, x: Any, y: Any, sample_weight: Any = None) -> float:
        """Returns R^2 for numbers, accuracy for classes: greater is better, as everywhere in scikit-learn."""
        found = self.evaluate(x, y, sample_weight)
        return found["r2" if self.target_.is_regression else "accuracy"]

    @property
    def has_proba(self) -> bool:
        """Whether probabilities of classes can be had."""
        return type(self)._predict_proba is not Estimator._predict_proba

    @property
    def classes_(self) -> np.ndarray:
        """The codes of the classes, in the order of the columns of `predict_proba`."""
        return self._fitted().classes

    def save(self, directory: Path) -> dict[str, Any]:
        """Writes what was learnt into a directory, in files of the library's own format; no pickle.

        Returns:
            all else that `load` needs, as JSON can hold it.
        """
        target = self._fitted()
        return {
            "target": target.state(),
            "features": list(getattr(self, "feature_names_in_", ())),
            "learnt": self._save(directory),
        }

    def load(self, directory: Path, state: dict[str, Any]) -> Self:
        """Takes over what `save` wrote; parameters are those of this estimator."""
        self.target_ = Target.from_state(state["target"])
        self.n_features_in_ = len(state["features"])
        self.feature_names_in_ = np.array(state["features"], dtype=object)
        self._load(directory, state["learnt"])
        return self

    def _store(self, given: dict[str, Any]) -> None:
        """Stores the arguments of a constructor under their names, where they are many: `self._store(locals())`."""
        for name, value in given.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    def _check(self) -> None:
        """Refuses parameters that cannot be used; constructors only store them."""

    def _fit(self, training: Training) -> None:
        """Learns."""
        raise TypeError(f"{type(self).__name__} has no _fit(self, training): define it")

    def _predict(self, x: pd.DataFrame) -> np.ndarray:
        """Returns numbers, float64, or positions of classes, int64, of shape (rows,)."""
        return np.asarray(self._predict_proba(x).argmax(axis=1))

    def _predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        """Returns probabilities, float64, of shape (rows, classes), also where there are two."""
        raise errors.DataFault(f"{self!r} has no probabilities of classes: call predict")

    def _save(self, directory: Path) -> dict[str, Any]:
        """Writes what was learnt, and returns the rest as JSON can hold it."""
        raise TypeError(f"{type(self).__name__} has no _save(self, directory): define it")

    def _load(self, directory: Path, learnt: dict[str, Any]) -> None:
        """Reads what `_save` wrote."""
        raise TypeError(f"{type(self).__name__} has no _load(self, directory, learnt): define it")

    def _fitted(self) -> Target:
        if "target_" not in vars(self):
            raise errors.NotFitted(f"{self!r} has learnt nothing yet: call fit first")
        return self.target_

    def _remember(self, training: Training) -> None:
        first = training.train if isinstance(training.train, Observations) else next(iter(training.train))
        self.n_features_in_ = first.x.shape[1]
        self.feature_names_in_ = np.array([str(name) for name in first.x.columns], dtype=object)

    def _checked(self, x: Any) -> pd.DataFrame:
        from mlpipeline.learning import intake

        self._fitted()
        return intake.features(self, x)
