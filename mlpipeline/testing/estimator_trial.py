"""What the tests of estimators share: what a kind promises, how it is fitted, and how predictions are compared."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from mlpipeline.learning.estimator import Estimator
from mlpipeline.testing.estimator_tables import Table, table


class EstimatorTrial:
    """A kind of estimator that is tried.

    Attributes:
        kinds: what it can predict.
        is_deterministic: whether two fits on the same rows give the same predictions, to the last bit.
        reads_features: whether predictions depend on features at all.
        takes_weights: whether it takes sample weights.
        counts_weights: whether it promises that a row of weight 2 is the row twice, and one of weight 0 is none.
        selects: whether it stops early, and keeps what was best by the validation split.
        resumes: "exact" or "close": what an interrupted fit is beside one that was not; for kinds that are resumable.
        takes_missing: whether features may be missing.
        tolerance: how far apart predictions may lie that are the same but for the order of sums.
        closeness: how far apart those of fits may lie that are not interrupted alike, where `resumes` says close.
    """

    kinds: ClassVar[tuple[str, ...]] = ("regression", "binary", "multiclass", "one_hot")
    is_deterministic: ClassVar[bool] = True
    reads_features: ClassVar[bool] = True
    takes_weights: ClassVar[bool] = True
    counts_weights: ClassVar[bool] = False
    selects: ClassVar[bool] = False
    resumes: ClassVar[str] = "exact"
    takes_missing: ClassVar[bool] = False
    tolerance: ClassVar[float] = 1e-5
    closeness: ClassVar[float] = 0.2

    @pytest.fixture
    def estimator(self) -> Estimator:
        """A fresh estimator, not fitted, which learns any of `kinds`."""
        raise TypeError(f"{type(self).__name__} has no fixture `estimator`: define it")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Tries each kind of target that it can predict."""
        if "table" in metafunc.fixturenames:
            metafunc.parametrize("table", self.kinds, indirect=True)

    @pytest.fixture
    def table(self, request: pytest.FixtureRequest) -> Table:
        """Rows of a kind of target."""
        return table(request.param)

    @pytest.fixture
    def any_table(self) -> Table:
        """Rows of the first kind that it can predict."""
        return table(self.kinds[0])

    def fit(self, estimator: Estimator, rows: Table, **more: Any) -> Estimator:
        """Fits; override it where an estimator needs more than rows."""
        return estimator.fit(rows.x, rows.y, **more)

    def fresh(self, estimator: Estimator) -> Estimator:
        """Returns an unfitted estimator with the same parameters."""
        if not any(hasattr(value, "get_params") for value in estimator.get_params(deep=False).values()):
            return type(estimator)(**estimator.get_params(deep=False))
        from sklearn.base import clone

        found: Estimator = clone(estimator)
        return found

    def same(self, ours: list[np.ndarray], expected: list[np.ndarray]) -> None:
        """Compares what two fits on the same rows predict."""
        if self.is_deterministic:
            self.identical(ours, expected)
            return
        for one, other in zip(ours, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=self.tolerance, atol=self.tolerance)

    def identical(self, ours: list[np.ndarray], expected: list[np.ndarray]) -> None:
        """Compares to the last bit."""
        for one, other in zip(ours, expected, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


def outputs(estimator: Estimator, x: pd.DataFrame) -> list[np.ndarray]:
    """Returns predictions, and probabilities where there are some."""
    found = [estimator.predict(x)]
    if not estimator.target_.is_regression and estimator.has_proba:
        found.append(estimator.predict_proba(x))
    return found
