"""Rows made by a function, by SQL, and by an outside command."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pandas as pd
import pytest

from mlpipeline.errors import CommandFailed, ConfigurationError, DataFault, UsageError, WrongType
from tests.unit.workflow.components.conftest import Make
from tests.unit.workflow.conftest import Workbench

FUNCTION = """
def transform(data, factor=1):
    if isinstance(data, dict):
        return data["left"].merge(data["right"], on="passenger")
    return data.assign(fare=data.fare * factor)
def nothing(data):
    return None
"""
CONNECTORS = {
    "LocalDataConnector": {"file_format": "csv"},
    "DuckDBDataConnector": {"duckdb_path": "rows.duckdb"},
    "SQLDataConnector": {"database_url": "sqlite:///rows.sqlite"},
}

DBT = os.environ.get("MLP_DBT")


def test_a_function_of_a_file_changes_the_rows_of_a_source(
    bench: Workbench, make: Make, passengers: pd.DataFrame
) -> None:
    bench.write("process.py", FUNCTION)
    passengers.to_csv("rows.csv", index=False)
    others = {"data_connector": "LocalDataConnector"}
    made = make("LocalDataTransformer", others, transformer_path="process.py", transformer_kwargs={"factor": 2})
    assert made.transform("rows.csv")["fare"].sum() == pytest.approx(2 * passengers["fare"].sum())
    both = made.transform({"left": "rows.csv", "right": "rows.csv"})
    assert "town_y" in both.columns


def test_frames_need_no_connector_and_no_function(make: Make, passengers: pd.DataFrame) -> None:
    made = make("LocalDataTransformer")
    assert made.transform(passengers) is passengers
    with pytest.raises(UsageError, match=r"nothing reads its source: declare data_connector"):
        made.transform("rows.csv")


@pytest.mark.parametrize(
    ("values", "error", "told"),
    [
        ({"transformer_path": "no.py"}, ConfigurationError, "there is no file no.py"),
        ({"transformer_func": "transforms"}, ConfigurationError, "has no 'transforms'. Did you mean 'transform'"),
        ({"transformer_func": "nothing"}, WrongType, "returned NoneType: return a pandas DataFrame"),
    ],
)
def test_what_is_wrong_with_a_function_is_told(
    bench: Workbench, make: Make, passengers: pd.DataFrame, values: dict[str, str], error: type[Exception], told: str
) -> None:
    bench.write("process.py", FUNCTION)
    with pytest.raises(error, match=told):
        make("LocalDataTransformer", **{"transformer_path": "process.py", **values}).transform(passengers)


@pytest.mark.parametrize("name", CONNECTORS)
def test_the_same_sql_works_over_any_connector(make: Make, passengers: pd.DataFrame, name: str) -> None:
    make(name, **CONNECTORS[name]).save_data(passengers, "people")
    sql = "SELECT town, avg(fare) AS fare FROM {source} GROUP BY town ORDER BY town"
    made = make("SQLDataTransformer", {"data_connector": name}, transformer_sql=sql, **CONNECTORS[name])
    expected = passengers.groupby("town", as_index=False)["fare"].mean()
    pd.testing.assert_frame_equal(made.transform("people"), expected, check_dtype=False)
    pd.testing.assert_frame_equal(made.transform(passengers), expected, check_dtype=False)


@pytest.mark.parametrize("name", CONNECTORS)
def test_sql_joins_sources_by_their_names(make: Make, passengers: pd.DataFrame, name: str) -> None:
    make(name, **CONNECTORS[name]).save_data(passengers, "people")
    Path("join.sql").write_text("SELECT count(*) AS n FROM {a} AS x JOIN {b} AS y ON x.passenger = y.passenger")
    made = make("SQLDataTransformer", {"data_connector": name}, transformer_path="join.sql", **CONNECTORS[name])
    assert made.transform({"a": "people", "b": "people"})["n"].tolist() == [200]


def test_without_a_query_of_its_own_the_source_is_the_query(make: Make, passengers: pd.DataFrame) -> None:
    values = CONNECTORS["DuckDBDataConnector"]
    make("DuckDBDataConnector", **values).save_data(passengers, "people")
    made = make("SQLDataTransformer", {"data_connector": "DuckDBDataConnector"}, **values)
    assert made.transform("select max(fare) as top from people")["top"][0] == passengers["fare"].max()
    with pytest.raises(DataFault, match=r"there is no query: set transformer_sql"):
        made.transform(passengers)


def stand_in(bench: Workbench, body: str) -> str:
    """Writes a program that does what dbt would, or fails as it would."""
    path = bench.write("bin/dbt", f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(0o755)
    return str(path)


def dbt(bench: Workbench, make: Make, body: str) -> object:
    bench.write("shop/dbt_project.yml", "name: shop\n")
    values = {"dbt_command": stand_in(bench, body), "dbt_project_dir": "shop", "dbt_target": "dev"}
    others = {"data_connector": "LocalDataConnector"}
    return make("DbtDataTransformer", others, data_dir=str(bench.root), file_format="csv", **values)


def test_dbt_runs_in_its_project_and_the_table_it_made_is_read(bench: Workbench, make: Make) -> None:
    made = dbt(bench, make, 'open("../made.csv", "w").write("words\\n" + " ".join(sys.argv[1:]))')
    assert made.transform("made")["words"][0] == "--no-use-colors run --target dev"  # type: ignore[attr-defined]


def test_a_failing_command_ends_it_with_its_stderr(bench: Workbench, make: Make) -> None:
    made = dbt(bench, make, 'print("Compilation Error in model x"); sys.exit("it is broken")')
    with pytest.raises(CommandFailed, match=r"(?s)run --target dev: ended with status 1:.*it is broken.*Compilation E"):
        made.transform("made")  # type: ignore[attr-defined]
    assert not Path("made.csv").exists()


def test_a_killed_command_is_a_failure_too(bench: Workbench, make: Make) -> None:
    made = dbt(bench, make, "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(CommandFailed, match=r"was killed"):
        made.transform("made")  # type: ignore[attr-defined]


def test_a_command_that_is_not_there_is_told(bench: Workbench, make: Make) -> None:
    bench.write("shop/x", "")
    values = {"dbt_command": "no-such-dbt", "dbt_project_dir": "shop"}
    made = make("DbtDataTransformer", {"data_connector": "LocalDataConnector"}, **values)
    with pytest.raises(CommandFailed, match=r"there is no no-such-dbt: install it"):
        made.transform("made")


def test_dbt_itself_makes_a_table_of_duckdb(bench: Workbench, make: Make) -> None:
    """With MLP_DBT naming the program: dbt's own requirements do not go with ours."""
    program = DBT
    if program is None:
        pytest.skip("MLP_DBT does not name a dbt with dbt-duckdb: pip install dbt-duckdb in an environment of its own")
    bench.write("shop/dbt_project.yml", "name: shop\nprofile: shop\nmodel-paths: [models]\n")
    profile = "shop: {target: dev, outputs: {dev: {type: duckdb, path: ../shop.duckdb}}}"
    bench.write("shop/profiles.yml", profile)
    bench.write("shop/models/people.sql", "{{ config(materialized='table') }} select 1 as id, 'a' as name")
    values = {"dbt_command": program, "dbt_project_dir": "shop", "dbt_profiles_dir": "shop"}
    made = make("DbtDataTransformer", {"data_connector": "DuckDBDataConnector"}, duckdb_path="shop.duckdb", **values)
    assert made.transform("people").to_dict("list") == {"id": [1], "name": ["a"]}
    bench.write("shop/models/people.sql", "select * from no_such_table")
    with pytest.raises(CommandFailed, match=r"no_such_table"):
        made.transform("people")
