"""Hashes of rows: what is the same value has the same hash, wherever it comes from."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.data.row_hash import again, hash_rows

SAME = [
    (
        "whole numbers",
        [pd.Series([1, 2]), pd.Series([1.0, 2.0]), pd.Series([1, 2], dtype="Int64"), pd.Series([1, 2], dtype="uint8")],
    ),
    ("objects", [pd.Series([1, 2]), pd.Series([1, 2], dtype=object), pd.Series([Decimal(1), Decimal(2)])]),
    (
        "fractions",
        [pd.Series([0.5, 0.25]), pd.Series([0.5, 0.25], dtype="float32"), pd.Series([0.5, 0.25], dtype="Float64")],
    ),
    (
        "booleans",
        [pd.Series([True, False]), pd.Series([True, False], dtype="boolean"), pd.Series([True, False], dtype=object)],
    ),
    ("texts", [pd.Series(["a", "ü"]), pd.Series(["a", "ü"], dtype=object), pd.Series(["a", "ü"], dtype="category")]),
    ("numbers of categories", [pd.Series([3, 5]), pd.Series([3, 5], dtype="category")]),
    (
        "times",
        [
            pd.Series(pd.to_datetime(["2026-01-01", "2026-01-02"])).astype("datetime64[ns]"),
            pd.Series(pd.to_datetime(["2026-01-01", "2026-01-02"])).astype("datetime64[s]"),
            pd.Series([datetime(2026, 1, 1), datetime(2026, 1, 2)], dtype=object),  # noqa: DTZ001
            pd.Series([date(2026, 1, 1), date(2026, 1, 2)], dtype=object),
            pd.Series(pd.to_datetime(["2026-01-01 01:00", "2026-01-02 01:00"])).dt.tz_localize("Europe/Berlin"),
        ],
    ),
    ("durations", [pd.Series([timedelta(1), timedelta(2)]), pd.Series([timedelta(1), timedelta(2)], dtype=object)]),
    ("lists", [pd.Series([[1, 2], [3]]), pd.Series([np.array([1, 2]), np.array([3])])]),
]


@pytest.mark.parametrize("columns", [columns for _, columns in SAME], ids=[name for name, _ in SAME])
def test_a_value_has_one_hash_in_every_type(columns: list[pd.Series]) -> None:
    hashes = [hash_rows(column.to_frame("a")).tolist() for column in columns]
    assert all(each == hashes[0] for each in hashes)
    assert len(set(hashes[0])) == 2


@pytest.mark.parametrize("columns", [columns for _, columns in SAME], ids=[name for name, _ in SAME])
def test_a_missing_value_among_others_changes_only_its_own_row(columns: list[pd.Series]) -> None:
    missing = hash_rows(pd.DataFrame({"a": pd.Series([None], dtype=object)})).tolist()
    for column in columns:
        longer = column.reindex([0, 1, 2]).to_frame("a")
        assert hash_rows(longer).tolist() == hash_rows(column.to_frame("a")).tolist() + missing


def test_what_differs_has_another_hash() -> None:
    values = [
        0,
        1,
        -1,
        0.5,
        1e300,
        np.inf,
        -np.inf,
        2**53,
        2**53 + 1,
        "0",
        "1",
        "",
        "nan",
        "None",
        None,
        [],
        [None],
        "[]",
    ]
    hashes = [int(hash_rows(pd.DataFrame({"a": pd.Series([value], dtype=object)}))[0]) for value in values]
    alike = {(values.index("[]"), values.index([]))}  # a list and its JSON
    pairs = [(i, j) for i in range(len(values)) for j in range(i) if hashes[i] == hashes[j]]
    assert set(pairs) <= alike | {(j, i) for i, j in alike}


def test_columns_are_told_apart_by_name_and_not_by_place() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [2, 1]})
    assert hash_rows(frame).tolist() == hash_rows(frame[["b", "a"]]).tolist()
    assert len(set(hash_rows(frame).tolist())) == 2
    assert hash_rows(frame, ["a"]).tolist() != hash_rows(frame, ["b"]).tolist()


@given(
    st.lists(
        st.one_of(st.none(), st.integers(-5, 5), st.floats(allow_nan=False), st.text(max_size=3)),
        min_size=1,
        max_size=8,
    )
)
def test_a_row_has_the_hash_that_it_has_alone(values: list[object]) -> None:
    frame = pd.DataFrame({"a": pd.Series(values, dtype=object), "b": np.arange(len(values)) % 2})
    alone = [int(hash_rows(frame.iloc[[place]])[0]) for place in range(len(frame))]
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1:  # within a column of several types, a number is told by its text
        assert hash_rows(frame).tolist() == alone


def test_bits_are_spread_evenly() -> None:
    hashes = hash_rows(pd.DataFrame({"id": np.arange(20_000)}))
    ones = [((hashes >> np.uint64(bit)) & np.uint64(1)).mean() for bit in range(64)]
    assert 0.48 < min(ones) <= max(ones) < 0.52


def test_occurrences_of_a_row_have_hashes_of_their_own() -> None:
    same = np.full(5, 7, np.uint64)
    assert len(set(again(same, np.arange(5)).tolist())) == 5


def test_hashes_are_the_same_on_every_machine_and_with_every_release() -> None:
    """What is written here was seen once; when it changes, everybody's splits do."""
    frame = pd.DataFrame({"number": [1, 2.5], "text": ["a", None], "time": pd.to_datetime(["2026-01-01", None])})
    assert hash_rows(frame).tolist() == [6885153743301050813, 11348187381258161041]
