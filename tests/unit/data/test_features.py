"""Kept features: published in versions, read by time, and joined as they were known then."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.data import FeatureStore
from mlpipeline.data.stores.memory import MemoryStore
from mlpipeline.errors import DataFault, WrongType


@pytest.fixture(params=["directory", "store"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FeatureStore:
    return FeatureStore(tmp_path / "features" if request.param == "directory" else MemoryStore())


def orders() -> pd.DataFrame:
    days = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-02", "2026-01-05"])
    return pd.DataFrame({"user": [1, 1, 2, 1], "day": days, "orders": [1, 2, 5, 3], "city": ["A", "B", "C", None]})


def test_several_features_are_published_and_read_with_their_types(store: FeatureStore) -> None:
    store.publish("user", orders(), key="user", time="day")
    found = store.read("user")
    assert list(found) == ["time", "user", "orders", "city"]
    assert str(found.time.dtype) == "datetime64[us, UTC]"
    assert found.orders.tolist() == [1, 2, 5, 3]
    assert found.city.isna().tolist() == [False, False, False, True]
    assert list(store.read("user", ["city"])) == ["time", "user", "city"]
    assert (store.entities(), store.versions("user")) == (["user"], ["v1"])


def test_times_select_rows_from_start_until_before_end(store: FeatureStore) -> None:
    store.publish("user", orders(), key="user", time="day")
    assert store.read("user", start="2026-01-02").orders.tolist() == [2, 5, 3]
    assert store.read("user", end=datetime(2026, 1, 2, tzinfo=UTC)).orders.tolist() == [1]
    assert store.read("user", start="2026-01-02", end="2026-01-05").orders.tolist() == [2, 5]
    nothing = store.read("user", start="2030-01-01")
    assert (len(nothing), list(nothing)) == (0, ["time", "user", "orders", "city"])


def test_publishing_again_adds_and_what_is_published_last_counts(store: FeatureStore) -> None:
    first = store.publish("user", orders(), key="user", time="day")
    assert store.publish("user", orders(), key="user", time="day") == first, "the same rows are written once"
    later = pd.DataFrame({"user": [2, 3], "orders": [6, 7], "city": ["C", "D"]})
    store.publish("user", later, key="user", time="2026-01-02")
    found = store.read("user")
    assert found.set_index(["time", "user"]).loc[(pd.Timestamp("2026-01-02", tz="UTC"), 2), "orders"] == 6
    assert len(found) == 5


def test_versions_are_kept_apart_and_the_last_one_is_read(store: FeatureStore) -> None:
    for number, version in enumerate(["v1", "v10", "v2"]):
        store.publish(
            "user", orders().assign(orders=number)[["user", "day", "orders"]], key="user", time="day", version=version
        )
    assert store.versions("user") == ["v1", "v2", "v10"]
    assert set(store.read("user").orders) == {1}
    assert set(store.read("user", version="v2").orders) == {2}
    described = store.describe()
    assert described[["entity", "version", "feature", "kind", "key"]].values.tolist() == [
        ["user", version, "orders", "number", "user"] for version in ("v1", "v2", "v10")
    ]


def test_rows_get_what_was_known_at_their_time_and_nothing_later(store: FeatureStore) -> None:
    store.publish("user", orders(), key="user", time="day")
    rows = pd.DataFrame(
        {
            "user": [1, 1, 2, 1, 9, 1],
            "at": pd.to_datetime(["2026-01-04", "2026-01-02", "2026-01-01", "2026-02-01", "2026-02-01", "2025-01-01"]),
        },
        index=list("abcdef"),
    )
    found = store.join(rows, "user", time="at")
    assert found.index.tolist() == list("abcdef")
    assert found.orders.tolist()[:2] == [2, 2]
    assert found.orders.isna().tolist() == [False, False, True, False, True, True]
    assert found.orders["d"] == 3
    assert list(rows) == ["user", "at"], "the rows themselves are left alone"
    strict = store.join(rows, "user", ["orders"], time="at", strictly_before=True)
    assert strict.orders.tolist()[:2] == [2, 1]
    fresh = store.join(rows, "user", ["orders"], time="at", max_age="7D")
    assert fresh.orders.isna().tolist() == [False, False, True, True, True, True]


@given(
    known=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20)), min_size=1, max_size=12, unique=True),
    asked=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), min_size=1, max_size=12),
)
def test_a_join_is_what_a_search_row_by_row_finds(known: list[Any], asked: list[Any]) -> None:
    store, day, start = FeatureStore(MemoryStore()), pd.Timedelta("1D"), pd.Timestamp("2026-01-01")
    published = pd.DataFrame(known, columns=["user", "day"]).assign(value=np.arange(len(known)) * 1.0)
    store.publish("user", published.assign(day=start + published.day * day), key="user", time="day")
    rows = pd.DataFrame(asked, columns=["user", "at"])
    found = store.join(rows.assign(at=start + rows["at"] * day), "user", time="at").value.tolist()
    for (user, at), value in zip(asked, found, strict=True):
        before = [(when, place) for place, (who, when) in enumerate(known) if who == user and when <= at]
        assert value == max(before)[1] if before else np.isnan(value)


def test_keys_of_several_columns_and_other_dtypes_join(store: FeatureStore) -> None:
    published = pd.DataFrame({"user": [1, 2], "shop": ["x", "y"], "spent": [1.5, 2.5]})
    store.publish("visit", published, key=["user", "shop"], time="2026-01-01")
    rows = pd.DataFrame({"user": [2.0, 1.0, None], "shop": pd.Series(["y", "y", "x"], dtype=object)})
    rows["at"] = pd.Timestamp("2026-03-01 12:00", tz="Europe/Berlin")
    assert store.join(rows, "visit", time="at").spent.tolist()[:1] == [2.5]
    assert store.join(rows, "visit", time="at").spent.isna().tolist() == [False, True, True]
    with pytest.raises(WrongType, match="key 'user' holds str"):
        store.join(rows.assign(user="2"), "visit", time="at")


def test_what_is_newest_is_served_by_key(store: FeatureStore) -> None:
    store.publish("visit", orders().assign(shop="x"), key=["user", "shop"], time="day")
    online = MemoryStore()
    assert store.distribute("visit", online) == 2
    assert sorted(online.keys()) == ["visit/v1/shop=x#user=1", "visit/v1/shop=x#user=2"]
    assert json.loads(online.get("visit/v1/shop=x#user=1")) == {"orders": 3, "city": None}
    assert store.lookup("visit", online, {"user": 2, "shop": "x"}) == {"orders": 5, "city": "C"}
    assert store.lookup("visit", online, {"user": 3, "shop": "x"}) is None


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (lambda frame: frame[:0], {}, "gave no rows"),
        (lambda frame: frame.drop(columns="user"), {}, "no column 'user'"),
        (lambda frame: frame.assign(user=[1, None, 2, 1]), {}, "1 of 4 rows have no 'user'"),
        (lambda frame: frame.assign(day=pd.NaT), {}, "4 of 4 rows have no 'day'"),
        (lambda frame: frame.assign(day=1), {}, "not times"),
        (lambda frame: pd.concat([frame, frame]), {}, "4 rows have the key and the time of another"),
        (lambda frame: frame[["user", "day"]], {}, "there is no feature"),
        (lambda frame: frame, {"key": ()}, "key is empty"),
        (lambda frame: frame, {"time": "someday"}, "'someday' is no moment"),
        (lambda frame: frame.assign(time=1), {}, "rename it"),
        (lambda frame: frame, {"version": "../v1"}, "version is '../v1'"),
    ],
)
def test_what_cannot_be_published_is_refused(change: Any, options: dict[str, Any], said: str) -> None:
    store = FeatureStore(MemoryStore())
    with pytest.raises(DataFault) as raised:
        store.publish("user", change(orders()), **({"key": "user", "time": "day"} | options))
    assert said in str(raised.value)
    assert store.entities() == []


def test_a_version_keeps_its_key_its_features_and_their_types() -> None:
    store = FeatureStore(MemoryStore())
    store.publish("user", orders(), key="user", time="day")
    with pytest.raises(WrongType, match="'orders' holds text"):
        store.publish("user", orders().assign(orders="many"), key="user", time="day")
    with pytest.raises(DataFault, match="no column 'city'"):
        store.publish("user", orders().drop(columns="city"), key="user", time="day")
    with pytest.raises(DataFault, match="has no feature age"):
        store.publish("user", orders().assign(age=1), key="user", time="day")
    with pytest.raises(DataFault, match="has the key user, not user, city"):
        store.publish("user", orders().dropna(), key=["user", "city"], time="day")


def test_what_is_not_there_is_named() -> None:
    store = FeatureStore(MemoryStore())
    with pytest.raises(DataFault, match="no features of 'user' are published"):
        store.read("user")
    store.publish("user", orders(), key="user", time="day")
    with pytest.raises(DataFault, match=r"'usr' are published\. Did you mean 'user'"):
        store.read("usr")
    with pytest.raises(DataFault, match=r"no feature 'order'\. Did you mean 'orders'"):
        store.read("user", ["order"])
    with pytest.raises(DataFault, match="no version 'v2': it has v1"):
        store.read("user", version="v2")
    rows = pd.DataFrame({"user": [1], "at": pd.to_datetime(["2026-01-01"]), "city": ["A"]})
    with pytest.raises(DataFault, match="a column 'city' already"):
        store.join(rows, "user", time="at")
    with pytest.raises(DataFault, match="no column 'when'"):
        store.join(rows, "user", ["orders"], time="when")
