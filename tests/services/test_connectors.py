"""Connectors of workflows on real servers: PostgreSQL, and S3 by moto."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from mlpipeline.data.connection import Connection
from mlpipeline.errors import DatabaseError, DataFault, StoreError
from mlpipeline.workflow import load
from tests.services.conftest import PASSWORD, S3, Postgres
from tests.services.test_s3 import bucket

pytestmark = pytest.mark.services

ROWS = pd.DataFrame(
    {
        "id": [1, 2, 3],
        "share": [0.1, None, 1 / 3],
        "na me": ["a", 'b"', None],
        "is_on": [True, False, True],
        "at": pd.to_datetime(["2026-01-01 00:00:00", "2026-01-02 03:04:05", None]),
    }
)


def made(name: str, **values: Any) -> Any:
    return load({"component": {"part": name}, "config": values}).part


@pytest.fixture
def connector(postgres: Postgres) -> Iterator[Any]:
    place = {"postgres_host": "127.0.0.1", "postgres_port": postgres.port, "postgres_dbname": "postgres"}
    found = made("PostgresDataConnector", **place, postgres_user="mlp", postgres_password=PASSWORD)
    found.database.execute('DROP SCHEMA IF EXISTS "wf x" CASCADE; CREATE SCHEMA "wf x"')
    yield found
    found.database.close()


def test_rows_come_back_from_postgresql(connector: Any) -> None:
    connector.save_data(ROWS, '"wf x"."ta""ble"')
    pd.testing.assert_frame_equal(connector.get_data('"wf x"."ta""ble"'), ROWS, check_dtype=False)
    counted = connector.get_data("", sql='select count(*) as n from "wf x"."ta""ble" where "is_on"')
    assert counted["n"].tolist() == [2]


def test_postgresql_appends_by_name_and_adds_columns(connector: Any) -> None:
    connector.save_data(ROWS[["id", "share"]], '"wf x".t')
    connector.save_data(ROWS[["at", "na me", "id", "is_on"]], '"wf x".t')
    found = connector.get_data('"wf x".t')
    assert list(found.columns) == ["id", "share", "at", "na me", "is_on"]
    assert found["id"].tolist() == [1, 2, 3, 1, 2, 3]
    assert found["share"].isna().tolist() == [False, True, False, True, True, True]
    added = ["at", "na me", "is_on"]
    last = found.tail(3)[added].reset_index(drop=True)
    pd.testing.assert_frame_equal(last, ROWS[added], check_dtype=False)


def test_what_postgresql_refuses_changes_nothing(connector: Any) -> None:
    connector.save_data(ROWS[["id"]], '"wf x".t')
    connector.database.execute('ALTER TABLE "wf x".t ALTER id SET NOT NULL')
    with pytest.raises(DatabaseError):
        connector.save_data(ROWS[["share"]], '"wf x".t')
    assert connector.database.columns('"wf x".t') == ("id",)


def test_a_schema_may_be_the_one_of_all_tables(connector: Any, postgres: Postgres) -> None:
    connector.database.execute("DROP SCHEMA IF EXISTS shop CASCADE; CREATE SCHEMA shop")
    own = made("PostgresDataConnector", database_url=f"{postgres.url}?options=-csearch_path%3Dshop")
    own.save_data(ROWS, "people")
    assert len(connector.get_data("shop.people")) == 3
    with pytest.raises(DataFault, match=r"there is no table shop.peple. Did you mean 'people'"):
        connector.get_data("shop.peple")
    own.database.close()


def test_a_table_of_a_thousand_rows_is_never_read_for_its_columns(connector: Any) -> None:
    """A view that fails when it is read, and has columns all the same."""
    connector.database.execute('CREATE VIEW "wf x".trap AS SELECT 1 / (n - n) AS x, n FROM generate_series(1, 3) n')
    assert connector.database.columns('"wf x".trap') == ("x", "n")


@pytest.mark.parametrize("name", ["rows.parquet", "deep/rows.csv.gz", "rows.jsonl"])
def test_files_come_back_from_s3(s3: S3, name: str) -> None:
    connector = made("S3DataConnector", bucket=bucket(s3))
    told = connector.save_data(ROWS.drop(columns="at"), name)
    assert told.startswith("s3://bucket-")
    pd.testing.assert_frame_equal(connector.get_data(name), ROWS.drop(columns="at"))
    with pytest.raises(DataFault, match=r"there is no file s3://"):
        connector.get_data(f"no-{name}")


def test_a_server_may_be_named_and_a_bucket_that_is_not_there_is_an_error(moto: S3) -> None:
    options = {"key": "${env:HOME}", "secret": moto.secret}
    connector = made("S3DataConnector", bucket="s3://nowhere", endpoint_url=moto.endpoint, storage_options=options)
    with pytest.raises(StoreError, match=r"s3://nowhere/rows.csv"):
        connector.save_data(ROWS, "rows.csv")


def test_redshift_speaks_with_postgresql_through_its_url(postgres: Postgres) -> None:
    """Its protocol is PostgreSQL's: what any driver can do is tried on one."""
    pytest.importorskip("sqlalchemy_redshift", reason="sqlalchemy-redshift is not installed: mlpipeline[redshift]")
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed")
    database = Connection(f"redshift+psycopg2://{postgres.address}")
    assert database.select("select 1") == [(1,)]
    database.close()
