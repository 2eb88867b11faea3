"""Parameters by address: found, checked, set on copies."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mlpipeline.data.parameters import signature
from mlpipeline.errors import DataFault, ParameterError
from mlpipeline.learning import addresses
from mlpipeline.learning.estimator import Estimator
from mlpipeline.learning.estimators import Naive

from .stand_ins import People, Slope


class Inner:
    """A learner of another library, as scikit-learn's are."""

    def __init__(self, depth: int = 3, random_state: int | None = None) -> None:
        self.depth, self.random_state = depth, random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"depth": self.depth, "random_state": self.random_state}

    def set_params(self, **values: Any) -> Inner:
        for name, value in values.items():
            if name not in self.get_params():
                raise ValueError(f"Invalid parameter {name!r}")
            setattr(self, name, value)
        return self

    def fit(self, x: Any, y: Any) -> Inner:
        return self


class Wrapping(Estimator):
    def __init__(self, estimator: Any, *, kind: str | None = None) -> None:
        self.estimator, self.kind = estimator, kind


class Own(People):
    def __init__(self, path: str, limit: int = 5) -> None:
        super().__init__()
        self.path, self.limit = path, limit


def test_changes_are_set_on_copies() -> None:
    dataset, estimator = People(), Slope(name="x")
    changed, fresh = addresses.applied(dataset, estimator, {"estimator__learning_rate": 0.5, "dataset__subsample": 9})
    assert isinstance(fresh, Slope)
    assert (fresh.learning_rate, fresh.name, changed.subsample) == (0.5, "x", 9)
    assert (estimator.learning_rate, dataset.subsample) == (1.0, None)


def test_a_dataset_that_nothing_changes_stays_the_same_and_keeps_its_rows() -> None:
    dataset = People(subsample=9)
    assert addresses.applied(dataset, Slope(), {"dataset__subsample": 9})[0] is dataset


def test_a_changed_dataset_has_neither_the_rows_nor_the_encoders_of_the_former() -> None:
    dataset = People()
    first = dataset.encoding
    changed, _ = addresses.applied(dataset, Slope(), {"dataset__subsample": 100})
    assert sum(changed.row_counts.values()) == 100
    assert changed.encoding is not first
    assert sum(dataset.row_counts.values()) == 400


def test_the_constructor_of_a_dataset_of_ones_own_is_called_with_the_change() -> None:
    changed, _ = addresses.applied(Own("there"), Slope(), {"dataset__limit": 7})
    assert (changed.path, changed.limit) == ("there", 7)
    assert changed._constructed_with == (("there",), {"limit": 7})


def test_epochs_are_the_rounds_whatever_they_are_called() -> None:
    class Trees(Slope):
        def __init__(self, *, n_estimators: int = 100, kind: str | None = None) -> None:
            self.n_estimators, self.kind = n_estimators, kind

    _, fresh = addresses.applied(None, Trees(), {"epochs": 7})
    assert fresh.get_params() == {"n_estimators": 7, "kind": None}
    assert "epochs" in signature(Slope)
    with pytest.raises(ParameterError, match="epochs is -1: it must be 1 or more"):
        addresses.applied(None, Trees(), {"epochs": -1})
    with pytest.raises(ParameterError, match="Naive takes no epochs"):
        addresses.applied(None, Naive(), {"epochs": 7})


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("estimator__learning_rat", "'estimator__learning_rate'"),
        ("learning_rates", "'learning_rate'"),
        ("subsample", "'dataset__subsample'"),
        ("dataset__subsampel", "'dataset__subsample'"),
        ("estimater__epochs", "'estimator__epochs'"),
        ("zzz", "estimator__epochs"),
    ],
)
def test_an_unknown_address_is_an_error_that_names_the_nearest(address: str, near: str) -> None:
    with pytest.raises(ParameterError, match=near):
        addresses.applied(People(), Slope(), {address: 1})


def test_the_parameters_of_a_wrapped_learner_have_addresses() -> None:
    inner = Inner()
    _, fresh = addresses.applied(None, Wrapping(inner), {"estimator__estimator__depth": 9})
    assert isinstance(fresh, Wrapping)
    assert (fresh.estimator.depth, inner.depth) == (9, 3)
    with pytest.raises(ParameterError, match="Did you mean 'estimator__estimator__depth'"):
        addresses.applied(None, Wrapping(inner), {"estimator__estimator__dept": 9})
    with pytest.raises(ParameterError, match="Did you mean 'estimator__estimator__depth'"):
        addresses.applied(None, Wrapping(inner), {"estimator__depth": 9})


def test_a_seed_goes_where_none_is_set() -> None:
    wrapping, own, slope = Wrapping(Inner()), Wrapping(Inner(random_state=1)), Slope()
    for each in (wrapping, own, slope):
        addresses.seeded(each, 2**40 + 5)
    assert (wrapping.estimator.random_state, own.estimator.random_state, slope.random_state) == (5, 1, 5)


@pytest.mark.parametrize(
    ("address", "value", "must"),
    [
        ("estimator__epochs", "20", "int"),
        ("epochs", 2.5, "int"),
        ("epochs", True, "int"),
        ("estimator__learning_rate", "fast", "float"),
        ("estimator__name", 3, "str or None"),
        ("dataset__subsample", "all", "int or None"),
    ],
)
def test_a_value_of_another_type_is_refused(address: str, value: Any, must: str) -> None:
    with pytest.raises(ParameterError, match=f"{address} is {value!r}: it must be {must}"):
        addresses.applied(People(), Slope(), {address: value})


def test_a_whole_number_will_do_for_a_float() -> None:
    _, fresh = addresses.applied(None, Slope(), {"learning_rate": 1, "estimator__name": None})
    assert fresh.get_params()["learning_rate"] == 1


@pytest.mark.parametrize(
    ("dataset", "estimator", "told"),
    [
        (People(), Slope, r"give an instance, Slope\(\)"),
        (People, Slope(), r"give an instance, People\(\)"),
        (People(), Inner(), r"wrap it, SKLearn\(Inner\(\.\.\.\)\)"),
        (People(), "xgboost", "estimator is str: give an Estimator"),
        (pd.DataFrame(), Slope(), "dataset is DataFrame: give a Dataset"),
    ],
)
def test_what_is_no_dataset_or_no_estimator_is_told_apart(dataset: Any, estimator: Any, told: str) -> None:
    with pytest.raises(DataFault, match=told):
        addresses.check_parts(dataset, estimator)
