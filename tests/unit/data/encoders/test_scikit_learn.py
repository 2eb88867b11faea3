"""Encoders are transformers of scikit-learn: its own checker says so, and its tools take them."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
from mlpipeline.data.encoder import Encoder
from mlpipeline.data.encoders import (
    Boolean,
    Discrete,
    Enum,
    Equals,
    Norm,
    OneHot,
    Pass,
    Quantile,
    Token,
    Uniform,
    Unique,
)
from tests.unit.data.encoders.cases import CASES, rows
from tests.unit.data.encoders.standin import Logarithm

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")

CHECKED: list[Callable[[], Encoder]] = [
    lambda: Pass(0),
    lambda: Uniform(0),
    lambda: Norm(0),
    lambda: Discrete(0),
    lambda: Discrete(0, edges="equal_width"),
    lambda: Enum(0),
    lambda: Quantile(0),
    lambda: Boolean(0),
    lambda: Equals(0, 0),
    lambda: Unique(0),
    lambda: OneHot(0),
    lambda: Token(0),
]
OTHERWISE = {
    "check_fit1d": "a column is what an encoder takes: one dimension will do",
    "check_dtype_object": "the column, the row and what to do are said in a ValueError, not a TypeError",
}

FRACTIONS = {"check_positive_only_tag_during_fit": "the column that is read holds fractions there, and nothing below 0"}


@pytest.mark.parametrize("make", CHECKED, ids=lambda make: repr(make()))
def test_scikit_learns_own_checker_passes(make: Callable[[], Encoder]) -> None:
    from sklearn.utils.estimator_checks import check_estimator

    with warnings.catch_warnings():
        # Nothing of it is inherited, so that scikit-learn can be absent.
        warnings.filterwarnings("ignore", message=".*does not inherit from")
        otherwise = OTHERWISE | (FRACTIONS if isinstance(make(), Enum) else {})
        found = check_estimator(make(), expected_failed_checks=otherwise, on_skip=None, on_fail="raise")
    done = {each["check_name"]: each["status"] for each in found}
    assert sum(status == "passed" for status in done.values()) > 25
    assert {name for name, status in done.items() if status == "xfail"} <= set(otherwise)


@pytest.mark.parametrize("name", CASES)
def test_a_clone_is_like_it_and_has_learnt_nothing(name: str) -> None:
    from sklearn.base import clone

    encoder = CASES[name]().fit(rows())
    twin = clone(encoder)
    assert repr(twin) == repr(encoder)
    assert vars(twin).keys() == twin.get_params(deep=False).keys()
    np.testing.assert_array_equal(twin.fit(rows()).transform(rows()), encoder.transform(rows()))


@pytest.mark.parametrize("name", CASES)
def test_copies_give_the_same_codes(name: str) -> None:
    encoder = CASES[name]().fit(rows())
    for twin in (copy.deepcopy(encoder), pickle.loads(pickle.dumps(encoder))):
        np.testing.assert_array_equal(twin.transform(rows()), encoder.transform(rows()))


def test_a_column_transformer_takes_encoders_by_name_column_and_position() -> None:
    from sklearn.compose import ColumnTransformer

    frame = rows()
    whole = ColumnTransformer(
        [
            ("norm", Norm(Logarithm("count")), ["count"]),
            ("column", Unique("word"), "word"),
            ("hot", OneHot("word"), ["word"]),
            ("equals", Equals("word", "word_twin"), ["word_twin", "word"]),
        ],
        verbose_feature_names_out=False,
    )
    codes = whole.fit_transform(frame)
    names = [
        "norm_count_logarithm",
        "unique_word",
        "word_",
        "word_a",
        "word_b",
        "word_c",
        "word_Ä",
        "equals_word_and_word_twin",
    ]
    assert list(whole.get_feature_names_out()) == names
    np.testing.assert_array_equal(codes[:, 1], Unique("word").fit_transform(frame)[:, 0])
    framed = whole.set_output(transform="pandas").fit_transform(frame)
    assert list(framed.columns) == names
    assert framed.index.equals(frame.index)
    numbers = np.array([[1.0, 10], [2, 30]])
    placed = ColumnTransformer([("a", Norm(0), [1]), ("b", Pass(0), [0])]).fit_transform(numbers)
    np.testing.assert_allclose(placed, [[-1, 1], [1, 2]])


def test_parts_of_a_pipeline_are_tuned_by_their_parameters() -> None:
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.tree import DecisionTreeClassifier

    frame = pd.DataFrame({"x": np.arange(60.0)})
    labels = (frame["x"] // 10 % 2).to_numpy()
    search = GridSearchCV(
        make_pipeline(Discrete("x", edges="equal_width"), DecisionTreeClassifier(random_state=0)),
        {"discrete__bins": [1, 12]},
        cv=3,
    )
    from sklearn.model_selection import KFold

    search.cv = KFold(3, shuffle=True, random_state=0)
    assert search.fit(frame, labels).best_params_ == {"discrete__bins": 12}


def test_names_are_checked_against_what_was_fitted() -> None:
    encoder = Norm("x").fit(pd.DataFrame({"x": [1.0, 2.0]}))
    assert encoder.get_feature_names_out(["x"]).tolist() == ["norm_x"]
    for wrong in (["y"], ["x", "y"]):
        with pytest.raises(errors.DataFault, match="input_features"):
            encoder.get_feature_names_out(wrong)


def test_an_output_that_is_none_is_refused() -> None:
    with pytest.raises(errors.ParameterError, match="'default' or 'pandas'"):
        Norm("x").set_output(transform="polars")
