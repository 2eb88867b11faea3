"""The commands that make rows: seed and datagen."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.unit.cli.conftest import Desk

CONFIG = """
pipeline: {process: OfflineProcess}
config: {place: kept.duckdb, someone_elses: 3}
process:
  component: {data_connector: DuckDBDataConnector, splitter: LocalDataSplitter}
  data_connector: {config: {duckdb_path: $config.place}}
"""
MINE = """
from mlpipeline.workflow.types import DataConnector
class MineDataConnector(DataConnector):
    password: str = ""
    def get_data(self, source, sql=None): ...
    def save_data(self, data, target):
        return f"{len(data)} to {target}"
"""


@pytest.fixture
def shop(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A project with a file of rows and a workflow file, and the working directory in it."""
    monkeypatch.chdir(desk.root)
    people = pd.DataFrame({"age": [20, 30, 40, 50] * 25, "town": ["here", "there"] * 50})
    people.to_csv("people.v1.csv", index=False)
    Path("dev.yaml").write_text(CONFIG)
    return desk


def count(path: str) -> int:
    with duckdb.connect(path) as database:
        found = database.sql("select count(*) from people").fetchall()
    return int(found[0][0])


def test_seed_adds_the_rows_of_a_file_to_a_table(shop: Desk) -> None:
    words = ("seed", "file", "people.v1.csv", "people", "-c", "DuckDBDataConnector", "--set", "duckdb_path=a.duckdb")
    assert shop.type(*words).stdout == "100 rows with 2 columns: people in duckdb:///a.duckdb\n"
    told = shop.json(*words)
    assert told == {"format": 1, "rows": 100, "columns": ["age", "town"], "place": "people in duckdb:///a.duckdb"}
    assert count("a.duckdb") == 200


def test_a_workflow_file_says_where_the_connector_is_and_set_lies_over_it(shop: Desk) -> None:
    words = ("seed", "file", "people.v1.csv", "people", "-c", "DuckDBDataConnector", "--config-file", "dev.yaml")
    assert shop.type(*words).exit_code == 0
    assert count("kept.duckdb") == 100
    assert shop.type(*words, "--set", "duckdb_path=other.duckdb").exit_code == 0
    assert (count("kept.duckdb"), count("other.duckdb")) == (100, 100)


def test_seed_writes_files_of_the_formats_that_there_are(shop: Desk) -> None:
    assert shop.type("seed", "file", "people.v1.csv", "out/people.jsonl").exit_code == 0
    assert json.loads(Path("out/people.jsonl").read_text().splitlines()[1]) == {"age": 30, "town": "there"}
    refused = shop.type("seed", "file", "people.v1.csv", "people.xlsx")
    assert (refused.exit_code, Path("people.xlsx").exists()) == (1, False)
    assert "no table is kept in files with .xlsx" in refused.stderr


def test_a_connector_of_the_project_s_own_is_found(shop: Desk) -> None:
    Path("components").mkdir()
    Path("components/mine.py").write_text(MINE)
    assert "100 to x" in shop.type("seed", "file", "people.v1.csv", "x", "-c", "MineDataConnector").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-c", "DuckDataConnector"), "there is no component 'DuckDataConnector'. Did you mean 'DuckDBDataConnector'?"),
        (("-c", "LocalDataSplitter"), "LocalDataSplitter is no DataConnector"),
        (("-c", "DuckDBDataConnector"), "give connection or duckdb_path"),
        (("-c", "DuckDBDataConnector", "--set", "duckdb_pth=x"), "Did you mean 'duckdb_path'?"),
        (("-c", "DuckDBDataConnector", "--set", "duckdb_path"), "write it as --set part.key=value"),
    ],
)
def test_what_is_wrong_with_a_connector_is_told(shop: Desk, words: tuple[str, ...], told: str) -> None:
    result = shop.type("seed", "file", "people.v1.csv", "people", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_datagen_writes_rows_that_look_alike_beside_the_file(shop: Desk) -> None:
    result = shop.type("datagen", "create", "people.v1.csv", "--evaluate")
    assert result.exit_code == 0
    assert "100 rows: people_synthetic.v1.csv" in result.stdout
    assert "copied rows" in result.stdout
    made = pd.read_csv("people_synthetic.v1.csv")
    assert set(made["age"]) == {20, 30, 40, 50}


def test_datagen_takes_rows_place_seed_and_class(shop: Desk) -> None:
    words = ("datagen", "create", "people.v1.csv", "-n", "7", "-o", "x/new.parquet", "--set", "seed=3", "--evaluate")
    told = shop.json(*words, "--synthesizer-class", "LocalDataSynthesizer")
    assert (told["rows"], told["place"], told["report"]["status"] in ("PASS", "WARN")) == (7, "x/new.parquet", True)
    first = pd.read_parquet("x/new.parquet")
    shop.type(*words)
    pd.testing.assert_frame_equal(pd.read_parquet("x/new.parquet"), first)


def test_datagen_takes_a_configuration_file(shop: Desk) -> None:
    Path("gen.yaml").write_text("config: {seed: 3, model_target: age}\n")
    words = ("datagen", "create", "people.v1.csv", "-o", "new.csv")
    shop.type(*words, "--config-file", "gen.yaml")
    first = Path("new.csv").read_text()
    shop.type(*words, "--set", "seed=3")
    assert Path("new.csv").read_text() == first
    shop.type(*words)
    assert Path("new.csv").read_text() != first


def test_datagen_refuses_a_target_before_it_learns(shop: Desk) -> None:
    result = shop.type("datagen", "create", "people.v1.csv", "-o", "new.xlsx")
    assert "no table is kept in files with .xlsx" in result.stderr
    assert shop.type("datagen", "create", "people.v1.csv", "-n", "0").exit_code == 2
