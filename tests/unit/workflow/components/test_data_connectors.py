"""Files and embedded databases as connectors have them; servers are in tests/services."""

from __future__ import annotations

import contextlib
import importlib
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from mlpipeline.data import columns, dialects
from mlpipeline.errors import ConfigurationError, DatabaseError, DataFault, MissingExtra
from tests.unit.workflow.components.conftest import Make
from tests.unit.workflow.conftest import Workbench

SQL = {"duckdb": {"duckdb_path": "rows.duckdb"}, "sqlite": {"database_url": "sqlite:///rows.sqlite"}}
CLASSES = {"duckdb": "DuckDBDataConnector", "sqlite": "SQLDataConnector"}
WAREHOUSES = {
    "RedshiftDataConnector": ({"redshift_host": "h", "redshift_password": "s3cret"}, "sqlalchemy_redshift"),
    "SnowflakeDataConnector": ({"snowflake_account": "a", "snowflake_password": "s3cret"}, "snowflake"),
    "BigQueryDataConnector": ({"google_project": "p", "google_dataset": "d"}, "sqlalchemy_bigquery"),
    "DatabricksDataConnector": (
        {"databricks_server_hostname": "h", "databricks_token": "s3cret", "databricks_http_path": "/sql/1"},
        "databricks.sqlalchemy",
    ),
}


@pytest.mark.parametrize("name", ["rows.csv", "rows.v2.csv.gz", "rows.parquet", "rows.jsonl", "deep/er/rows.tsv"])
def test_files_come_back_as_they_were_saved_without_an_index(make: Make, passengers: pd.DataFrame, name: str) -> None:
    connector = make("LocalDataConnector", data_dir="data")
    told = connector.save_data(passengers.sample(frac=1, random_state=0), name)
    assert Path("data", name).is_file()
    assert name in told
    found = connector.get_data(name)
    pd.testing.assert_frame_equal(found, passengers.sample(frac=1, random_state=0).reset_index(drop=True))


def test_a_name_without_an_ending_gets_the_one_that_is_set(make: Make, passengers: pd.DataFrame) -> None:
    connector = make("LocalDataConnector", file_format="parquet")
    connector.save_data(passengers, "rows")
    assert Path("rows.parquet").is_file()
    assert len(connector.get_data("rows")) == 200


def test_files_answer_no_sql(make: Make) -> None:
    with pytest.raises(DataFault, match=r"DuckDBDataConnector"):
        make("LocalDataConnector").get_data("rows.csv", sql="select 1")


@pytest.mark.parametrize("kind", SQL)
def test_tables_are_made_appended_to_and_read(make: Make, passengers: pd.DataFrame, kind: str) -> None:
    connector = make(CLASSES[kind], **SQL[kind])
    connector.save_data(passengers.head(150), "people")
    connector.save_data(passengers.tail(50)[passengers.columns[::-1]], "people")
    pd.testing.assert_frame_equal(connector.get_data("people"), passengers)
    counted = connector.get_data("", sql="select town, count(*) as n from people group by town order by town")
    assert counted.set_index("town")["n"].to_dict() == passengers["town"].value_counts().to_dict()


@pytest.mark.parametrize("kind", SQL)
def test_save_mode_replace_takes_the_old_rows_away(make: Make, passengers: pd.DataFrame, kind: str) -> None:
    connector = make(CLASSES[kind], save_mode="replace", **SQL[kind])
    for _ in range(2):
        connector.save_data(passengers, "people")
    assert len(connector.get_data("people")) == 200


@pytest.mark.parametrize("kind", SQL)
def test_a_table_that_is_not_there_names_the_nearest(make: Make, passengers: pd.DataFrame, kind: str) -> None:
    connector = make(CLASSES[kind], **SQL[kind])
    connector.save_data(passengers, "people")
    with pytest.raises(DataFault, match=r"no table peoples. Did you mean 'people'"):
        connector.get_data("peoples")


def test_a_file_s_name_given_to_a_database_tells_its_tables(make: Make, passengers: pd.DataFrame) -> None:
    connector = make("DuckDBDataConnector", duckdb_path="shop.duckdb")
    connector.save_data(passengers, "people")
    with pytest.raises(DataFault, match=r"no table data/eval.csv. Tables: people"):
        connector.get_data("data/eval.csv")


def test_a_database_must_be_named_once(make: Make) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing says which database it is: give connection or duckdb_path"):
        _ = make("DuckDBDataConnector").database
    with pytest.raises(ConfigurationError, match=r"two things say"):
        _ = make("DuckDBDataConnector", duckdb_path="a", connection="main").database


def test_a_connection_of_the_project_is_used_by_its_name(make: Make, passengers: pd.DataFrame) -> None:
    Path("config").mkdir()
    Path("config/database.cfg").write_text("[MAIN]\nurl: duckdb:///main.duckdb\n")
    connector = make("SQLDataConnector", connection="main")
    connector.save_data(passengers, "people")
    assert Path("main.duckdb").is_file()
    connector.database.close()


def test_a_connector_is_kept_without_its_open_connection(make: Make, passengers: pd.DataFrame) -> None:
    connector = make("DuckDBDataConnector", duckdb_path="a.duckdb")
    connector.save_data(passengers, "people")
    assert connector.__getstate__() == {}


def test_other_processes_may_use_a_file_of_duckdb_between_two_questions(make: Make, passengers: pd.DataFrame) -> None:
    connector = make("DuckDBDataConnector", duckdb_path="a.duckdb")
    connector.save_data(passengers, "people")
    adding = "import duckdb; duckdb.connect('a.duckdb').execute('insert into people (age) values (1)')"
    subprocess.run([sys.executable, "-c", adding], check=True, timeout=60)
    assert len(connector.get_data("people")) == 201


def test_processes_take_turns_with_a_file_of_duckdb(make: Make) -> None:
    work = """
import pandas as pd
from mlpipeline.workflow import load
part = load({"component": {"part": "DuckDBDataConnector"}, "config": {"duckdb_path": "a.duckdb"}}).part
for number in range(10):
    part.save_data(pd.DataFrame({"number": [number]}), "t")
"""
    running = [subprocess.Popen([sys.executable, "-c", work]) for _ in range(2)]
    assert [each.wait(120) for each in running] == [0, 0]
    assert len(make("DuckDBDataConnector", duckdb_path="a.duckdb").get_data("t")) == 20


def test_tables_in_memory_last(make: Make, passengers: pd.DataFrame) -> None:
    connector = make("DuckDBDataConnector", duckdb_path=":memory:")
    connector.save_data(passengers, "people")
    assert len(connector.get_data("people")) == 200


def test_a_password_is_never_shown(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THEIR_SECRET", "hu$h@:/me")
    connector = make(
        "PostgresDataConnector", postgres_host="127.0.0.1", postgres_port=1, postgres_user="u",
        postgres_password="${env:THEIR_SECRET}", postgres_dbname="d", postgres_schema="s",
    )  # fmt: skip
    assert connector.database.url == "postgresql+psycopg://u:***@127.0.0.1:1/d?options=-csearch_path%3Ds"
    with pytest.raises(Exception, match=r"cannot connect") as caught:
        connector.get_data("people")
    assert "hu$h" not in "".join(map(str, [caught.value, caught.value.__cause__, *caught.value.__notes__]))


@pytest.mark.parametrize("name", WAREHOUSES)
def test_a_warehouse_whose_dialect_is_missing_says_which_extra_brings_it(make: Make, name: str) -> None:
    values, module = WAREHOUSES[name]
    with contextlib.suppress(ImportError):
        importlib.import_module(module)
        pytest.skip(f"{module} is installed")
    connector = make(name, **values)
    assert "s3cret" not in connector.database.url
    with pytest.raises(
        MissingExtra, match=rf"pip install 'mlpipeline\[{name.removesuffix('DataConnector').lower()}\]'"
    ):
        connector.get_data("people")


@pytest.mark.parametrize("name", WAREHOUSES)
def test_a_dialect_that_is_there_writes_what_appending_needs(make: Make, name: str) -> None:
    """What the servers make of it nobody here can see."""
    values, module = WAREHOUSES[name]
    pytest.importorskip(module, reason=f"{module} is not installed", exc_type=ImportError)
    connector = make(name, **values)
    if "BigQuery" in name:
        with pytest.raises(DatabaseError, match=r"bigquery: .*mend the URL, or the credentials"):
            connector.get_data("people")
        return
    dialect = dialects.of(connector.database.engine)
    frame = pd.DataFrame({"a b": [1], "x": ["t"], "f": [0.5], "b": [True], "d": pd.to_datetime(["2026-01-01"])})
    kinds = [kind.compile(dialect=dialect.engine.dialect) for kind in columns.sql_types(frame).values()]
    assert kinds[0].lower() == "bigint"
    assert dialect.quote("a b") in ('"a b"', "`a b`")


def test_urls_need_a_bucket_or_a_scheme(make: Make, passengers: pd.DataFrame) -> None:
    with pytest.raises(DataFault, match=r"write s3://bucket/key, or set bucket"):
        make("S3DataConnector").get_data("rows.csv")
    connector = make("S3DataConnector", bucket="memory://lake")
    assert connector.save_data(passengers, "rows.parquet") == "memory://lake/rows.parquet"
    pd.testing.assert_frame_equal(connector.get_data("memory://lake/rows.parquet"), passengers)


READING = """
from mlpipeline.workflow import Pipeline
from mlpipeline.workflow.types import DataConnector
class Read(Pipeline):
    data_connector: DataConnector
    train_data: str
    def main(self):
        return {"rows": len(self.data_connector.get_data(self.train_data))}
"""
CACHED = """
pipeline: {read: Read}
component: {data_connector: LocalDataConnector}
config: {train_data: rows, data_dir: data, file_format: csv}
cache: {methods: [read.main]}
"""


def test_a_cached_step_sees_that_its_file_has_changed(bench: Workbench, passengers: pd.DataFrame) -> None:
    bench.write("pipelines/read.py", READING)
    bench.write("data/other.csv", "a\n1\n")
    for count in (10, 20):
        passengers.head(count).to_csv("data/rows.csv", index=False)
        assert bench.load(CACHED).main() == {"read": {"rows": count}}
    before = sorted(Path(".mlpipeline/cache").rglob("*.pickle"))
    bench.write("data/other.csv", "a\n1\n2\n")
    assert bench.load(CACHED).main() == {"read": {"rows": 20}}
    assert sorted(Path(".mlpipeline/cache").rglob("*.pickle")) == before


def test_what_changes_unseen_cannot_be_cached(bench: Workbench) -> None:
    bench.write("pipelines/read.py", READING)
    text = CACHED.replace("Local", "DuckDB").replace("data_dir: data, file_format: csv", "duckdb_path: a.duckdb")
    (fault,) = bench.faults(text)
    assert "cache: read.main uses data_connector, which changes unseen" in fault
