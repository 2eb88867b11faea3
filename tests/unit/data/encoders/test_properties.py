"""What holds of every encoder, whatever is in the column."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlpipeline import errors
from mlpipeline.data.encoder import Encoder
from mlpipeline.data.encoders import (
    Boolean,
    Discrete,
    Enum,
    Equals,
    MiddleOut,
    NestedNorm,
    NestedUnique,
    Norm,
    OneHot,
    Pass,
    Quantile,
    Token,
    Uniform,
    Unique,
)

REAL = st.one_of(st.none(), st.floats(), st.integers(-(10**6), 10**6), st.booleans())
WHOLE = st.one_of(st.none(), st.just(np.nan), st.integers(0, 2**53 - 3), st.integers(0, 50).map(float))
TEXT = st.one_of(st.none(), st.text(max_size=8), st.sampled_from(["a", "b", "a b", "A.", "1", " "]))
ANY = st.one_of(REAL, TEXT, st.datetimes(), st.dates(), st.decimals(allow_nan=False), st.uuids(), st.binary(max_size=3))
LABEL = st.one_of(st.none(), st.sampled_from("abc"), st.integers(0, 3))
NUMERIC: list[Encoder] = [
    Pass("c"),
    Uniform("c"),
    Norm("c"),
    Discrete("c", 7),
    Discrete("c", 7, edges="equal_width"),
    Quantile("c", 4),
    Boolean("c"),
]
VALUES: list[Encoder] = [
    Unique("c"),
    Unique("c", minimum_occurrences=2),
    OneHot("c", missing=True),
    OneHot("c", 2, compressed=True, drop_first=True),
    Token("c"),
    Token("c", sequence_length=2, minimum_occurrences=2),
]
LISTS: list[Encoder] = [NestedUnique("c"), NestedUnique("c", sequence_length=2), MiddleOut("c", 2)]


def columns(values: st.SearchStrategy[Any], least: int = 1) -> st.SearchStrategy[pd.DataFrame]:
    """Returns frames of one column, as pandas types it or as objects."""
    made = st.lists(values, min_size=least, max_size=20)
    return st.builds(
        lambda each, dtype: pd.DataFrame({"c": pd.Series(each, dtype=dtype)}), made, st.sampled_from([None, object])
    )


def held(encoder: Encoder, fitted: pd.DataFrame, unseen: pd.DataFrame) -> None:
    """Checks what must hold after any fit that was not refused."""
    codes = encoder.fit(fitted).transform(fitted)
    state = json.dumps(encoder.state(), allow_nan=False)
    loaded = Encoder.from_state(json.loads(state))
    for frame in (fitted, unseen):
        found = encoder.transform(frame)
        assert found.shape == (len(frame), encoder.width)
        if encoder.is_continuous:
            assert np.isfinite(found).all() or isinstance(encoder, Pass)
        else:
            assert found.min(initial=0) >= 0
            assert found.max(initial=0) < max(2, encoder.cardinality)
        np.testing.assert_array_equal(loaded.transform(frame), found)
        backwards = frame.iloc[::-1]
        np.testing.assert_array_equal(encoder.transform(backwards), found[::-1])
        if len(frame):
            np.testing.assert_array_equal(encoder.transform(frame.iloc[[-1]]), found[[-1]])
        assert len(encoder.inverse_transform(found)) == len(frame)
    assert json.dumps(encoder.fit(fitted).state(), allow_nan=False) == state
    again = encoder.fit(fitted.iloc[::-1]).transform(fitted)
    if not encoder.is_continuous:
        np.testing.assert_array_equal(again, codes)


@given(st.sampled_from(NUMERIC), columns(REAL), columns(REAL, 0))
@example(Discrete("c", 7), pd.DataFrame({"c": [0.0, 1.540879829881985e308]}), pd.DataFrame({"c": [1e-300]}))
@example(Norm("c"), pd.DataFrame({"c": [0.0, 0.0, 0.0, 0.0, 1.7976931128672322e308]}), pd.DataFrame({"c": [1.0]}))
@example(Norm("c"), pd.DataFrame({"c": [-1.7e308, 1.7e308]}), pd.DataFrame({"c": [0.0]}))
@example(Norm("c"), pd.DataFrame({"c": [5e-324, 1e-323]}), pd.DataFrame({"c": [0.0]}))
@settings(max_examples=200)
def test_numbers(encoder: Encoder, fitted: pd.DataFrame, unseen: pd.DataFrame) -> None:
    held(encoder, fitted, unseen)


@given(st.sampled_from(VALUES), columns(ANY), columns(ANY, 0))
@example(Token("c"), pd.DataFrame({"c": [True, 1]}, dtype=object), pd.DataFrame({"c": []}))
@settings(max_examples=150)
def test_values_of_any_types(encoder: Encoder, fitted: pd.DataFrame, unseen: pd.DataFrame) -> None:
    held(encoder, fitted, unseen)


@given(st.sampled_from(VALUES), columns(LABEL), columns(LABEL, 0))
@settings(max_examples=200)
def test_values_that_come_again(encoder: Encoder, fitted: pd.DataFrame, unseen: pd.DataFrame) -> None:
    held(encoder, fitted, unseen)


@given(st.sampled_from([Enum("c")]), columns(WHOLE), columns(REAL, 0))
def test_whole_numbers(encoder: Encoder, fitted: pd.DataFrame, unseen: pd.DataFrame) -> None:
    held(encoder, fitted, unseen)


@given(
    st.sampled_from(LISTS),
    columns(st.one_of(st.none(), st.lists(LABEL, max_size=5))),
    columns(st.one_of(st.none(), st.lists(ANY, max_size=5)), 0),
)
def test_lists(encoder: Encoder, fitted: pd.DataFrame, unseen: pd.DataFrame) -> None:
    held(encoder, fitted, unseen)


@given(*[columns(st.one_of(st.none(), st.lists(REAL, max_size=5)))] * 2)
def test_lists_of_numbers(fitted: pd.DataFrame, unseen: pd.DataFrame) -> None:
    held(NestedNorm("c"), fitted, unseen)


@given(st.sampled_from([*NUMERIC, *VALUES, *LISTS, Enum("c")]), columns(st.one_of(ANY, st.lists(ANY, max_size=3))))
@settings(max_examples=150)
def test_what_cannot_be_learnt_from_is_refused_at_once_and_in_one_way(encoder: Encoder, fitted: pd.DataFrame) -> None:
    try:
        encoder.fit(fitted)
    except errors.DataFault as fault:
        assert "'c'" in str(fault)  # noqa: PT017 - most columns are not refused
    else:
        encoder.transform(fitted)


@given(st.lists(st.tuples(LABEL, LABEL), min_size=1, max_size=10))
def test_equality_is_that_of_python(pairs: list[tuple[Any, Any]]) -> None:
    frame = pd.DataFrame({"a": [one for one, _ in pairs], "b": [other for _, other in pairs]})
    expected = [one is not None and one == other for one, other in pairs]
    assert Equals("a", "b").fit_transform(frame).ravel().tolist() == expected


@given(columns(ANY))
def test_the_inverse_of_unique_gives_back_what_is_not_missing(frame: pd.DataFrame) -> None:
    found = Unique("c").fit(frame).inverse_transform(Unique("c").fit_transform(frame))
    there = frame["c"].notna().to_numpy()
    assert found[there].tolist() == frame["c"][there].tolist()


@given(st.lists(st.integers(0, 30), min_size=2, max_size=20))
def test_the_inverse_gives_back_whole_numbers(values: list[int]) -> None:
    frame = pd.DataFrame({"c": [*values, 0, 30]})
    for encoder in (Enum("c"), Pass("c"), Discrete("c", bins=31), OneHot("c")):
        found = encoder.fit(frame).inverse_transform(encoder.transform(frame))
        np.testing.assert_allclose(found.to_numpy(float), frame["c"], atol=1e-9)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20))
def test_the_inverse_gives_back_numbers_as_far_as_digits_go(values: list[float]) -> None:
    frame = pd.DataFrame({"c": values})
    size = frame["c"].abs().max()
    for encoder in (Uniform("c", dtype="float64"), Norm("c", dtype="float64"), Pass("c")):
        found = encoder.fit(frame).inverse_transform(encoder.transform(frame))
        np.testing.assert_allclose(found / (size or 1), frame["c"] / (size or 1), atol=1e-12)
