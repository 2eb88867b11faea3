"""Series: the earliest rows train, the latest test, and a gap lies between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data import TimeSeries
from mlpipeline.errors import DataFault
from tests.unit.data.stand_ins import Number


def series(frame: pd.DataFrame, **options: Any) -> TimeSeries:
    class Series(TimeSeries):
        def get_data(self) -> Any:
            return frame

        def get_encoders(self) -> Any:
            return Number("a")

        def get_output_encoder(self) -> Any:
            return Number("b")

    return Series(**options)


def ten() -> pd.DataFrame:
    return pd.DataFrame({"a": np.arange(1, 11), "b": np.arange(1, 11)})


@pytest.mark.parametrize("sort_by", [None, "a", "b", ["a", "b"]])
def test_lores_fact_of_ten_rows(sort_by: Any) -> None:
    found = series(ten(), test_size=0.1, sort_by=sort_by)
    assert (found.training_data.a.max(), list(found.validation_data.a), list(found.test_data.a)) == (8, [9], [10])


@pytest.mark.parametrize(("size", "expected"), [(0.2, [6, 2, 2]), (0.5, [0, 5, 5]), (0, [10, 0, 0])])
def test_lores_sizes_but_a_test_size_of_0_tests_nothing(size: float, expected: list[int]) -> None:
    found = series(ten().sample(frac=1, random_state=1), test_size=size, sort_by="a")
    assert list(found.row_counts.values()) == expected
    assert list(pd.concat([found.training_data, found.validation_data, found.test_data]).a) == list(range(1, 11))
    assert all(part.index.equals(pd.RangeIndex(len(part))) for part in (found.training_data, found.test_data))


def test_nothing_but_the_training_split_is_learnt_from() -> None:
    found = series(ten())
    assert found.encoders[0].mean_ == 4.5
    assert found.encoded_test_data.x["number_a"].tolist() == [5.5]
    with pytest.raises(DataFault, match="no rows"):
        _ = series(ten(), test_size=0.5).encoders


def test_rows_of_the_same_time_keep_their_order() -> None:
    frame = pd.DataFrame({"a": [1] * 10, "b": np.arange(10)})
    assert list(series(frame, sort_by="a").training_data.b) == list(range(8))


def test_a_gap_of_rows_lies_before_validation_and_before_the_test() -> None:
    frame = pd.DataFrame({"a": np.arange(100), "b": 0})
    found = series(frame, gap=3)
    assert found.training_data.a.max() == 76
    assert list(found.validation_data.a) == list(range(80, 87))
    assert list(found.test_data.a) == list(range(90, 100))
    assert series(frame, gap=3, fractions=(0.9, 0, 0.1)).row_counts == {"training": 87, "validation": 0, "test": 10}


def test_a_gap_may_be_a_duration() -> None:
    times = pd.date_range("2026-01-01", periods=100, freq="12h")
    found = series(pd.DataFrame({"a": times, "b": 0}), gap="2D", sort_by="a")
    assert found.validation_data.a.iloc[0] - found.training_data.a.iloc[-1] == pd.Timedelta("2D")
    assert found.test_data.a.iloc[0] - found.validation_data.a.iloc[-1] == pd.Timedelta("2D")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sort_by": "when"}, "no column 'when'"),
        ({"sort_by": "c"}, "1 of 10 rows have no 'c'"),
        ({"gap": 8}, "gap of 8 leaves nothing"),
        ({"gap": -1}, "gap is -1"),
        ({"gap": "-1D", "sort_by": "a"}, "gap is '-1D'"),
        ({"gap": "soon"}, "gap is 'soon'"),
        ({"gap": "1D"}, "sort_by must name"),
        ({"gap": "1D", "sort_by": "a"}, "sort_by must name"),
        ({"test_size": 0.6}, "between 0 and 0.5"),
        ({"fractions": (0.5, 0.1, 0.1)}, "sum to 0.7"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], said: str) -> None:
    frame = ten().assign(c=[None, *range(9)])
    with pytest.raises(DataFault) as raised:
        _ = series(frame, **options).training_data
    assert said in str(raised.value)


def test_it_has_no_subsample() -> None:
    with pytest.raises(DataFault, match="no option 'subsample'"):
        series(ten(), subsample=3)
