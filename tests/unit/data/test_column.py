"""How the values of a column are read: whatever is of another type is missing, row by row."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
from mlpipeline.data import column

NAN = float("nan")


def mixed(*values: Any) -> pd.Series:
    return pd.Series(values, dtype=object, name="c")


def test_text_of_a_mixed_column_is_what_is_text() -> None:
    found = column.text(mixed("a", 1, None, 2.5, b"b", pd.NaT, pd.NA, ["a"], True, ""))
    assert found.isna().tolist() == [False, *[True] * 8, False]
    assert found.dtype == column.TEXT


@pytest.mark.parametrize("values", [[], [None], [NAN, NAN], [pd.NaT]])
def test_a_column_without_values_is_text_without_values(values: list[Any]) -> None:
    assert column.text(pd.Series(values)).isna().all()
    assert column.text(pd.Series(values)).dtype == column.TEXT


@pytest.mark.parametrize("values", [[1, 2], [1.5, None], [True], [pd.Timestamp(0)]])
def test_a_column_of_numbers_or_dates_is_no_text(values: list[Any]) -> None:
    with pytest.raises(errors.WrongType, match="where text is needed"):
        column.text(pd.Series(values, name="c"))


def test_numbers_of_a_mixed_column() -> None:
    found = column.numbers(mixed(1, 2.5, True, "3", "x", None, Decimal("4.5"), [5], math.inf, 10**30, np.int8(6), 1j))
    assert found.tolist() == pytest.approx([1, 2.5, 1, 3, NAN, NAN, 4.5, NAN, math.inf, 1e30, 6, NAN], nan_ok=True)


@pytest.mark.parametrize("dtype", ["int8", "uint64", "float32", "bool", "Int64", "boolean", "Float32"])
def test_numbers_of_every_numeric_type(dtype: str) -> None:
    found = column.numbers(pd.Series([1, 0], dtype=dtype))
    assert found.tolist() == [1, 0]
    assert found.dtype == np.float64


def test_numbers_of_a_column_with_a_missing_mark() -> None:
    assert column.numbers(pd.Series([1, None], dtype="Int64")).tolist() == pytest.approx([1, NAN], nan_ok=True)


def test_numbers_of_text() -> None:
    found = column.numbers(pd.Series(["1", " 2 ", "1e3", "-inf", "one", "", None]))
    assert found.tolist() == pytest.approx([1, 2, 1000, -math.inf, NAN, NAN, NAN], nan_ok=True)


@pytest.mark.parametrize("values", [[pd.Timestamp(0)], [pd.Timedelta(1)], [1j]])
def test_dates_durations_and_complex_numbers_are_no_numbers(values: list[Any]) -> None:
    with pytest.raises(errors.WrongType, match="where numbers are needed"):
        column.numbers(pd.Series(values, name="c"))


def test_no_dates_are_no_numbers() -> None:
    assert np.isnan(column.numbers(pd.Series([pd.NaT, pd.NaT]))).all()


def test_dates_may_be_objects() -> None:
    assert column.dates(mixed(date(2020, 1, 2), None)).dt.day.tolist() == pytest.approx([2, NAN], nan_ok=True)
    assert column.dates(mixed(np.datetime64("0001-01-02").item(), None)).dt.year.iloc[0] == 1
    assert column.dates(pd.Series(pd.period_range("2020-01", periods=1, freq="M"))).dt.year.tolist() == [2020]


@pytest.mark.filterwarnings("ignore:column 'c' holds text")
def test_moments_of_a_mixed_column_are_in_utc() -> None:
    found = column.moments(mixed(date(2020, 1, 1), "2020-01-01", 5, None, pd.Timestamp("2020-01-01", tz="Asia/Seoul")))
    midnight, nine_hours_earlier = pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2019-12-31 15:00", tz="UTC")
    assert found.tolist() == [midnight, midnight, pd.NaT, pd.NaT, nine_hours_earlier]


def test_dates_among_missing_values_are_no_reason_to_warn() -> None:
    assert column.moments(mixed(pd.Timestamp("2020-01-01").to_pydatetime(), None, NAN)).isna().tolist() == [
        False,
        True,
        True,
    ]


def test_each_distinct_value_is_asked_for_once() -> None:
    asked: list[Any] = []
    values = pd.Series(["b", "a", None, "b"], index=[3, 3, 1, 0])
    found = column.each_distinct(values, lambda value: asked.append(value) or value.upper(), column.TEXT)
    assert asked == ["b", "a"]
    assert found.isna().tolist() == [False, False, True, False]
    assert found.index.tolist() == [3, 3, 1, 0]


def test_a_value_that_can_be_no_key_is_as_good_as_missing() -> None:
    found = column.each_distinct(mixed("a", ["b"], ([],)), str.upper, column.TEXT)
    assert found.isna().tolist() == [False, True, True]


def test_the_type_of_a_result_does_not_depend_on_missing_values() -> None:
    for values in ([True, False], [1, 2], ["a", "b"]):
        found = pd.Series(values)
        none, all_missing = pd.Series([False] * 2), pd.Series([True] * 2)
        assert column.settled(found, none).dtype == column.settled(found, all_missing).dtype
    assert column.settled(pd.Series([True, False]), pd.Series([False, True])).tolist()[0] is True
