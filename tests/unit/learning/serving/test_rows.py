"""Rows of requests: what is accepted, what is refused and with which words, and that JSON is as good as a frame."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpipeline.data.schema import Column
from mlpipeline.learning.serving.forms.numbers import Number
from mlpipeline.learning.serving.refusal import Refusal
from mlpipeline.learning.serving.rows import Reader
from mlpipeline.learning.serving.served import PREDICTIONS, PROBA, Served
from tests.unit.learning.serving.conftest import ROW


def column(kind: str, dtype: str = "object", name: str = "c") -> Column:
    return Column(name=name, kind=kind, dtype=dtype, missing=0.0)


def refused(served: Served, body: Any) -> Refusal:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Refusal) as found:
        served.reader.read_json(raw)
    return found.value


@pytest.mark.parametrize(
    "body", [b"", b"nope", b"[1,", b"\xff", b"[" * 100_000, b'[{"age": NaN}]', b'[{"age": Infinity}]']
)
def test_what_is_no_json_is_refused(served: Served, body: bytes) -> None:
    found = refused(served, body)
    assert (found.status, found.reason) == (400, "not_json")


@pytest.mark.parametrize("body", [b'[{"age": 1, "town": "x", "age": 2}]', b'{"rows": [], "age": {"age": 1, "age": 1}}'])
def test_a_key_that_comes_twice_is_refused_and_named(served: Served, body: bytes) -> None:
    found = refused(served, body)
    assert (found.status, found.reason, found.column) == (400, "doubled_key", "age")
    assert str(found) == "an object has the key 'age' more than once: leave one of them"


def test_a_body_may_begin_with_a_byte_order_mark(served: Served) -> None:
    assert served.reader.read_json(b"\xef\xbb\xbf" + json.dumps([ROW]).encode())


@pytest.mark.parametrize("body", [{}, 1, "x", None, {"rows": [ROW], "more": 1}, ROW, {"rows": 1}])
def test_what_is_no_list_of_rows_is_refused(served: Served, body: Any) -> None:
    assert (refused(served, body).status, refused(served, body).reason) == (400, "not_rows")


def test_a_row_that_is_no_object_is_named(served: Served) -> None:
    found = refused(served, [ROW, [1]])
    assert (found.status, found.reason, found.row) == (400, "not_an_object", 2)


def test_no_rows_and_too_many_are_refused(served: Served) -> None:
    assert refused(served, []).reason == "no_rows"
    found = refused(served, [ROW] * 101)
    assert (found.status, found.reason) == (413, "too_many_rows")


def test_a_missing_column_is_named_with_its_row(served: Served) -> None:
    found = refused(served, [ROW, {name: value for name, value in ROW.items() if name != "town"}])
    assert (found.status, found.reason, found.row, found.column) == (400, "missing_column", 2, "town")


def test_a_misspelled_column_is_recognized(served: Served) -> None:
    found = refused(served, [{**{name: value for name, value in ROW.items() if name != "town"}, "twn": "Bonn"}])
    assert found.column == "town"
    assert "Is it 'twn'?" in str(found)


def test_a_column_too_many_is_named_with_its_row(served: Served) -> None:
    found = refused(served, [ROW, ROW, ROW | {"agee": 1}])
    assert (found.status, found.reason, found.row, found.column) == (400, "unknown_column", 3, "agee")
    assert "Did you mean 'age'?" in str(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age", "31"),
        ("age", True),
        ("age", [1]),
        ("age", {}),
        ("age", 10**400),
        ("visits", 3.5),
        ("visits", 2**63),
        ("visits", "3"),
        ("town", 3),
        ("town", "\ud800"),
        ("is_member", 1),
        ("is_member", "true"),
        ("since", "yesterday"),
        ("since", 2020),
        ("since", "2020-13-01"),
    ],
)
def test_a_value_of_another_type_is_named_with_row_and_column(served: Served, name: str, value: Any) -> None:
    found = refused(served, [ROW, ROW | {name: value}])
    assert (found.status, found.reason, found.row, found.column) == (400, "wrong_value", 2, name)
    assert f"row 2, column '{name}': " in str(found)


def test_a_number_beyond_all_floats_is_refused(served: Served) -> None:
    found = refused(served, json.dumps([ROW]).replace("31.5", "1e999").encode())
    assert (found.reason, found.column) == ("wrong_value", "age")


def test_errors_have_one_shape(served: Served) -> None:
    for body in ([], [ROW | {"age": "x"}], b"nope"):
        told = json.loads(refused(served, body).body())
        assert told.keys() == {"error"}
        assert told["error"].keys() == {"status", "reason", "message", "row", "column"}


def test_a_query_has_a_row_for_each_repetition(served: Served) -> None:
    rows = [ROW, ROW | {"age": None, "visits": 7, "is_member": False}]
    texts = [
        {name: "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
         for name, value in row.items()}
        for row in rows
    ]  # fmt: skip
    pairs = [(name, text) for row in texts for name, text in row.items()]
    assert served.reader.read_query(pairs) == served.reader.read(rows)


def test_a_query_that_lacks_a_value_is_refused(served: Served) -> None:
    pairs = [(name, str(value)) for name, value in ROW.items() if name != "is_member"] + [("is_member", "true")]
    with pytest.raises(Refusal, match="column 'visits' has 1 values, another one 2") as found:
        served.reader.read_query([*pairs, ("age", "3")])
    assert (found.value.row, found.value.column) == (2, "visits")
    with pytest.raises(Refusal, match="column 'age' is missing"):
        served.reader.read_query(pairs[1:])
    with pytest.raises(Refusal, match="column 'x' is not known"):
        served.reader.read_query([*pairs, ("x", "3")])
    with pytest.raises(Refusal, match="row 1, column 'age': \"old\""):
        served.reader.read_query([("age", "old"), *pairs[1:]])


def test_each_kind_of_column_becomes_what_was_fitted() -> None:
    cases = [
        (column("number", "float64"), [1, None, 2.5], [1.0, np.nan, 2.5]),
        (column("number", "int64"), [1, 2.0, 2**62 + 1], [1, 2, 2**62 + 1]),
        (column("number", "uint8"), [1, 2**64 - 1, 0], [1, 2**64 - 1, 0]),
        (column("duration", "timedelta64[us]"), [1.5, None, 0], [pd.Timedelta("1.5s"), pd.NaT, pd.Timedelta(0)]),
        (column("bytes"), ["AQI=", None, ""], [b"\x01\x02", None, b""]),
        (column("list"), [[1, "a"], None, []], [[1, "a"], None, []]),
        (column("mixed"), [1, "a", True], [1, "a", True]),
    ]
    for each, values, wanted in cases:
        reader = Reader([each], 10)
        found = reader.frame(reader.read([{"c": value} for value in values]))
        for one, other in zip(found["c"].tolist(), wanted, strict=True):
            assert one == other or (pd.isna(one) and pd.isna(other)), (each, one, other)


def test_times_are_in_utc_and_have_a_zone_where_that_was_fitted() -> None:
    for dtype, wanted in (
        ("datetime64[us]", datetime(2026, 1, 1, 10)),  # noqa: DTZ001
        ("datetime64[us, UTC]", datetime(2026, 1, 1, 10, tzinfo=UTC)),
        ("datetime64[ns, Europe/Berlin]", datetime(2026, 1, 1, 10, tzinfo=UTC)),
    ):
        reader = Reader([column("time", dtype)], 10)
        rows = [{"c": text} for text in ("2026-01-01T12:00:00+02:00", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00")]
        assert reader.frame(reader.read([*rows, {"c": None}]))["c"].tolist()[:3] == [wanted] * 3


@pytest.mark.parametrize("kind", ["bytes", "list", "mixed", "duration", "nothing"])
def test_what_cannot_be_of_a_kind_is_refused(kind: str) -> None:
    reader = Reader([column(kind)], 10)
    with pytest.raises(Refusal, match="row 1, column 'c'"):
        reader.read([{"c": {"a": 1}}])
    if kind == "list":
        with pytest.raises(Refusal, match="row 1"):
            reader.read([{"c": [{}]}])


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "age": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70),
            "visits": st.none() | st.integers(-(2**63), 2**63 - 1),
            "town": st.none() | st.sampled_from(["Bonn", "Köln", ""]) | st.text(st.characters(codec="utf-8")),
            "is_member": st.none() | st.booleans(),
            "since": st.none()
            | st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(  # noqa: DTZ001
                lambda moment: moment.isoformat()
            ),
        }
    ),
    min_size=1,
    max_size=8,
)


@given(ROWS)
@settings(deadline=None, max_examples=25)
def test_rows_by_json_are_rows_in_a_frame_and_rows_one_by_one(rows: list[dict[str, Any]]) -> None:
    served = _served()
    reader = served.reader
    together = served.answer(reader.read_json(json.dumps(rows).encode()), PROBA).rows
    alone = [served.answer(reader.read_json(json.dumps([row]).encode()), PROBA).rows[0] for row in rows]
    assert together == alone
    since = [None if row["since"] is None else datetime.fromisoformat(row["since"]) for row in rows]
    dtypes = {"age": "float64", "visits": "Int64", "town": "str", "is_member": "boolean"}
    columns = {name: pd.Series([row[name] for row in rows], dtype=dtype) for name, dtype in dtypes.items()}
    frame = pd.DataFrame(columns | {"since": pd.Series(since, dtype="datetime64[us]")})
    assert served._model.predict_proba(frame).to_numpy().tolist() == together
    assert served.answer(reader.read(rows), PREDICTIONS).rows == served._model.predict(frame).tolist()


@pytest.fixture(scope="module", autouse=True)
def keep(place: Any) -> None:
    """Lets the property test load the model once: hypothesis calls it many times."""
    _CACHE["place"] = place


_CACHE: dict[str, Any] = {}


def _served() -> Served:
    from mlpipeline.learning import serializers
    from mlpipeline.learning.serving.catalog import offer
    from tests.unit.learning.serving.conftest import Linear

    if "served" not in _CACHE:
        place = str(_CACHE["place"])
        _CACHE["served"] = Served(offer(place), serializers.load(place, classes=[Linear]), row_limit=100)
    found: Served = _CACHE["served"]
    return found


def test_a_frame_of_numbers_alone_is_as_one_of_their_columns() -> None:
    columns = [column("number", "float64", name) for name in ("one", "two")]
    values: list[list[Any]] = [[1, None, 2**60 + 1], [0.5, 1.5, -2]]
    expected = pd.DataFrame({"one": Number().array(values[0]), "two": Number().array(values[1])})
    pd.testing.assert_frame_equal(Reader(columns, 10).frame(values), expected)
    mixed = Reader([*columns, column("text", name="three")], 10).frame([*values, ["a", None, "c"]])
    pd.testing.assert_frame_equal(mixed[["one", "two"]], expected)
