"""Encoders are chosen by what columns hold; parts that are given stay what they are."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data.by_kind import Choice, GivenParts, is_number
from mlpipeline.errors import DataFault

ROWS = 60


@pytest.fixture
def frame() -> pd.DataFrame:
    place = np.arange(ROWS)
    return pd.DataFrame(
        {
            "number": np.where(place % 7 == 0, np.nan, place * 1.5),
            "nullable": pd.array([None, *range(ROWS - 1)], dtype="Int64"),
            "flag": place % 2 == 0,
            "text": np.where(place % 3 == 0, None, "abc"),
            "kind": pd.Categorical(np.array(["x", "y"])[place % 2]),
            "code": pd.Categorical(place % 4),
            "when": pd.date_range("2020-01-01", periods=ROWS, freq="MS"),
            "took": pd.to_timedelta(place, unit="h"),
            "key": [f"k{each}" for each in place],
            "list": [[each] for each in place],
            "empty": np.nan,
            "y": place % 2,
        }
    )


def chosen(frame: pd.DataFrame, **options: Any) -> dict[str, str]:
    return {each.name: type(each).__name__ for each in Choice(**options).encoders(frame, "y")}


def test_trees_get_numbers_as_they_are_and_codes(frame: pd.DataFrame, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = chosen(frame)
    assert found == {
        "number": "Pass",
        "nullable": "Pass",
        "flag": "Boolean",
        "text": "Unique",
        "kind": "Unique",
        "code": "Pass",
        "when": "Norm",
        "took": "Norm",
    }
    told = "\n".join(caplog.messages)
    assert "column 'key' has 60 different values in 60 rows: left out; name it in model_cat_features" in told
    assert "column 'list' holds list values" in told
    assert "column 'empty' has no value" in told


def test_linear_models_get_scaled_numbers_and_a_column_for_each_level(frame: pd.DataFrame) -> None:
    found = chosen(frame, scaled=True, one_hot=True, categories=("code",), leave_out=("key", "list", "empty", "when"))
    assert found["number"] == found["nullable"] == found["took"] == "Norm"
    assert [found[name] for name in ("one_hot_text", "one_hot_kind", "one_hot_code")] == ["OneHot"] * 3


def test_a_time_becomes_whole_periods(frame: pd.DataFrame) -> None:
    dataset = GivenParts(
        (frame[:40], frame[40:], None), "y", False, Choice(time="when", period="M", leave_out=("key",))
    )
    assert dataset.encoded_training_data.x["when"].diff().dropna().unique().tolist() == [1.0]


def test_parts_stay_what_they_are(frame: pd.DataFrame) -> None:
    dataset = GivenParts((frame[20:], None, frame[:20]), "y", False, Choice())
    assert dataset.row_counts == {"training": 40, "validation": 0, "test": 20}
    pd.testing.assert_frame_equal(dataset.test_data, frame[:20])
    assert len(dataset.encoding.decode(dataset.encoded_test_data.x)) == 20


def test_columns_that_are_not_there_are_told(frame: pd.DataFrame) -> None:
    with pytest.raises(DataFault, match=r"there is no column 'cod'\. Did you mean 'code'\?"):
        Choice(categories=("cod",)).encoders(frame, "y")
    with pytest.raises(DataFault, match="there is no column 'day'"):
        Choice(time="day").encoders(frame, "y")
    with pytest.raises(DataFault, match="the column 7 is called by a int: rename it to a text"):
        Choice().encoders(frame.rename(columns={"number": 7}), "y")
    with pytest.raises(DataFault, match="no column is left to learn from"):
        Choice().encoders(frame[["y", "key"]], "y")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 1], False),
        ([0.0, 1.0, None], False),
        ([0.5, 1.0], True),
        (list(range(30)), True),
        (["a", "b"], False),
        ([True, False], False),
    ],
)
def test_a_target_tells_whether_it_is_a_number(values: list[Any], expected: bool) -> None:
    assert is_number(pd.Series(values)) is expected
