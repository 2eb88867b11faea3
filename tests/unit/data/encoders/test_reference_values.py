"""Codes of known inputs, kind by kind: a table of what goes in and what comes out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

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
from mlpipeline.data.given import smallest
from mlpipeline.data.transformers import AreaCode, Log, NameAge, NameSex

N, NAN, INF = None, np.nan, np.inf
SIGMA = 1.1661903789690602
TOP, BOTTOM = 1.8 / SIGMA, -1.2 / SIGMA
THIRTEEN = [1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 100, 1000]
DAYS = [pd.Timestamp(year=year, month=year, day=year) for year in range(1, 6)]
LATER_DAYS = [day.replace(year=day.year + 2000) for day in DAYS]
ROOT = 1.224744871391589


class Fact(NamedTuple):
    """What an encoder makes of `given` when it was fitted on `fitted`."""

    encoder: Any
    fitted: list[Any]
    given: list[Any]
    codes: list[Any]
    cardinality: int | None = None
    dtype: str | None = None


FACTS = [
    Fact(Boolean("c"), [1], [0, False, 123, True, NAN, N, INF], [0, 0, 1, 1, 2, 2, 1], 3, "uint8"),
    Fact(Boolean("c"), [1], [1e-9, -1e-300, -0.0, 2**80], [1, 1, 0, 1]),
    Fact(Pass("c"), [1, 2], [1.5, N], [1, 0], None, "int64"),
    Fact(Pass("c"), [1.5, N], [1.5, N], [1.5, 0.0], None, "float64"),
    Fact(Uniform("c"), [3, 1, 2, 1, 4], [1, 2, 3, 4], [0, 1 / 3, 2 / 3, 1], None, "float32"),
    Fact(Uniform("c"), [3, 1, 2, 1, 4], [100, INF, -100, -INF, N], [1, 1, 0, 0, 0]),
    Fact(Uniform("c"), [7, 7], [7, 8, N], [0, 0, 0]),
    Fact(Norm("c"), [3, 1, 2, 1, 4], [1, 2, 3, 4], [-1.02899, -0.17150, 0.68599, 1.54349], None, "float32"),
    Fact(Norm("c"), [3, 1, 2, 1, 4], [100, 10000, INF], [TOP] * 3),
    Fact(Norm("c"), [3, 1, 2, 1, 4], [-100, -10000, -INF], [BOTTOM] * 3),
    Fact(Norm("c"), [3, 1, 2, 1, 4], [N], [0]),
    Fact(Norm("c"), [3, 1, 2, 1, 4], [N, N, N], [0, 0, 0]),
    Fact(Norm("c"), [N, N], [N, 1], [0, 0]),
    Fact(Norm("c"), [5, 5], [5, 6, N], [0, 0, 0]),
    Fact(Norm("c"), [0.1] * 10, [0.1, 0.2], [0, 0]),
    Fact(Discrete("c", 5), [0, 4], [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4], 6),
    Fact(Discrete("c", 5), [0, 4], [N, -1, 0, 3, 7, INF, -INF], [5, 0, 0, 3, 4, 4, 0]),
    Fact(Discrete("c", bins=5), [DAYS[0], DAYS[-1]], DAYS, [0, 1, 1, 3, 4]),
    Fact(Discrete("c", bins=5), [LATER_DAYS[0], LATER_DAYS[-1]], LATER_DAYS, [0, 1, 1, 3, 4]),
    Fact(Discrete("c", bins=5), [DAYS[0], DAYS[-1]], [pd.NaT, DAYS[1]], [5, 1]),
    Fact(
        Discrete("c"), [0, 1], [0, 0.05, 0.1, 0.11, 0.2, 0.3, 0.5, 0.9, 0.99, 1, N], [0, 0, 0, 0, 1, 2, 4, 8, 8, 9, 10]
    ),
    Fact(Discrete("c", 300), [0, 1], [N], [300], 301, "uint16"),
    Fact(Discrete("c", 255), [0, 1], [N], [255], 256, "uint16"),
    Fact(Discrete("c", 254), [0, 1], [N], [254], 255, "uint8"),
    Fact(Discrete("c"), [5, 5], [5, 6, N], [0, 0, 10]),
    Fact(Discrete("c", 4, edges="equal_width"), [0, 4], [0, 0.99, 1, 2, 3, 3.99, 4, N], [0, 0, 1, 2, 3, 3, 3, 4], 5),
    Fact(Discrete("c", 1), [0, 4], [0, 4, N], [0, 0, 1], 2),
    Fact(Enum("c"), [0, 1, 4], [0, 1, 2, 3, 4, 5, 100, -1, N], [0, 1, 2, 3, 4, 5, 5, 5, 6], 7),
    Fact(Enum("c"), [3, 1, 2, 1, 4, N], [N, NAN, 0, 4.0, 5, INF, 1.5], [6, 6, 0, 4, 5, 5, 5], 7),
    Fact(Enum("c"), [NAN, NAN], [0, 1, N], [0, 1, 2], 3),
    Fact(Quantile("c", 5), THIRTEEN, [0, 1, 2, 3, 4, 5, 1110000, INF, N, NAN], [5, 0, 0, 0, 1, 1, 6, 6, 7, 7], 8),
    Fact(Quantile("c", 5), THIRTEEN, THIRTEEN, [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4]),
    Fact(Quantile("c", 5), [1] * 8 + [9, 10], list(range(12)), [2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 3], 5),
    Fact(Quantile("c", 5), [7, 7, 7], [6, 7, 8, N], [1, 0, 2, 3], 4),
    Fact(Quantile("c", 5), [N, N], [6, -INF, N], [0, 0, 3], 4),
    Fact(Unique("c"), list("abdcb"), ["a", "b", "e", N, "c", "d"], [2, 3, 1, 6, 4, 5], 7, "uint8"),
    Fact(Unique("c", minimum_occurrences=2), list("abdcb"), ["a", "b", "zz", N], [1, 2, 1, 3], 4),
    Fact(Unique("c"), [3, 1, N, 1], [1, 3, 7, N], [2, 3, 1, 4], 5),
    Fact(Unique("c"), ["mary"], ["MARY", "mary"], [1, 2]),
    Fact(Unique("c"), [N, NAN], ["a", N], [1, 2], 3),
    Fact(Unique("c"), [INF, 1, -INF], [-INF, 1, INF, N], [2, 3, 4, 5]),
    Fact(Unique("c"), [True, "a", 2, N], [1, "a", 2.0, "1", False], [2, 4, 3, 1, 1], 6),
    Fact(OneHot("c"), [1, 2, 2, 3, 3, 3], [1, 2, 3, 4, N], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]], 3),
    Fact(OneHot("c"), [3, 3, 1, 2, N], [1, 2, 3, N], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], 3),
    Fact(
        OneHot("c", 2, compressed=True), [1, 2, 2, 3, 3, 3], [1, 2, 3, 4], [[0, 0], [1, 0], [0, 1], [0, 0]], 2, "uint8"
    ),
    Fact(
        OneHot("c", percent_occurrences=0.4, compressed=True), [1, 2, 2, 3, 3, 3], [1, 2, 3, 4], [[0], [0], [1], [0]], 1
    ),
    Fact(OneHot("c", drop_first=True), [1, 2, 2, 3, 3, 3], [1, 2, 3, 4], [[0, 0], [1, 0], [0, 1], [0, 0]], 2),
    Fact(OneHot("c", missing=True), ["b", N, "a"], ["a", "b", "c", N], [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]], 3),
    Fact(OneHot("c"), [N, N], ["a", N], [[], []], 0),
    Fact(Token("c", 3), ["apple, !orange! carrot"], ["apple orange carrot"], [[2, 4, 3]], 6, "uint8"),
    Fact(
        Token("c", 3),
        ["apple, !orange! carrot"],
        ["Apple", N, "x apple y carrot", "漢 字", ""],
        [[2, 5, 5], [5, 5, 5], [1, 2, 1], [1, 1, 5], [5, 5, 5]],
    ),
    Fact(Token("c", minimum_occurrences=2), ["a b", "b c", N], ["a b c"], [[1, 2]], 4),
    Fact(Token("c"), [N, " ... "], ["a", N], [[1], [2]], 3),
    Fact(Token("c"), [1, True, N], [True, 1, 1.0, N, Decimal("1.0")], [[3], [2], [2], [4], [1]], 5),
    Fact(Token("c"), [12, 12.5, N, "a"], [12.0, "12", 12.5, "12.5"], [[2], [2], [3], [3]], 6),
    Fact(MiddleOut("c", 2), [[0] * 8], [[0] * 8], [[0, 1, 2, 2, 2, 2, 3, 4]], 5, "uint8"),
    Fact(MiddleOut("c", 5), [[0] * 4], [[0] * 4], [[0, 1, 9, 10]], 11),
    Fact(MiddleOut("c", 5), [[0] * 5], [[0] * 5], [[0, 1, 5, 9, 10]], 11),
    Fact(MiddleOut("c", 2), [[0] * 7], [[0] * 7, N, ["a", "b"]], [[0, 1, 2, 2, 2, 3, 4], [2] * 7, [0, 4, *[2] * 5]]),
    Fact(MiddleOut("c", 2), [[0] * 4], [[0] * 4], [[0, 1, 3, 4]]),
    Fact(MiddleOut("c", 2), [[0] * 5], [[0] * 5], [[0, 1, 2, 3, 4]]),
    Fact(MiddleOut("c", 2, sequence_length=3), [[0] * 5], [[0] * 5], [[0, 1, 2]]),
    Fact(
        NestedUnique("c", 3),
        [["apple", "orange", "carrot"]],
        [["apple", "orange", "carrot"], ["x"], [NAN], N, [], ["carrot", N, "apple"]],
        [[2, 4, 3], [1, 5, 5], [5, 5, 5], [5, 5, 5], [5, 5, 5], [3, 5, 2]],
        6,
    ),
    Fact(
        NestedUnique("c"),
        [["a", "b"], ["a", "b", "c"], ["c", "d"], ["a", "e"], N],
        [list("ab"), N],
        [[2, 3, 7], [7] * 3],
        8,
    ),
    Fact(NestedUnique("c"), [[2**60 + 1], [2**60, N]], [[2**60], [2**60 + 1, N]], [[2, 4], [3, 4]], 5),
    Fact(
        NestedNorm("c", 3),
        [[1, 2, 3]],
        [[1, 2, 3], [100], [-100], [NAN], N],
        [[-ROOT, 0, ROOT], [ROOT, 0, 0], [-ROOT, 0, 0], [0, 0, 0], [0, 0, 0]],
        None,
        "float32",
    ),
]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.encoder!r} of {fact.given}"[:70])
def test_codes_of_known_values(fact: Fact) -> None:
    encoder = fact.encoder.fit(column(fact.fitted))
    codes = encoder.transform(column(fact.given))
    expected = np.array(fact.codes).reshape(len(fact.given), -1)
    np.testing.assert_allclose(codes.astype(float), expected, rtol=1e-5, atol=1e-5)
    if fact.cardinality is not None:
        assert encoder.cardinality == fact.cardinality
    if fact.dtype is not None:
        assert codes.dtype == fact.dtype


def column(values: list[Any], **others: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({"c": pd.Series(values), **{name: pd.Series(each) for name, each in others.items()}})


INVERSES = [
    (Boolean("c"), [1], [0, 1, 2, 0.4, 0.6], [False, True, True, False, True]),
    (Pass("c"), [1.5], [1.5, 0.0], [1.5, 0.0]),
    (Uniform("c"), [3, 1, 2, 1, 4], [0, 1 / 3, 2 / 3, 1], [1, 2, 3, 4]),
    (Norm("c"), [3, 1, 2, 1, 4], [-1.2 / SIGMA, 0.8 / SIGMA, 0], [1, 3, 2.2]),
    (Discrete("c", 5), [0, 4], [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, NAN]),
    (Discrete("c", 2, edges="equal_width"), [0, 4], [0, 1, 2], [0, 2, NAN]),
    (Discrete("c", 1), [3, 4], [0, 1], [3, NAN]),
    (Discrete("c", 5), [DAYS[0], DAYS[-1]], [0, 4, 5], [pd.Timestamp(DAYS[0]), pd.Timestamp(DAYS[-1]), pd.NaT]),
    (Enum("c"), [0, 4], [0, 3, 4, 5, 6], [0, 3, 4, pd.NA, pd.NA]),
    (
        Quantile("c", 5),
        THIRTEEN,
        [5, 0, 0, 0, 1, 1, 6, 7, 7],
        ["<1", 1.0, 1.0, 1.0, 3.4, 3.4, ">1000", None, None],
    ),
    (
        Unique("c"),
        list("abdcb"),
        [0, 1, 2, 3, 4, 5, 6, 7],
        ["MISSING_VALUE", "LONG_TAIL", "a", "b", "c", "d", "MISSING_VALUE", "MISSING_VALUE"],
    ),
    (Unique("c", 2), list("abdcb"), [1, 2, 3], ["LONG_TAIL", "b", "MISSING_VALUE"]),
    (OneHot("c"), [1, 2, 3], [[1, 0, 0], [0.1, 0.2, 0.7], [0, 0, 0]], [1, 3, NAN]),
    (OneHot("c", drop_first=True), [1, 2, 3], [[1, 0], [0, 1], [0, 0]], [2, 3, 1]),
    (
        Token("c", 3),
        ["apple, !orange! carrot"],
        [[3, 4, 2], [1, 5, 5], [5, 5, 5]],
        ["carrot orange apple", "LONG_TAIL MISSING_VALUE MISSING_VALUE", " ".join(["MISSING_VALUE"] * 3)],
    ),
    (MiddleOut("c", 2), [[0] * 5], [[0, 1, 2, 3, 4]], [[0, 1, None, -2, -1]]),
    (
        NestedUnique("c", 2),
        [["a", "b"]],
        [[2, 3], [1, 4], [0, 9]],
        [["a", "b"], ["LONG_TAIL", "MISSING_VALUE"], ["MISSING_VALUE", "MISSING_VALUE"]],
    ),
    (NestedNorm("c", 3), [[1, 2, 3]], [[ROOT, 0, 0], [-ROOT, 0, 0]], [[3, 2, 2], [1, 2, 2]]),
]


@pytest.mark.parametrize(("encoder", "fitted", "codes", "values"), INVERSES, ids=lambda each: repr(each)[:40])
def test_values_of_known_codes(encoder: Any, fitted: list[Any], codes: list[Any], values: list[Any]) -> None:
    found = encoder.fit(column(fitted)).inverse_transform(np.array(codes))
    assert found.name == "c"
    for one, other in zip(found.tolist(), values, strict=True):
        if isinstance(other, list):
            assert (
                one == pytest.approx(other) if isinstance(other[0], int | float) and None not in other else one == other
            )
        elif other is None or other is pd.NA or other is pd.NaT or other is NAN:
            assert one is None if other is None else pd.isna(one)
        else:
            assert one == pytest.approx(other) if isinstance(other, float | int) else one == other


def test_equal_columns_are_told_and_missing_values_equal_nothing() -> None:
    encoder = Equals("left", "right")
    frame = pd.DataFrame({"left": [N, 1, 2, 2], "right": [N, N, 1, 2]})
    assert encoder.fit(frame).transform(frame).ravel().tolist() == [0, 0, 0, 1]
    assert (encoder.name, encoder.cardinality, encoder.inputs) == ("equals_left_and_right", 2, ("left", "right"))
    texts = pd.DataFrame(
        {"left": pd.Series(["a", N, "b"], dtype=object), "right": pd.Series(["a", N, "c"], dtype=object)}
    )
    assert encoder.transform(texts).ravel().tolist() == [1, 0, 0]
    assert encoder.inverse_transform(np.array([0, 1])).tolist() == [False, True]


def test_norm_learns_mean_and_population_deviation_and_leaves_missing_values_out() -> None:
    encoder = Norm("c").fit(column([3, 1, 2, 1, 4]))
    assert (encoder.mean_, encoder.std_) == pytest.approx((2.2, SIGMA))
    digits = column(list(range(10)))
    codes = Norm("c", dtype="float64").fit_transform(digits)
    assert (codes.mean(), codes.std()) == pytest.approx((0, 1))
    with_missing = Norm("c").fit(column([*range(10), N]))
    assert (with_missing.mean_, with_missing.std_) == (4.5, Norm("c").fit(digits).std_)


@pytest.mark.parametrize(
    ("fitted", "edges"), [(THIRTEEN, [1, 3.4, 5.8, 22, 46, 1000]), ([1] * 8 + [9, 10], [1, 2.6, 10])]
)
def test_quantiles_have_these_edges(fitted: list[int], edges: list[float]) -> None:
    assert Quantile("c", 5).fit(column(fitted)).edges_.tolist() == pytest.approx(edges)


@pytest.mark.parametrize("spelling", ["group_by", "stratify"])
def test_unique_counts_groups_where_it_is_told_to(spelling: str) -> None:
    frame = column(list("abdcba"), user=[0, 1, 2, 3, 4, 0])
    encoder = Unique("c", minimum_occurrences=2, **{spelling: "user"}).fit(frame)
    assert (encoder.vocabulary_.values, encoder.cardinality) == (["b"], 4)
    assert (encoder.inputs, encoder.fit_inputs) == (("c",), ("c", "user"))


def test_unique_orders_codes_by_a_column_where_it_is_told_to() -> None:
    frame = column(list("abca"), y=[1, 0.2, 0.5, 1])
    encoder = Unique("c", correlation="y").fit(frame)
    assert encoder.transform(column(["b", "c", "a"])).ravel().tolist() == [2, 3, 4]


def test_the_order_of_rows_decides_nothing_where_means_are_equal() -> None:
    # Summed in this order, the means of the two would differ in their last digit.
    frame = column(list("aaabbb"), y=[0.1, 0.2, 0.3, 0.3, 0.2, 0.1])
    assert Unique("c", correlation="y").fit(frame).vocabulary_.values == ["a", "b"]


def test_twins_share_what_is_learnt_from_both() -> None:
    encoder = Unique("c", twin=True)
    frame = pd.DataFrame({"c": [1, 2, 3, 4, 5], "c_twin": [4, 5, 6, 1, 2]})
    codes = encoder.fit(frame).transform(frame)
    assert codes.T.tolist() == [[2, 3, 4, 5, 6], [5, 6, 7, 2, 3]]
    assert (encoder.cardinality, encoder.feature_names) == (9, ("unique_c", "unique_c_twin"))
    pd.testing.assert_frame_equal(encoder.inverse_transform(codes), frame, check_dtype=False)


def test_twins_of_text_share_their_words() -> None:
    encoder = Token("c", sequence_length=3, twin=True)
    own, twin = ["organic orange juice", "organic apple juice"], ["healthy orange juice", "naval orange juice"]
    frame = pd.DataFrame({"c": own, "c_twin": twin})
    codes = encoder.fit(frame).transform(frame)
    assert codes.tolist() == [[7, 6, 4, 3, 6, 4], [7, 2, 4, 5, 6, 4]]
    assert encoder.cardinality == 9
    names = [f"token_c_{place}" for place in range(3)]
    assert encoder.feature_names == (*names, *(f"{name}_twin" for name in names))


def test_words_lose_case_and_the_punctuation_at_their_ends() -> None:
    encoder = Token("c").fit(column(["don't stop", "a b c d", "e-mail me@x.com (now)!"]))
    assert encoder.sequence_length == 4
    assert encoder.vocabulary_.values == ["a", "b", "c", "d", "don't", "e-mail", "me@x.com", "now", "stop"]


def test_names_of_features() -> None:
    assert OneHot("t").fit(pd.DataFrame({"t": [1, 2, 2]})).feature_names == ("t_1", "t_2")
    assert OneHot("t").fit(pd.DataFrame({"t": [1, 2, N]})).feature_names == ("t_1", "t_2")
    twins = pd.DataFrame({"t": [1], "t_twin": [2]})
    assert OneHot("t", twin=True).fit(twins).feature_names == ("t_1", "t_2", "t_1_twin", "t_2_twin")
    assert OneHot("c").fit(column([1, "1"])).feature_names == ("c_1", "c_'1'")
    assert NestedUnique("a").fit(pd.DataFrame({"a": [[1, 2]]})).feature_names == (
        "nested_unique_a_0",
        "nested_unique_a_1",
    )
    assert Norm("age", name="years").fit(pd.DataFrame({"age": [1]})).feature_names == ("years",)


def test_names_and_ages_of_the_subscribers() -> None:
    counts = {"mary": 30, "john": 30, "bob": 20, "jane": 20, "chris": 10, "montana": 5, "zaphod": 3, None: 2}
    fitted = column([name for name, count in counts.items() for _ in range(count)])
    given = column(["mary", "john", "bob", "jane", "chris", "montana", "zaphod", "MARY", "newname", N])
    encoder = Unique("c", minimum_occurrences=10).fit(fitted)
    assert encoder.transform(given).ravel().tolist() == [6, 5, 2, 4, 3, 1, 1, 1, 1, 7]
    assert encoder.cardinality == 8


def test_what_names_tell_of_the_subscribers_is_encoded() -> None:
    counts = {"mary": 30, "john": 30, "bob": 20, "jane": 20, "chris": 10, "montana": 5, "zaphod": 3, None: 2}
    fitted = column([name for name, count in counts.items() for _ in range(count)])
    given = column(["mary", "john", "bob", "jane", "chris", "montana", "zaphod", "MARY", "newname", N])
    sex = Discrete(NameSex("c"), bins=10).fit(fitted)
    assert sex.transform(given).ravel().tolist() == [0, 8, 9, 0, 7, 2, 10, 0, 10, 10]
    assert sex.cardinality == 11
    age = Norm(Log(NameAge("c"))).fit(fitted).transform(given).ravel()
    assert age[[6, 8, 9]].tolist() == [0, 0, 0]
    assert age[0] == age[7]
    assert sorted(range(6), key=lambda place: -age[place]) == [2, 0, 3, 1, 4, 5], (
        "bob, mary, jane, john, chris, montana"
    )


@pytest.mark.parametrize(
    ("encoder", "name"),
    [
        (Norm(Log(NameAge("first_name"))), "norm_first_name_name_age_log"),
        (Unique(AreaCode("phone")), "unique_phone_area_code"),
        (NestedUnique("a"), "nested_unique_a"),
        (MiddleOut("a", 1), "middle_out_a"),
        (OneHot("a"), "one_hot_a"),
    ],
)
def test_names_say_what_is_encoded(encoder: Any, name: str) -> None:
    assert encoder.name == name


def test_rare_levels_have_no_column() -> None:
    frame = pd.DataFrame({"t": [1, 2, 2, 3, 3, 3]})
    assert OneHot("t", 2, compressed=True).fit(frame).feature_names == ("t_2", "t_3")
    assert OneHot("t", percent_occurrences=0.4, compressed=True).fit(frame).feature_names == ("t_3",)
    assert OneHot("t", drop_first=True).fit(frame).feature_names == ("t_2", "t_3")


@pytest.mark.parametrize("kind", [Pass, Uniform, Norm, NestedNorm])
def test_what_is_continuous_has_no_cardinality(kind: Any) -> None:
    with pytest.raises(ValueError, match="is continuous: it has no cardinality"):
        _ = kind("c").cardinality


@pytest.mark.parametrize(
    ("cardinality", "dtype"),
    [(2, "uint8"), (255, "uint8"), (256, "uint16"), (65_535, "uint16"), (65_536, "uint32"), (2**32, "uint64")],
)
def test_codes_have_the_smallest_type(cardinality: int, dtype: str) -> None:
    assert smallest(cardinality) == dtype


def test_a_number_of_codes_that_no_type_holds_is_said() -> None:
    with pytest.raises(ValueError, match="no type holds"):
        smallest(2**64)


def test_what_was_made_of_a_transformer_may_not_have_a_twin_and_that_is_said() -> None:
    with pytest.raises(ValueError, match="only a column that is named can have a twin"):
        Norm(Log("c"), twin=True).fit(pd.DataFrame({"c": [1.0], "c_twin": [2.0]}))


@pytest.mark.parametrize("encoder", [Norm(Unique("c")), Equals("c", Unique("c")), Norm(Norm("c"))], ids=repr)
def test_an_encoder_within_an_encoder_is_refused(encoder: Any) -> None:
    with pytest.raises(ValueError, match="is an encoder: give a column or a transformer"):
        encoder.fit(column(["a"]))
