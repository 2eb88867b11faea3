"""What every estimator must refuse, and how."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlpipeline import errors
from mlpipeline.data.parameters import signature
from mlpipeline.learning.estimator import Estimator
from mlpipeline.testing.estimator_tables import Table
from mlpipeline.testing.estimator_trial import EstimatorTrial


class EstimatorRefusals(EstimatorTrial):
    """Tests of what no estimator can use."""

    def test_an_unknown_parameter_is_refused_with_the_nearest_one(self, estimator: Estimator) -> None:
        known = next(iter(signature(type(estimator))))
        for wrong in (f"{known}s", f"{known}_"):
            with pytest.raises(errors.ParameterError, match=f"'{known}'"):
                estimator.set_params(**{wrong: 1})
            with pytest.raises(errors.ParameterError, match=f"'{known}'"):
                type(estimator)(**{wrong: 1})

    def test_it_says_so_when_nothing_was_learnt(self, estimator: Estimator, any_table: Table, tmp_path: Path) -> None:
        for ask in (estimator.predict, estimator.predict_proba, lambda x: estimator.score(x, any_table.y)):
            with pytest.raises(errors.NotFitted):
                ask(any_table.x)
        with pytest.raises(errors.NotFitted):
            estimator.save(tmp_path)

    def test_a_missing_feature_is_named(self, estimator: Estimator, any_table: Table) -> None:
        self.fit(estimator, any_table)
        with pytest.raises(errors.DataFault, match="'second'"):
            estimator.predict(any_table.x.drop(columns="second"))
        with pytest.raises(errors.DataFault, match="2 features"):
            estimator.predict(any_table.x.to_numpy()[:, :2])

    def test_a_target_that_cannot_be_learnt_is_refused(self, estimator: Estimator, any_table: Table) -> None:
        x, y = any_table.x, any_table.y.astype(np.float64)
        holed = np.where(np.arange(len(y)) == 3, np.nan, y)
        for wrong in (holed, np.where(np.arange(len(y)) == 3, np.inf, y), y[:0], y[1:], None):
            with pytest.raises(errors.DataFault):
                self.fit(estimator, Table(kind="", x=x, y=wrong, validation=(x, y)))  # type: ignore[arg-type]
        if "binary" in self.kinds:
            with pytest.raises(errors.DataFault, match="one class only"):
                self.fit(estimator, Table(kind="", x=x, y=np.ones(len(y), int), validation=(x, y)))

    def test_features_that_cannot_be_learnt_from_are_named(self, estimator: Estimator, any_table: Table) -> None:
        if not self.reads_features:
            pytest.skip("it does not look at them")
        x, y = any_table.x, any_table.y
        wrong = {"infinite": x["second"].where(x.index != 3, np.inf)}
        if not self.takes_missing:
            wrong["missing"] = x["second"].where(x.index != 3)
        for values in wrong.values():
            with pytest.raises(errors.DataFault, match="second"):
                self.fit(estimator, Table(kind="", x=x.assign(second=values), y=y, validation=(x, y)))
        with pytest.raises(errors.DataFault, match="second"):
            self.fit(estimator, Table(kind="", x=x.assign(second="text"), y=y, validation=(x, y)))
        if self.takes_missing:
            holed = x.assign(second=x["second"].where(x.index % 7 != 3))
            predicted = self.fit(estimator, Table(kind="", x=holed, y=y, validation=(x, y))).predict(holed)
            assert len(predicted) == len(y)
