"""Rows that are added to a table go by the names of their columns, all or none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpipeline.data.connection import Connection
from mlpipeline.data.dialects.warehouse import WarehouseDialect
from mlpipeline.errors import DatabaseError, DataFault

URLS = ["duckdb:///:memory:", "sqlite://"]


@pytest.fixture(params=URLS)
def database(request: pytest.FixtureRequest) -> Iterator[Connection]:
    made = Connection(request.param, annotated=False)
    yield made
    made.close()


def rows(database: Connection, table: str = "t") -> list[tuple[object, ...]]:
    listed = ", ".join(map(database.quote_identifier, database.columns(table)))
    return database.select(f"SELECT {listed} FROM {table}")


def test_values_follow_the_names_of_columns_not_their_places(database: Connection) -> None:
    database.append("t", pd.DataFrame({"a": [1], "b": [2]}))
    database.append("t", pd.DataFrame({"b": [20], "a": [10]}))
    assert rows(database) == [(1, 2), (10, 20)]


def test_several_new_columns_are_added_and_what_is_missing_is_null(database: Connection) -> None:
    database.append("t", pd.DataFrame({"a": [1]}))
    database.append("t", pd.DataFrame({"n": [0.1], "s": ["x"], "f": [True], "d": pd.to_datetime(["2026-01-01"])}))
    assert database.columns("t") == ("a", "n", "s", "f", "d")
    first, second = rows(database)
    assert first == (1, None, None, None, None)
    assert second[:4] == (None, 0.1, "x", True)
    assert str(second[4]).startswith("2026-01-01")


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=15, deadline=None)
@given(table=NAMES, names=st.lists(NAMES, min_size=1, max_size=4, unique_by=str.casefold), url=st.sampled_from(URLS))
def test_any_name_may_be_a_table_s_or_a_column_s(table: str, names: list[str], url: str) -> None:
    database = Connection(url, annotated=False)
    quoted = '"{}"'.format(table.replace('"', '""'))
    database.append(quoted, pd.DataFrame({names[0]: [1]}))
    database.append(quoted, pd.DataFrame({name: [2] for name in reversed(names)}))
    assert database.columns(quoted) == (names[0], *reversed(names[1:]))
    database.close()


def test_a_name_that_differs_in_case_alone_is_the_same_column(database: Connection) -> None:
    database.append("t", pd.DataFrame({"Age": [1]}))
    database.append("t", pd.DataFrame({"AGE": [2]}))
    assert database.columns("t") == ("Age",)
    with pytest.raises(DataFault, match="two columns are called 'Age'"):
        database.append("t", pd.DataFrame({"age": [1], "AGE": [2]}))


def test_what_is_refused_changes_nothing(database: Connection) -> None:
    database.execute("CREATE TABLE t (a integer NOT NULL)")
    database.append("t", pd.DataFrame({"a": [1]}))
    with pytest.raises(DatabaseError):
        database.append("t", pd.DataFrame({"a": [2, None], "b": [1, 2]}))
    assert database.columns("t") == ("a",)
    assert rows(database) == [(1,)]


def test_categories_are_the_values_that_they_stand_for(database: Connection) -> None:
    database.append("t", pd.DataFrame({"c": pd.Categorical(["x", None])}))
    database.append("t", pd.DataFrame({"c": pd.Categorical(["y"])}))
    assert rows(database) == [("x",), (None,), ("y",)]


def test_categories_that_are_numbers_are_numbers_some_missing_or_not(database: Connection) -> None:
    for values in ([1, 2], [3, None]):
        database.append("t", pd.DataFrame({"c": pd.Categorical(values)}))
    assert rows(database) == [(1,), (2,), (3,), (None,)]


def test_a_column_without_any_value_may_have_some_later(database: Connection) -> None:
    database.append("t", pd.DataFrame({"a": [1]}))
    database.append("t", pd.DataFrame({"a": [2], "b": [None]}))
    database.append("t", pd.DataFrame({"b": ["later"]}))
    assert rows(database) == [(1, None), (2, None), (None, "later")]


def test_replacing_keeps_the_columns_of_the_table(database: Connection) -> None:
    database.append("t", pd.DataFrame({"a": [1], "b": [1]}))
    database.append("t", pd.DataFrame({"a": [2]}), replace=True)
    assert rows(database) == [(2, None)]


def test_no_row_is_no_fault_and_no_column_is(database: Connection) -> None:
    database.append("t", pd.DataFrame({"a": np.array([], dtype=float)}))
    assert rows(database) == []
    with pytest.raises(DataFault, match="the rows have no columns"):
        database.append("t", pd.DataFrame(index=[1, 2]))
    assert database.tables() == ("t",)


def test_a_warehouse_without_transactions_takes_rows_as_sqlalchemy_writes_them(
    database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.adapter != "sqlite":
        pytest.skip("any engine will do to see what is written; SQLite is one")
    monkeypatch.setattr("mlpipeline.data.dialects.of", WarehouseDialect)
    warehouse = Connection("sqlite://", annotated=False)
    warehouse.append("t", pd.DataFrame({"a": [1], "b": ["x"]}))
    warehouse.append("t", pd.DataFrame({"c": [0.5, None], "a": [2, 3]}))
    assert rows(warehouse) == [(1, "x", None), (2, None, 0.5), (3, None, None)]
    warehouse.close()
