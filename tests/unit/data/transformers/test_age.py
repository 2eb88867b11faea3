"""Ages: up to a column or a recorded moment, and never by the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
from mlpipeline.data.transformer import Transformer
from mlpipeline.data.transformers import Age, DateTime, Log, String

BIRTH = pd.DataFrame({"born": [pd.Timestamp("2020-01-01"), pd.NaT]})


def test_without_a_reference_and_a_moment_there_is_no_age() -> None:
    with pytest.raises(errors.DataFault, match=r"Age\('born'\) does not say up to when"):
        Age("born").transform(BIRTH)


def test_a_dataset_gives_the_moment_at_any_depth_and_it_is_recorded() -> None:
    nested = Log(Age("born", unit="days"))
    assert nested.needs_as_of
    bound = nested.at(datetime(2020, 1, 11, tzinfo=UTC))
    assert not bound.needs_as_of
    assert nested.needs_as_of, "binding changed the original"
    again = Transformer.from_state(bound.state())
    assert again.transform(BIRTH).iloc[0] == pytest.approx(np.log(10))


@pytest.mark.parametrize("transformer", [Age("born", reference="died"), Age("born", as_of="2021-01-01"), Log("born")])
def test_a_moment_that_is_not_needed_changes_nothing(transformer: Transformer) -> None:
    assert not transformer.needs_as_of
    assert transformer.at("2022-01-01") == transformer


def test_the_reference_is_an_input_and_the_age_is_measured_up_to_it() -> None:
    """The reference once got lost between fitting and serving, and every age became zero."""
    transformer = Age("born", reference="died", unit="days")
    assert transformer.inputs == ("born", "died")
    frame = pd.DataFrame({"born": [pd.Timestamp("2020-01-01")], "died": [pd.Timestamp("2020-01-31")]})
    assert transformer.transform(frame).tolist() == [30]
    with pytest.raises(errors.DataFault, match="'died'"):
        transformer.transform(frame[["born"]])


@pytest.mark.parametrize(
    "as_of",
    [
        "2020-01-02",
        datetime(2020, 1, 2, tzinfo=UTC),
        date(2020, 1, 2),
        np.datetime64("2020-01-02"),
        "2020-01-02T02:00+02:00",
    ],
)
def test_a_moment_can_be_said_in_many_ways(as_of: Any) -> None:
    assert Age("born", as_of=as_of, unit="hours").transform(BIRTH).iloc[0] == 24


def test_a_moment_that_is_no_date_is_refused() -> None:
    with pytest.raises(errors.DataFault, match="as_of is no date"):
        Age("born", as_of="yesterday evening").transform(BIRTH)


def test_another_unit_is_refused() -> None:
    with pytest.raises(NameError, match="unit 'fortnights' is none of"):
        Age("born", as_of="2020-01-02", unit="fortnights").transform(BIRTH)


def test_nanoseconds_are_a_duration() -> None:
    found = Age("born", as_of="2020-01-02", unit="nanoseconds").transform(BIRTH)
    assert found.dtype == "timedelta64[ns]"
    assert found.tolist() == [pd.Timedelta(days=1), pd.NaT]


def test_days_are_whole_ones() -> None:
    ages = Age("born", as_of="2020-01-02T23:59", unit="day").transform(BIRTH)
    assert ages.tolist() == pytest.approx([1, np.nan], nan_ok=True)
    assert ages.dtype == np.float64


def test_text_is_read_and_warned_of() -> None:
    frame = pd.DataFrame({"born": ["2020-01-01", "2020-01-01T02:00:00+02:00", "soon", None]})
    with pytest.warns(UserWarning, match="column 'born' holds text where dates are needed"):
        ages = Age("born", as_of="2020-01-02", unit="hours").transform(frame)
    assert ages.tolist() == pytest.approx([24, 24, np.nan, np.nan], nan_ok=True)


@pytest.mark.filterwarnings("ignore:column 'born' holds text")
def test_how_text_is_read_does_not_depend_on_other_rows() -> None:
    """A fraction finer than microseconds, or another form in the first row, once decided for the whole column."""
    texts = ["2020-01-01T00:00:00.123456789", "0001-01-01", "20200101", "2020-01-01 01:02", "9999-12-31T23:59:59Z", "x"]
    frame = pd.DataFrame({"born": texts})
    age = Age("born", as_of="2020-01-02")
    whole = age.transform(frame)
    assert whole.notna().tolist() == [True] * 5 + [False]
    for place in range(len(texts)):
        pd.testing.assert_series_equal(age.transform(frame.iloc[[place]]), whole.iloc[[place]])


def test_dates_without_a_zone_are_in_utc() -> None:
    frame = pd.DataFrame(
        {
            "born": pd.to_datetime(["2020-01-01"]).tz_localize("Asia/Seoul"),
            "died": pd.to_datetime(["2020-01-01"]),
        }
    )
    assert Age("born", reference="died", unit="hours").transform(frame).tolist() == [9]


def test_spans_of_millennia_do_not_overflow() -> None:
    frame = pd.DataFrame({"born": pd.Series([pd.Timestamp("1677-09-22")], dtype="datetime64[ns]")})
    assert Age("born", as_of="9999-01-01", unit="years").transform(frame).iloc[0] == pytest.approx(8326.8, abs=0.1)


@pytest.mark.parametrize("values", [[1, 2], [1.5, None], [True, False]])
def test_numbers_are_no_dates(values: list[Any]) -> None:
    with pytest.raises(errors.WrongType, match=r"column 'born' holds .* where dates are needed"):
        Age("born", as_of="2020-01-02").transform(pd.DataFrame({"born": values}))


@pytest.mark.parametrize("values", [["2020-01-01"], [1.5, None], [True]])
def test_parts_of_dates_are_not_taken_of_anything_else(values: list[Any]) -> None:
    with pytest.raises(AttributeError, match="column 'born' holds"):
        DateTime("born", "year").transform(pd.DataFrame({"born": values}))


def test_dates_of_two_zones_are_refused_with_advice() -> None:
    zones = [datetime(2020, 1, 1, tzinfo=UTC), pd.Timestamp("2020-01-01", tz="Asia/Seoul")]
    with pytest.raises(errors.WrongType, match="one time zone"):
        DateTime("born", "hour").transform(pd.DataFrame({"born": pd.Series(zones, dtype=object)}))


@pytest.mark.parametrize("operator", ["altitude", "_get_values", "tz", "strftime", ""])
def test_what_is_no_part_of_a_date_is_refused(operator: str) -> None:
    with pytest.raises(errors.UnknownOption, match=r"dayofweek|needs arguments"):
        DateTime("born", operator).transform(BIRTH)


def test_text_of_a_date_can_be_cut() -> None:
    frame = pd.DataFrame({"born": [pd.Timestamp("2020-01-01"), pd.NaT]})
    assert String(DateTime("born", "day_name"), "slice", 0, 3).transform(frame).tolist()[0] == "Wed"
