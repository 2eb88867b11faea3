"""Schemas: what was captured is enforced, and survives being saved."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data.schema import Column, Schema, kind_of
from mlpipeline.errors import DataFault, WrongType

KINDS = [
    (
        "number",
        [
            pd.Series([1, 2]),
            pd.Series([1.5, np.nan]),
            pd.Series([1, None], dtype="Int64"),
            pd.Series([1, None], dtype=object),
        ],
    ),
    ("number", [pd.Series([np.inf]), pd.Series([1, 2], dtype="category")]),
    ("boolean", [pd.Series([True]), pd.Series([True, None], dtype=object), pd.Series([True, None], dtype="boolean")]),
    ("text", [pd.Series(["a", None]), pd.Series(["a", None], dtype=object), pd.Series(["a"], dtype="category")]),
    ("time", [pd.Series(pd.to_datetime(["2026-01-01", None])), pd.Series([date(2026, 1, 1), None], dtype=object)]),
    ("time", [pd.Series(pd.to_datetime(["2026-01-01"])).dt.tz_localize("UTC")]),
    ("duration", [pd.Series(pd.to_timedelta(["1D"]))]),
    ("list", [pd.Series([[1], None]), pd.Series([np.array([1]), np.array([])])]),
    ("mixed", [pd.Series([1, "a"], dtype=object), pd.Series([{}, {}])]),
    (
        "nothing",
        [
            pd.Series([None, None], dtype=object),
            pd.Series([np.nan]),
            pd.Series([], dtype="str"),
            pd.Series([None], dtype="str"),
        ],
    ),
]


@pytest.mark.parametrize(("kind", "columns"), KINDS)
def test_kinds_do_not_depend_on_how_pandas_holds_them(kind: str, columns: list[pd.Series]) -> None:
    assert [kind_of(column) for column in columns] == [kind] * len(columns)


def schema(**columns: Any) -> Schema:
    return Schema(tuple(Column.captured(values) for _, values in pd.DataFrame(columns).items()))


def test_a_schema_survives_json() -> None:
    captured = schema(a=[1, 2], b=["x", None])
    assert captured["b"] == Column(name="b", kind="text", dtype="str", missing=0.5)
    assert Schema.from_dict(json.loads(json.dumps(captured.to_dict()))) == captured
    assert captured.names == ("a", "b")


@pytest.mark.parametrize(
    "frame",
    [{"a": [1.5], "b": ["y"]}, {"a": [None], "b": [None]}, {"b": ["y"], "a": [3], "c": [0]}, {"a": [], "b": []}],
)
def test_frames_of_the_same_kinds_pass(frame: dict[str, Any]) -> None:
    schema(a=[1, 2], b=["x", None]).check(pd.DataFrame(frame))


def test_a_column_that_was_empty_goes_with_everything() -> None:
    schema(a=[None, None]).check(pd.DataFrame({"a": ["x"]}))
    schema(a=[None, None]).check(pd.DataFrame({"a": [1]}))


def test_what_does_not_fit_is_named() -> None:
    captured = schema(a=[1, 2], b=["x", "y"], c=[True, False])
    with pytest.raises(DataFault, match="the data: no column 'a', 'c': it has b"):
        captured.check(pd.DataFrame({"b": ["x"]}))
    with pytest.raises(WrongType, match=r"rows: column 'a' holds text \(str\), but was fitted on numbers \(int64\)"):
        captured.check(pd.DataFrame({"a": ["1"], "b": ["x"], "c": [True]}), whose="rows")
    with pytest.raises(WrongType, match="'c' holds numbers"):
        captured.check(pd.DataFrame({"a": [1], "b": ["x"], "c": [1]}))
    with pytest.raises(DataFault, match="more than one column is called 'b'"):
        captured.check(pd.DataFrame([[1, "x", "x"]], columns=["a", "b", "b"]), names=["a", "b"])
    captured.check(pd.DataFrame({"b": ["x"]}), names=["b"])
