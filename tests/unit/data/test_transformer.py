"""What all transformers share: names, inputs, faults, how they are compared, said and saved."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
from mlpipeline.data import plain
from mlpipeline.data.encoders import Unique
from mlpipeline.data.given import inputs_of, name_of, read, underscore
from mlpipeline.data.given import plain as plain_of
from mlpipeline.data.transformer import Transformer, find
from mlpipeline.data.transformers import Age, Distance, IsNull, Log, Map, NameAge, String


class Halved(Transformer):
    """A transformer that a user wrote."""

    def apply(self, values: pd.Series) -> pd.Series:
        return values.to_numpy() / 2


class Short(Transformer):
    def apply(self, values: pd.Series) -> pd.Series:
        return values.iloc[:1]


class Void(Transformer):
    pass


def test_inputs_are_all_columns_at_any_depth_in_order_and_once() -> None:
    nested = Distance(Log(Halved("b")), "a", Age("c", reference="b"), String("d", "lower"))
    assert nested.inputs == ("b", "a", "c", "d")
    assert inputs_of(nested) == nested.inputs
    assert inputs_of("a") == ("a",)


def test_names_are_those_of_columns_or_of_what_transformers_make() -> None:
    assert name_of("a") == "a"
    assert name_of(Log("a")) == "a_log"
    assert [underscore(name) for name in ("GeoIP", "LogPlusOne", "IsNull", "Log", "OneHot")] == [
        *("geo_ip", "log_plus_one", "is_null", "log", "one_hot")
    ]


def test_reading_gives_the_column_or_what_is_made_of_it() -> None:
    frame = pd.DataFrame({"a": [2.0, 4.0]}, index=[7, 7])
    assert read("a", frame).tolist() == [2, 4]
    found = read(Halved("a"), frame)
    assert found.tolist() == [1, 2]
    assert found.index.tolist() == [7, 7]
    assert found.name == "a_halved"


def test_categories_are_read_as_what_they_stand_for() -> None:
    frame = pd.DataFrame({"a": pd.Categorical(["Bob", None, "Ann"])})
    assert String("a", "lower").transform(frame).tolist()[::2] == ["bob", "ann"]


def test_a_bare_column_will_do_for_one_input() -> None:
    assert Halved("a").transform(pd.Series([2.0])).tolist() == [1]
    with pytest.raises(errors.DataFault, match="reads a, b"):
        Age("a", reference="b").transform(pd.Series([2.0]))


def test_a_missing_column_is_named_with_the_nearest_one() -> None:
    with pytest.raises(
        errors.DataFault, match=r"no column 'frist_name'\. Did you mean 'first_name'\? The frame has first_name"
    ):
        Log(NameAge("frist_name")).transform(pd.DataFrame({"first_name": ["bob"]}))
    with pytest.raises(errors.DataFault, match="The frame has no columns"):
        read("a", pd.DataFrame())


def test_a_doubled_column_is_refused() -> None:
    with pytest.raises(errors.DataFault, match="column 'a' stands there more than once"):
        read("a", pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_a_transformer_that_loses_rows_is_stopped() -> None:
    with pytest.raises(errors.DataFault, match=r"Short\('a'\) made 1 values of 2 rows"):
        Short("a").transform(pd.DataFrame({"a": [1, 2]}))


def test_a_transformer_that_does_nothing_is_told_what_to_define() -> None:
    with pytest.raises(TypeError, match="Void has neither `apply` nor `combine`"):
        Void("a").transform(pd.DataFrame({"a": [1]}))


def test_they_are_equal_by_their_parameters() -> None:
    assert Log(NameAge("a")) == Log(NameAge("a"))
    assert hash(Log(NameAge("a"))) == hash(Log(NameAge("a")))
    assert Log("a") != Log("b")
    assert Log("a") != IsNull("a")
    assert String("a", "slice", 0, 2) != String("a", "slice", 0, 3)
    assert String("a", "slice", stop=2) == String("a", "slice", stop=2)


@pytest.mark.parametrize(
    ("transformer", "said"),
    [
        (Log(NameAge("a")), "Log(NameAge('a'))"),
        (String("a", "slice", 0, stop=2), "String('a', 'slice', 0, stop=2)"),
        (Age("a", unit="days"), "Age('a', unit='days')"),
        (Age("a", "b"), "Age('a', reference='b')"),
    ],
)
def test_they_say_how_they_were_made(transformer: Transformer, said: str) -> None:
    assert repr(transformer) == said


@pytest.mark.parametrize(
    "transformer",
    [
        Log(NameAge("a")),
        String("a", "slice", 0, stop=2),
        Map("a", {1: "x", "y": None, None: float("inf"), (1, 2): [True]}),
        Age("a", as_of=datetime(2026, 1, 2, tzinfo=UTC)),
        Halved("a"),
    ],
)
def test_they_are_the_same_after_saving(transformer: Transformer) -> None:
    state = json.loads(json.dumps(transformer.state(), allow_nan=False))
    assert Transformer.from_state(state) == transformer


@pytest.mark.parametrize("value", [np.int64(3), np.float32(0.5), PurePosixPath("a/b"), re.compile("a", re.IGNORECASE)])
def test_parameters_of_many_kinds_can_be_saved(value: Any) -> None:
    assert plain.load(json.loads(json.dumps(plain.dump(value)))) == value


def test_what_no_file_can_hold_is_refused() -> None:
    with pytest.raises(errors.DataFault, match="cannot be saved"):
        String("a", "replace", "x", lambda match: "y", regex=True).state()


@pytest.mark.parametrize("name", ["Nobody", "os:system", "mlpipeline.data.transformer:find", "posix:system"])
def test_loading_runs_nothing_but_transformers_that_are_known(name: str) -> None:
    with pytest.raises(errors.DataFault, match=f"there is no transformer '{name}'"):
        Transformer.from_state({"class": name, "parameters": {"mapping": [["column", "a"]]}})
    with pytest.raises(errors.DataFault, match="there is no parameter of the kind"):
        plain.load({"eval": "1"})


def test_parameters_of_another_release_are_refused() -> None:
    with pytest.raises(errors.DataFault, match="Log was saved with column, base and has column"):
        Transformer.from_state({"class": "Log", "parameters": {"mapping": [["column", "a"], ["base", 2]]}})


def test_a_name_finds_its_class() -> None:
    assert find("Log") is Log
    assert find(f"{__name__}:Halved") is Halved


@pytest.mark.parametrize(
    ("categories", "expected", "dtype"),
    [
        ([1, None, 2], [1, None, 2], "float64"),
        ([1, 2], [1, 2], "int64"),
        ([True, None], [True, None], "object"),
        (["a", None], ["a", None], "str"),
        ([pd.Timestamp("2020-01-01"), None], [pd.Timestamp("2020-01-01"), None], "datetime64[us]"),
        ([None, None], [None, None], None),
    ],
)
def test_categories_of_every_type_are_read(categories: Any, expected: list[Any], dtype: str | None) -> None:
    frame = pd.DataFrame({"c": pd.Categorical(categories)}, index=range(5, 5 + len(categories)))
    found = plain_of(read("c", frame))
    assert [None if pd.isna(each) else each for each in found] == expected
    assert found.index.tolist() == frame.index.tolist()
    assert dtype is None or str(found.dtype) == dtype
    encoded = Unique("c").fit(frame).transform(frame).ravel().tolist()
    objects = frame.astype({"c": object})
    assert encoded == Unique("c").fit(objects).transform(objects).ravel().tolist()
