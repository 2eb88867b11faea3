"""What each transformer makes of known values."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

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

NAN = float("nan")
T = pd.Timestamp


class Letters(Map):
    """A map that a user wrote as a class."""

    MAP = {"a": 1, "b": 2}  # noqa: RUF012 - as users write it


def made(transformer: Transformer, values: list[Any]) -> list[Any]:
    found = transformer.transform(pd.DataFrame({"t": values}))
    return [None if pd.isna(value) else value for value in found]


def expected(values: list[Any]) -> list[Any]:
    return [None if pd.isna(value) else value for value in values]


FACTS: list[tuple[Transformer, list[Any], list[Any]]] = [
    (
        AreaCode("t"),
        [
            *("12345678901", "+12345678901", "1(234)567-8901", "1 (234) 567-8901", "1.234.567.8901"),
            *("1-234-567-8901", "2345678901", "234.567.8901", "(234)5678901", "(234) 567-8901"),
            *("+1 234 567 8901", "234 567 8901", "tel: 234-567-8901"),
        ],
        ["234"] * 13,
    ),
    (AreaCode("t"), ["1234567", "(123)4567", ""], ["", "", ""]),
    (AreaCode("t"), ["12345678901", None], ["234", None]),
    (AreaCode("t"), [12345678901, 2345678901], ["234", "234"]),
    (AreaCode("t"), [12345678901, None], ["234", None]),
    (AreaCode("t"), [12345678901, "bob", True, 0.5, math.inf, ["a list"]], ["234", "", "", "", "", None]),
    (AreaCode("t"), [12345678901.0, 12345678901.5, -12345678901], ["234", "", ""]),
    (AreaCode("t"), ["+44 20 7946 0958", "+49 30 123456"], ["20", "30"]),
    (AreaCode("t"), ["1-800-356-9377"], [""]),
    (AreaCode("t", region="GB"), ["020 7946 0958"], ["20"]),
    (EmailDomain("t"), ["montana@instacart.com", "sue-bob+anne@instacart.com"], ["instacart.com"] * 2),
    (EmailDomain("t"), ["bad", "a@", "@x.com", None, ""], [""] * 5),
    (EmailDomain("t"), ["a@b@c.com", "a..b@c.com", "a b@c.com", ".a@c.com", "a@c", "a@-c.com"], [""] * 6),
    (
        EmailDomain("t"),
        ["Bob@Mail.Example.CO.UK", '"b ob"@x.com', "a@bücher.de"],
        ["mail.example.co.uk", "", "bücher.de"],
    ),
    (EmailDomain("t"), ["a" * 64 + "@b.com", "a" * 300 + "@b.com", "a@" + "b" * 64 + ".com"], ["b.com", "", ""]),
    (EmailDomain("t", registered=True), ["bob@mail.example.co.uk", "a@x.com", "bad"], ["example.co.uk", "x.com", ""]),
    (NameFamilial("t"), ["mom", "Dad", "MoM jones", "papa smurf", "brother-in-law", "step-dad"], [True] * 6),
    (NameFamilial("t"), ["sue bob", "momma", "grandma", "sisters", None], [False] * 5),
    (NameAge("t"), ["zzyzx", None, " bob", "Mary Ann", ""], [NAN] * 5),
    (NameSex("t"), ["zzyzx", None, " bob", "Mary Ann", ""], [NAN] * 5),
    (NamePopulation("t"), ["zzyzx", None, " bob", "Mary Ann", ""], [NAN] * 5),
    (DateTime("t", "dayofweek"), [T("2016-12-31"), T("2017-01-01"), pd.NaT], [5, 6, NAN]),
    (DateTime("t", "year"), [T("2016-12-31 13:45")], [2016]),
    (DateTime("t", "month"), [T("2016-12-31 13:45")], [12]),
    (DateTime("t", "hour"), [T("2016-12-31 13:45")], [13]),
    (DateTime("t", "quarter"), [T("2016-12-31 13:45")], [4]),
    (DateTime("t", "dayofyear"), [T("2016-12-31 13:45")], [366]),
    (DateTime("t", "week"), [T("2016-12-31 13:45"), None], [52, NAN]),
    (DateTime("t", "is_month_end"), [T("2016-12-31 13:45"), T("2016-12-30"), pd.NaT], [True, False, NAN]),
    (DateTime("t", "date"), [T("2016-12-31 13:45")], [date(2016, 12, 31)]),
    (DateTime("t", "day_name"), [T("2016-12-31 13:45"), pd.NaT], ["Saturday", NAN]),
    (Age("t", as_of=T("2026-01-02"), unit="days"), [T("2026-01-02"), T("2026-01-01")], [0, 1]),
    (String("t", "lower"), ["Bob", None], ["bob", NAN]),
    (String("t", "slice", 0, 2), ["hello", None], ["he", NAN]),
    (String("t", "replace", "l", "L"), ["hello", None], ["heLLo", NAN]),
    (String("t", "contains", "ll"), ["hello", "bob", None], [True, False, NAN]),
    (String("t", "contains", pat="LL", case=False), ["hello"], [True]),
    (String("t", "count", "l"), ["hello", None], [2, NAN]),
    (Length("t"), ["hello", "", None], [5, 0, NAN]),
    (Extract("t", r"(\d+)"), ["a12b3", "no", None], ["12", NAN, NAN]),
    (Extract("t", r"(?P<first>\w)(\d)"), ["a12b3"], ["a"]),
    (Log("t"), [1, math.e, 0, -1, None], [0, 1, -math.inf, NAN, NAN]),
    (Log("t"), [math.inf, -math.inf], [math.inf, NAN]),
    (LogPlusOne("t"), [0, 1, -5, None], [0, math.log(2), 0, NAN]),
    (IsNull("t"), [1, None, "a", NAN, ""], [False, True, False, True, False]),
    (IsNull("t"), [math.inf, -math.inf, NAN], [False, False, True]),
    (Letters("t"), ["a", "b", "c", None], [1, 2, NAN, NAN]),
    (Map("t", {"a": 1, "b": 2}), ["a", "b", "c", None], [1, 2, NAN, NAN]),
    (Map("t", {1: "one"}), [1.0, 2.0, None], ["one", NAN, NAN]),
]


@pytest.mark.parametrize(("transformer", "values", "wanted"), FACTS, ids=lambda it: str(it)[:60])
def test_known_values_give_known_ones(transformer: Transformer, values: list[Any], wanted: list[Any]) -> None:
    found = made(transformer, values)
    assert [value is None for value in found] == [value is None for value in expected(wanted)]
    assert [value for value in found if value is not None] == [value for value in expected(wanted) if value is not None]


@pytest.mark.parametrize(
    ("unit", "age"),
    [
        ("seconds", 2592000),
        ("second", 2592000),
        ("minutes", 43200),
        ("hours", 720),
        ("days", 30),
        ("weeks", 4.2857),
        ("months", 1.0),
        ("years", 0.08219),
        ("milliseconds", 2592000e3),
        ("microseconds", 2592000e6),
    ],
)
def test_the_age_of_a_month_in_every_unit(unit: str, age: float) -> None:
    frame = pd.DataFrame({"t": [T("2020-01-01"), pd.NaT], "r": [T("2020-01-31")] * 2})
    found = Age("t", reference="r", unit=unit).transform(frame)
    assert found.iloc[0] == pytest.approx(age, abs=5e-5)
    assert np.isnan(found.iloc[1])
    assert Age("r", reference="t", unit=unit).transform(frame).iloc[0] == pytest.approx(-age, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "sex", "age", "population"),
    [
        ("bob", 1.0, 66.5, 50_500),
        ("john", 0.996, 51.6, 3_210_000),
        ("mary", 0.0026, 62.5, 2_180_000),
        ("jane", 0.0, 60.4, 241_000),
        ("chris", 0.865, 48.4, 145_000),
        ("emma", 0.0, 19.9, 451_000),
    ],
)
def test_names_tell_what_is_known_of_their_bearers(name: str, sex: float, age: float, population: float) -> None:
    frame = pd.DataFrame({"t": [name, name.capitalize(), name.upper()]})
    assert NameSex("t").transform(frame).tolist() == pytest.approx([sex] * 3, abs=0.02)
    assert NameAge("t").transform(frame).tolist() == pytest.approx([age] * 3, abs=3)
    assert NamePopulation("t").transform(frame).tolist() == pytest.approx([population] * 3, rel=0.1)


@pytest.mark.parametrize(("name", "sex", "age"), [("montana", 0.192, 18.2), ("minnie", 0.0, 75.3)])
def test_rare_names_are_less_certain(name: str, sex: float, age: float) -> None:
    frame = pd.DataFrame({"t": [name]})
    assert NameSex("t").transform(frame).tolist() == pytest.approx([sex], abs=0.12)
    assert NameAge("t").transform(frame).tolist() == pytest.approx([age], abs=9)


def test_ages_of_names_are_in_the_order_of_generations() -> None:
    names = ["bob", "mary", "jane", "john", "chris", "montana"]
    ages = NameAge("t").transform(pd.DataFrame({"t": names})).tolist()
    assert ages == sorted(ages, reverse=True)


@pytest.mark.parametrize(
    ("places", "kilometers"),
    [
        ((0, 0, 0, 0), 0),
        ((52.2296756, 21.0122287, 52.406374, 16.9251681), 278.54558935106695),
        ((90, 0, -90, 0), 20021.37),
        ((0, 0, 0, 180), 20021.37),
        ((10, 20, -10, -160), 20021.37),
    ],
)
def test_distances_of_known_places(places: tuple[float, ...], kilometers: float) -> None:
    degrees = pd.DataFrame([places], columns=["a", "b", "c", "d"])
    radians = degrees.apply(np.radians)
    assert Distance("a", "b", "c", "d").transform(degrees).iloc[0] == pytest.approx(kilometers, abs=5e-3)
    assert Distance("a", "b", "c", "d", input="radians").transform(radians).iloc[0] == pytest.approx(
        kilometers, abs=5e-3
    )


@pytest.mark.parametrize("unit", ["miles", "degree", None])
def test_places_are_given_in_degrees_or_radians(unit: Any) -> None:
    with pytest.raises(NameError, match="is neither degrees nor radians"):
        Distance("a", "b", "c", "d", input=unit).transform(pd.DataFrame([[0, 0, 0, 0]], columns=list("abcd")))


@pytest.mark.parametrize("latitude", [90.001, -91, 1e300])
def test_a_place_beyond_a_pole_has_no_distance(latitude: float) -> None:
    frame = pd.DataFrame([[latitude, 0, 80, 180], [80, 180, latitude, 0]], columns=["a", "b", "c", "d"])
    assert Distance("a", "b", "c", "d").transform(frame).isna().all()


def test_places_opposite_each_other_are_half_the_earth_apart() -> None:
    """Rounding leads beyond what has an arc sine."""
    lat, lon = (grid.ravel() for grid in np.meshgrid(np.arange(-89.0, 90), np.arange(-180.0, 180)))
    frame = pd.DataFrame({"a": lat, "b": lon, "c": -lat, "d": lon - 180})
    assert np.allclose(Distance("a", "b", "c", "d").transform(frame), np.pi * 6373)


@pytest.mark.parametrize("unknown", [NAN, math.inf, -math.inf])
def test_a_place_that_is_not_known_has_no_distance(unknown: float) -> None:
    for places in ([unknown, 0, 0, 0], [0, unknown, 0, 0], [0, 0, unknown, 0], [0, 0, 0, unknown]):
        frame = pd.DataFrame([places], columns=["a", "b", "c", "d"])
        assert np.isnan(Distance("a", "b", "c", "d").transform(frame).iloc[0])


@pytest.mark.parametrize(
    ("transformer", "name"),
    [
        (AreaCode("t"), "t_area_code"),
        (Log(NameAge("first_name")), "first_name_name_age_log"),
        (DateTime("signup_at", "dayofweek"), "signup_at_date_time_dayofweek"),
        (String("t", "lower"), "t_string_lower"),
        (Age("t", reference="r"), "t_age_r"),
        (Age("t"), "t_age"),
        (Extract("t", "(.)"), "t_extract_extract"),
        (Length("t"), "t_length_len"),
        (LogPlusOne("t"), "t_log_plus_one"),
        (Distance("a", "b", "c", "d"), "a_b_c_d_distance"),
    ],
)
def test_names_say_what_was_done(transformer: Transformer, name: str) -> None:
    assert transformer.name == name
