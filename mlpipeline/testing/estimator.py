"""What every estimator must do: inherit from it in a test, and give an estimator."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
from mlpipeline.context import ExecutionModeKeys
from mlpipeline.data.parameters import signature
from mlpipeline.learning.estimator import Estimator
from mlpipeline.learning.estimators.naive import Naive
from mlpipeline.testing.estimator_refusals import EstimatorRefusals
from mlpipeline.testing.estimator_tables import CutShort, Recorded, Table, table
from mlpipeline.testing.estimator_trial import outputs


class EstimatorContract(EstimatorRefusals):
    """Inherit from it, and define the fixture `estimator`; pytest runs the rest.

    It is fitted some dozen times on 160 rows: give one that is quick, of few rounds, and that learns these tables in
    them; one that is drawn anew in each fit wants a seed. What the kind promises, its attributes say: see
    `EstimatorTrial`.
    """

    def test_the_constructor_only_stores_its_parameters(self, estimator: Estimator) -> None:
        params = estimator.get_params(deep=False)
        again = type(estimator)(**params)
        assert vars(again).keys() == params.keys() == signature(type(estimator)).keys()
        assert all(again.get_params(deep=False)[name] is value for name, value in params.items())
        assert repr(again) == repr(estimator)
        assert again.set_params(**params) is again

    def test_scikit_learn_clones_it(self, estimator: Estimator, any_table: Table) -> None:
        from sklearn.base import clone

        again = clone(self.fit(estimator, any_table))
        assert repr(again) == repr(estimator)
        with pytest.raises(errors.NotFitted):
            again.predict(any_table.x)

    def test_it_predicts_in_the_form_of_the_target(self, estimator: Estimator, table: Table) -> None:
        assert self.fit(estimator, table) is estimator
        predicted = estimator.predict(table.x)
        assert isinstance(predicted, np.ndarray)
        assert predicted.shape == table.y.shape
        assert estimator.n_features_in_ == table.x.shape[1]
        assert list(estimator.feature_names_in_) == list(table.x.columns)
        assert estimator.predict(table.x.iloc[:1]).shape == (1, *table.y.shape[1:])
        if table.kind == "regression":
            assert predicted.dtype == np.float64
            assert np.isfinite(predicted).all()
            return
        assert set(np.unique(predicted)) <= set(np.unique(table.y))
        assert predicted.dtype == table.y.dtype

    def test_it_tells_how_probable_each_class_is(self, estimator: Estimator, table: Table) -> None:
        self.fit(estimator, table)
        if table.kind == "regression" or not estimator.has_proba:
            with pytest.raises(errors.DataFault):
                estimator.predict_proba(table.x)
            return
        proba = estimator.predict_proba(table.x)
        assert proba.shape == (len(table.x), len(estimator.classes_))
        assert proba.dtype == np.float64
        assert (proba >= 0).all()
        np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-7)
        likeliest = estimator.classes_[proba.argmax(axis=1)]
        predicted = estimator.predict(table.x)
        np.testing.assert_array_equal(predicted.argmax(axis=1) if predicted.ndim == 2 else predicted, likeliest)

    def test_it_is_better_than_the_yardstick(self, estimator: Estimator, table: Table) -> None:
        if not self.reads_features:
            pytest.skip("it is no better than the yardstick")
        self.fit(estimator, table)
        naive = Naive(kind=estimator.kind).fit(table.x, table.y)
        ours = estimator.score(*table.validation)
        assert ours > naive.score(*table.validation) + 0.1
        assert set(estimator.evaluate(*table.validation)) >= {"r2" if table.kind == "regression" else "accuracy"}

    def test_fitting_twice_is_fitting_once(self, estimator: Estimator, table: Table) -> None:
        once = outputs(self.fit(estimator, table), table.x)
        other = Table(kind=table.kind, x=table.x[["first", "second"]], y=table.y[::-1], validation=table.validation)
        self.fit(estimator, other)
        self.same(outputs(self.fit(estimator, table), table.x), once)
        self.same(outputs(self.fit(self.fresh(estimator), table), table.x), once)

    def test_what_it_is_given_stays_as_it_was(self, estimator: Estimator, any_table: Table) -> None:
        x, y = any_table.x.copy(deep=True), any_table.y.copy()
        self.fit(estimator, any_table, validation=any_table.validation).predict(any_table.x)
        pd.testing.assert_frame_equal(any_table.x, x)
        np.testing.assert_array_equal(any_table.y, y)

    def test_the_order_of_columns_and_other_columns_change_nothing(
        self, estimator: Estimator, any_table: Table
    ) -> None:
        x = any_table.x
        once = outputs(self.fit(estimator, any_table), x)
        other = x[list(reversed(x.columns))].assign(a_column_that_nobody_declared=1.0)
        for ours, expected in zip(outputs(estimator, other), once, strict=True):
            np.testing.assert_array_equal(ours, expected)
        validation = (any_table.validation[0][list(reversed(x.columns))], any_table.validation[1])
        straight = outputs(self.fit(self.fresh(estimator), any_table, validation=any_table.validation), x)
        self.same(outputs(self.fit(self.fresh(estimator), any_table, validation=validation), x), straight)

    def test_what_is_saved_and_loaded_elsewhere_predicts_the_same(self, estimator: Estimator, tmp_path: Path) -> None:
        jobs, expected = [], []
        for kind in self.kinds:
            rows, directory = table(kind), tmp_path / kind
            directory.mkdir()
            fitted = self.fit(self.fresh(estimator), rows)
            state = json.loads(json.dumps(fitted.save(directory), allow_nan=False))
            jobs.append((self.fresh(estimator), directory, state, rows.x))
            expected.append(outputs(fitted, rows.x))
            here = self.fresh(estimator).load(directory, state)
            assert repr(here.target_) == repr(fitted.target_)
            self.same(outputs(here, rows.x), expected[-1])
        # A process of its own, which has imported nothing and learnt nothing.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            for found, wanted in zip(pool.map(_loaded, jobs), expected, strict=True):
                self.same(found, wanted)

    def test_nothing_that_is_saved_is_a_pickle(self, estimator: Estimator, any_table: Table, tmp_path: Path) -> None:
        self.fit(estimator, any_table).save(tmp_path)
        for file in (each for each in tmp_path.rglob("*") if each.is_file()):
            assert file.suffix not in (".pickle", ".pkl", ".joblib")
            assert file.read_bytes()[:1] != b"\x80", f"{file.name} begins as a pickle does"

    def test_sample_weights_count(self, estimator: Estimator, any_table: Table) -> None:
        weight = np.ones(len(any_table.x))
        if not self.takes_weights:
            with pytest.raises(errors.DataFault, match="weight"):
                self.fit(estimator, any_table, sample_weight=weight)
            return
        evenly = outputs(self.fit(estimator, any_table), any_table.x)[0]
        alike = outputs(self.fit(estimator, any_table, sample_weight=weight), any_table.x)[0]
        # Sums of weights are rounded otherwise than counts, and a tie may fall to the other side.
        assert np.isclose(alike, evenly, rtol=self.tolerance, atol=self.tolerance).mean() > 0.95
        weight[: len(weight) // 2] = 50.0
        heavily = outputs(self.fit(estimator, any_table, sample_weight=weight), any_table.x)[0]
        assert not np.array_equal(heavily, evenly)
        for wrong in (weight[1:], -weight, weight * 0, weight * np.nan):
            with pytest.raises(errors.DataFault, match="sample_weight"):
                self.fit(estimator, any_table, sample_weight=wrong)

    def test_a_weight_is_a_number_of_rows(self, estimator: Estimator, any_table: Table) -> None:
        if not self.counts_weights:
            pytest.skip("it does not promise that")
        x, y = any_table.x, any_table.y
        counts = np.random.default_rng(0).integers(0, 3, len(x))
        repeated = Table(kind=any_table.kind, x=x.loc[x.index.repeat(counts)], y=y.repeat(counts), validation=(x, y))
        weighted = self.fit(self.fresh(estimator), any_table, sample_weight=counts).predict(x[counts > 0])
        expected = self.fit(estimator, repeated).predict(x[counts > 0])
        np.testing.assert_allclose(weighted, expected, rtol=self.tolerance * 10, atol=self.tolerance * 10)

    def test_the_best_by_the_validation_split_is_kept(self, estimator: Estimator, any_table: Table) -> None:
        if not self.selects:
            pytest.skip("it does not stop early")
        x, y = any_table.x, any_table.y
        ended = Recorded()
        turned = Table(kind=any_table.kind, x=x, y=any_table.contrary, validation=(x, y))
        self.fit(estimator, turned, validation=(x, y), run=ended)
        names = {name for values in ended.found for name in values}
        assert any(name.startswith("train_") for name in names)
        selecting = next(name for name in sorted(names, reverse=True) if name.startswith("validation_"))
        told = [values[selecting] for values in ended.found if selecting in values]
        assert len(told) < estimator.rounds, "it learnt the contrary to its last round"
        metric = selecting.removeprefix("validation_")
        kept = estimator.evaluate(x, y).get(metric)
        if kept is not None:
            np.testing.assert_allclose(kept, min(told), rtol=1e-4)

    def test_no_rows_to_select_by_are_as_none(self, estimator: Estimator, any_table: Table) -> None:
        x, y = any_table.x, any_table.y
        once = outputs(self.fit(estimator, any_table), x)
        nothing = (x.iloc[:0], y[:0])
        self.same(outputs(self.fit(self.fresh(estimator), any_table, validation=nothing), x), once)

    def test_an_interrupted_fit_goes_on(self, estimator: Estimator, table: Table, tmp_path: Path) -> None:
        if not estimator.is_resumable:
            pytest.skip("it is not resumable")
        straight = outputs(self.fit(self.fresh(estimator), table, validation=table.validation), table.x)
        done = max(1, estimator.rounds // 2)
        self.fit(self.fresh(estimator), table, validation=table.validation, run=CutShort(tmp_path, done))
        rest = CutShort(tmp_path)
        assert rest.checkpoint_step == done
        resumed = outputs(self.fit(self.fresh(estimator), table, validation=table.validation, run=rest), table.x)
        assert rest.step > done
        if self.resumes == "exact":
            self.identical(resumed, straight)
        else:
            np.testing.assert_allclose(resumed[-1], straight[-1], atol=self.closeness)

    def test_in_test_mode_a_fit_is_one_step(self, estimator: Estimator, any_table: Table) -> None:
        run = Recorded(mode=ExecutionModeKeys.TEST)
        self.fit(estimator, any_table, validation=any_table.validation, run=run)
        assert run.step <= 1
        assert len(estimator.predict(any_table.x)) == len(any_table.x)

    def test_a_stream_is_learnt_from_like_a_table(self, estimator: Estimator, table: Table) -> None:
        if not estimator.accepts_batches:
            with pytest.raises(errors.DataFault, match="stream"):
                estimator.fit(table.stream())
            return
        estimator.fit(table.stream(), validation=table.stream(70))
        assert list(estimator.feature_names_in_) == list(table.x.columns)
        assert estimator.predict(table.x).shape == table.y.shape
        naive = Naive(kind=estimator.kind).fit(table.x, table.y)
        if self.reads_features:
            assert estimator.score(*table.validation) > naive.score(*table.validation)


def _loaded(job: tuple[Estimator, Path, dict[str, Any], pd.DataFrame]) -> list[np.ndarray]:
    estimator, directory, state, x = job
    return outputs(estimator.load(directory, state), x)
