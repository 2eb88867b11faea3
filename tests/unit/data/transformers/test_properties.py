"""Whatever the values and however nested: a row by itself gives what it gives within the frame."""

from __future__ import annotations

import warnings
from decimal import Decimal
from typing import Any

import email_validator
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpipeline import errors
from mlpipeline.data.transformer import Transformer
from mlpipeline.data.transformers import (
    Age,
    AreaCode,
    DateTime,
    Distance,
    EmailDomain,
    Extract,
    IsNull,
    Length,
    Log,
    LogPlusOne,
    Map,
    NameAge,
    NameFamilial,
    NamePopulation,
    NameSex,
    String,
)

KNOWN = ["Bob", "mary", "MOM", "bob@example.com", "a@b.co.uk", "234-567-8901", "+442079460958", "2020-01-01", "12", ""]
TEXTS = st.none() | st.sampled_from(KNOWN) | st.text(max_size=8)
NUMBERS = st.none() | st.floats() | st.integers(-(2**70), 2**70) | st.booleans() | st.just(Decimal("1.5"))
MOMENTS = st.none() | st.datetimes()
ANYTHING = TEXTS | NUMBERS | MOMENTS | st.lists(st.integers(), max_size=2) | st.binary(max_size=2)
PLAIN_NUMBERS = st.floats() | st.sampled_from([0.0, 1.0, 90.0, -180.0])


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Draws rows: text, numbers and dates in columns of their types, and one column of anything."""
    rows = draw(st.integers(1, 5))

    def column(values: st.SearchStrategy[Any], dtype: Any) -> pd.Series:
        return pd.Series(draw(st.lists(values, min_size=rows, max_size=rows)), dtype=dtype)

    return pd.DataFrame(
        {
            "text": column(TEXTS, "str"),
            "number": column(PLAIN_NUMBERS, "float64"),
            "moment": column(MOMENTS, "datetime64[us]"),
            "numbers": column(NUMBERS, object),
            "any": column(ANYTHING, object),
        }
    )


def wrapped(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Returns a strategy for one more transformer around what another one makes."""
    simple = st.sampled_from(
        [AreaCode, EmailDomain, IsNull, Length, Log, LogPlusOne, NameAge, NameFamilial, NamePopulation, NameSex]
    )
    operators = [("lower",), ("slice", 0, 2), ("contains", "b"), ("count", "b"), ("split",), ("isalpha",), ("get", 0)]
    strings = st.sampled_from(operators)
    parts = st.sampled_from(["dayofweek", "is_month_end", "date", "week", "day_name", "normalize"])
    units = st.sampled_from(["seconds", "days", "years", "microseconds"])
    return st.one_of(
        st.builds(lambda kind, column: kind(column), simple, inner),
        st.builds(lambda column, arguments: String(column, *arguments), inner, strings),
        st.builds(Extract, inner, st.just(r"(\w+)")),
        st.builds(Map, inner, st.sampled_from([{"Bob": 1, 1: 2}, {"Bob": "x"}, {"Bob": True}])),
        st.builds(DateTime, inner, parts),
        st.builds(Age, inner, reference=st.none() | inner, unit=units, as_of=st.just("2020-01-01")),
        st.builds(Distance, inner, inner, inner, inner),
    )


COLUMNS = st.sampled_from(["text", "number", "moment", "numbers", "any"])
TRANSFORMERS = wrapped(st.recursive(COLUMNS, wrapped, max_leaves=4))


def transformed(transformer: Transformer, frame: pd.DataFrame) -> pd.Series | None:
    """Returns what comes out, or None where the columns are refused as being of another type."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*holds text where dates are needed")
        try:
            return transformer.transform(frame)
        except errors.WrongType:
            return None


@given(TRANSFORMERS, frames())
@settings(max_examples=300)
def test_a_row_by_itself_gives_what_it_gives_within_the_frame(transformer: Transformer, frame: pd.DataFrame) -> None:
    whole = transformed(transformer, frame)
    if whole is None:
        return
    for place in range(len(frame)):
        alone = transformed(transformer, frame.iloc[[place]])
        assert alone is not None
        pd.testing.assert_series_equal(alone, whole.iloc[[place]], check_exact=True)


@given(TRANSFORMERS, frames(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(transformer: Transformer, frame: pd.DataFrame, random: Any) -> None:
    order = random.sample(range(len(frame)), len(frame))
    whole, shuffled = transformed(transformer, frame), transformed(transformer, frame.iloc[order])
    assert (whole is None) == (shuffled is None)
    if whole is not None and shuffled is not None:
        pd.testing.assert_series_equal(shuffled, whole.iloc[order], check_exact=True)


@given(TRANSFORMERS, frames())
def test_nothing_changes_what_goes_in(transformer: Transformer, frame: pd.DataFrame) -> None:
    before = frame.copy(deep=True)
    transformed(transformer, frame)
    pd.testing.assert_frame_equal(frame, before)


@given(TRANSFORMERS, frames())
def test_exactly_the_inputs_are_read(transformer: Transformer, frame: pd.DataFrame) -> None:
    whole, less = transformed(transformer, frame), transformed(transformer, frame[list(transformer.inputs)])
    assert (whole is None) == (less is None)
    if whole is not None and less is not None:
        pd.testing.assert_series_equal(less, whole)


@given(TRANSFORMERS)
def test_every_nesting_is_the_same_after_saving(transformer: Transformer) -> None:
    assert Transformer.from_state(transformer.state()) == transformer


LOCALS = st.text(st.sampled_from("ab.+-_'\" @漢!"), max_size=8)
DOMAINS = st.text(st.sampled_from("ab.-1ü"), max_size=8) | st.sampled_from(["example.com", "b.co.uk", "localhost"])


@given(st.builds(lambda local, domain: f"{local}@{domain}", LOCALS, DOMAINS))
@settings(max_examples=500)
def test_domains_are_those_that_the_library_finds(address: str) -> None:
    """Most local parts are judged by an expression instead, because the library takes its time."""
    try:
        wanted = email_validator.validate_email(address, check_deliverability=False).domain
    except email_validator.EmailNotValidError:
        wanted = ""
    assert EmailDomain("t").transform(pd.DataFrame({"t": [address]})).tolist() == [wanted]


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180))
def test_distances_are_within_half_the_earth_and_the_same_both_ways(a: float, b: float, c: float, d: float) -> None:
    frame = pd.DataFrame([[a, b, c, d]], columns=["a", "b", "c", "d"])
    there = Distance("a", "b", "c", "d").transform(frame).iloc[0]
    assert 0 <= there <= np.pi * 6373 + 1e-9
    assert np.isclose(there, Distance("c", "d", "a", "b").transform(frame).iloc[0], atol=1e-3)
