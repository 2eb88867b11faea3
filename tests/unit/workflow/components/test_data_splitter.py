"""Splits: every row in one part, the same for the same rows and seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpipeline.errors import ConfigurationError, DataFault
from mlpipeline.workflow import load
from mlpipeline.workflow.types.contract import Splits
from tests.unit.workflow.components.conftest import Make


def sizes(splits: Splits) -> dict[str, int]:
    return {name: len(part) for name, part in splits.parts()}


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(10, 400), seed=st.integers(0, 5), stratified=st.booleans(), with_test=st.booleans())
def test_no_row_is_lost_or_doubled(rows: int, seed: int, stratified: bool, with_test: bool) -> None:
    draw = np.random.default_rng(seed)
    data = pd.DataFrame({"x": draw.integers(0, 5, rows), "y": draw.integers(0, 3, rows)})
    values = {"model_target": "y", "seed": seed, "use_stratified": stratified, "include_test": with_test}
    splitter = load({"component": {"part": "LocalDataSplitter"}, "config": values}).part
    splits = splitter.split_data(data)
    pd.testing.assert_frame_equal(splits.together(), data)
    assert (splits.test is not None) == with_test


def test_the_same_rows_and_seed_give_the_same_split_in_whatever_order(make: Make, passengers: pd.DataFrame) -> None:
    splitter = make("LocalDataSplitter", model_target="survived")
    first, again = splitter.split_data(passengers), splitter.split_data(passengers.sample(frac=1, random_state=1))
    for (_, one), (_, other) in zip(first.parts(), again.parts(), strict=True):
        pd.testing.assert_frame_equal(one, other.sort_index())
    another = make("LocalDataSplitter", model_target="survived", seed=1).split_data(passengers)
    assert set(another.train.index) != set(first.train.index)


def test_a_stratified_split_keeps_the_proportions(make: Make, passengers: pd.DataFrame) -> None:
    splits = make("LocalDataSplitter", model_target="town", use_stratified=True).split_data(passengers)
    for name, share in passengers["town"].value_counts(normalize=True).items():
        for _, part in splits.parts():
            assert abs((part["town"] == name).sum() - share * len(part)) <= 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"train": 160, "validation": 20, "test": 20}),
        ({"include_test": False}, {"train": 160, "validation": 40}),
        ({"split_ratio": [0.5, 0.5]}, {"train": 100, "validation": 100}),
        ({"split_ratio": [0.7, 0.2, 0.1]}, {"train": 140, "validation": 40, "test": 20}),
        ({"test_size": 7, "validation_size": 0.1}, {"train": 173, "validation": 20, "test": 7}),
        ({"validation_size": 33, "include_test": False}, {"train": 167, "validation": 33}),
    ],
)
def test_sizes_are_as_asked(
    make: Make, passengers: pd.DataFrame, values: dict[str, Any], expected: dict[str, int]
) -> None:
    assert sizes(make("LocalDataSplitter", model_target="survived", **values).split_data(passengers)) == expected


def test_a_column_may_say_which_part_a_row_is_of(make: Make, passengers: pd.DataFrame) -> None:
    data = passengers.assign(part=np.where(passengers.index < 150, "A", "B"))
    classes = {"train": "A", "validation": "B"}
    splitter = make("LocalDataSplitter", model_target="survived", split_column="part", split_classes=classes)
    splits = splitter.split_data(data)
    assert sizes(splits) == {"train": 150, "validation": 50}
    assert "part" not in splits.train.columns
    data.loc[3, "part"] = "C"
    with pytest.raises(DataFault, match=r"1 rows have part 'C': name its values in split_classes"):
        splitter.split_data(data)


def test_missing_marks_of_a_part_are_told(make: Make, passengers: pd.DataFrame) -> None:
    data = passengers.assign(part="train")
    data.loc[0, "part"] = None
    with pytest.raises(DataFault, match=r"1 rows have part"):
        make("LocalDataSplitter", model_target="survived", split_column="part").split_data(data)


def test_a_time_series_is_split_in_its_order(make: Make) -> None:
    months = pd.date_range("2020-01-01", periods=24, freq="MS")
    data = pd.DataFrame({"month": months, "sales": range(24)}).sample(frac=1, random_state=0)
    splitter = make("LocalDataSplitter", model_target="sales", time_index="month", test_size=3, validation_size=4)
    splits = splitter.split_data(data)
    assert sizes(splits) == {"train": 17, "validation": 4, "test": 3}
    assert splits.time_index == "month"
    assert pd.concat([part for _, part in splits.parts()])["sales"].tolist() == list(range(24))


def test_columns_are_dropped_and_rows_named(make: Make, passengers: pd.DataFrame) -> None:
    values = {"model_target": "survived", "model_index": "passenger", "drop_columns": ["town", "fare"]}
    splits = make("LocalDataSplitter", **values).split_data(passengers)
    assert list(splits.train.columns) == ["age", "survived"]
    assert splits.together().index.tolist() == passengers["passenger"].tolist()


def test_large_data_is_not_thinned_out(make: Make) -> None:
    data = pd.DataFrame({"x": np.arange(150_000), "y": 0})
    assert sum(sizes(make("LocalDataSplitter", model_target="y").split_data(data)).values()) == 150_000


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"split_ratio": [0.5, 0.4]}, "two or three shares that sum to 1"),
        ({"split_ratio": [0.5, 0.5], "include_test": True}, "split_ratio has 2 shares"),
        (
            {"split_ratio": [0.8, 0.2], "test_size": 3},
            "test_size of LocalDataSplitter .part.: says the same as split_ratio",
        ),
        ({"test_size": 2.5}, "2.5, which is no number of rows"),
        ({"test_size": 0}, "is 0: give a number of rows"),
        ({"use_stratified": True, "time_index": "t"}, "shuffles, and time_index keeps the order"),
        ({"split_column": "s", "split_classes": {"trian": "A"}}, "'trian': Did you mean 'train'"),
        ({"drop_columns": ["survived"]}, "holds the target .survived., which is needed"),
    ],
)
def test_what_does_not_go_together_is_told_when_it_is_made(make: Make, values: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        make("LocalDataSplitter", model_target="survived", **values)


@pytest.mark.parametrize("key", ["model_target", "split_column", "time_index", "model_index", "drop_columns"])
def test_a_column_that_is_not_there_names_key_and_neighbour(make: Make, passengers: pd.DataFrame, key: str) -> None:
    values: dict[str, Any] = {"model_target": "survived", key: ["survivd"] if key == "drop_columns" else "survivd"}
    with pytest.raises(DataFault, match=f"{key}: the data has no column 'survivd'. Did you mean 'survived'"):
        make("LocalDataSplitter", **values).split_data(passengers)


@pytest.mark.parametrize("values", [{"test_size": 500}, {"test_size": 120, "validation_size": 90}])
def test_parts_that_leave_nothing_to_learn_from_are_refused(
    make: Make, passengers: pd.DataFrame, values: dict[str, Any]
) -> None:
    with pytest.raises(DataFault, match=r"make it smaller|make them smaller"):
        make("LocalDataSplitter", model_target="survived", **values).split_data(passengers)
