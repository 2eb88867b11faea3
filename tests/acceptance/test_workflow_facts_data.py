"""Facts that a system of workflows has to get right, by their numbers in the catalogue; those of the data side."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.acceptance.test_workflow_facts import Site

PIPELINE = """
from mlpipeline.workflow import Pipeline, Runner
from mlpipeline.workflow.types import DataConnector, DataSplitter, DataTransformer

class Parts(Pipeline):
    data_connector: DataConnector
    data_splitter: DataSplitter
    def main(self):
        splits = self.data_splitter.split_data(self.data_connector.get_data("rows.csv"))
        found = {name: len(part) for name, part in splits.parts()}
        ids = {name: set(part["id"]) for name, part in splits.parts()}
        both = ids["train"] & ids["validation"] | ids["train"] & ids["test"] | ids["validation"] & ids["test"]
        score = float((splits.train["x"] * splits.train["y"]).mean())
        share = float(splits.train["y"].mean() - splits.test["y"].mean())
        order = sum(place * each for place, each in enumerate(splits.test["id"]))
        return {**found, "both": len(both), "score": score, "share": share, "test_ids": order}

class Save(Pipeline):
    data_connector: DataConnector
    target: str
    def main(self):
        self.data_connector.save_data(self.data_connector.get_data("rows.csv"), self.target)

class Made(Pipeline):
    data_transformer: DataTransformer
    def main(self):
        rows = self.data_transformer.transform("made")
        open("after.txt", "w").write("went on")
        return {"rows": len(rows)}
"""
SPLIT = """
pipeline: {parts: Parts}
component: {data_connector: LocalDataConnector, data_splitter: LocalDataSplitter}
config: {model_target: y, use_stratified: true}
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.write("pipelines/of_data.py", PIPELINE)
    draw = np.random.default_rng(0)
    rows = pd.DataFrame({"id": np.arange(120_000), "x": draw.normal(size=120_000), "y": draw.integers(0, 2, 120_000)})
    rows.head(1_000).to_csv(tmp_path / "rows.csv", index=False)
    rows.to_csv(tmp_path / "many.csv", index=False)
    return made


def metrics(site: Site, file: str, *words: str) -> dict[str, float]:
    done = site.run("run", "workflow", "Runner", "-c", file, "--json", *words)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)["metrics"]
    return found


def test_fact_13_the_same_seed_gives_the_same_split_which_is_whole_and_stratified(site: Site) -> None:
    site.write("split.yaml", SPLIT)
    first = metrics(site, "split.yaml")
    assert metrics(site, "split.yaml") == first
    assert (first["parts__train"], first["parts__validation"], first["parts__test"]) == (800, 100, 100)
    assert first["parts__both"] == 0
    assert abs(first["parts__share"]) < 0.02
    assert metrics(site, "split.yaml", "--set", "seed=1")["parts__test_ids"] != first["parts__test_ids"]
    (site.root / "many.csv").replace(site.root / "rows.csv")
    many = metrics(site, "split.yaml")
    assert many["parts__train"] + many["parts__validation"] + many["parts__test"] == 120_000


def test_fact_21_rows_are_appended_by_column_name_with_several_new_columns_and_any_names(site: Site) -> None:
    table = 'order "by" select'
    place = ("-c", "DuckDBDataConnector", "--set", "duckdb_path=shop.duckdb")
    target = '"{}"'.format(table.replace('"', '""'))
    frames = [
        pd.DataFrame({"select": [1], "to": [10]}),
        pd.DataFrame({"to": [20], "a b": ["x"], "select": [2], 'q"': [0.5]}),
        pd.DataFrame({"a b": ["y"]}),
    ]
    for number, frame in enumerate(frames):
        frame.to_csv(site.root / f"part{number}.csv", index=False)
        done = site.run("seed", "file", f"part{number}.csv", target, *place)
        assert done.returncode == 0, done.stderr
    with duckdb.connect(str(site.root / "shop.duckdb")) as database:
        found = database.sql(f"SELECT * FROM {target}").to_arrow_table().to_pylist()
    assert found == [
        {"select": 1, "to": 10, "a b": None, 'q"': None},
        {"select": 2, "to": 20, "a b": "x", 'q"': 0.5},
        {"select": None, "to": None, "a b": "y", 'q"': None},
    ]


def test_fact_22_saving_to_an_ending_that_nobody_writes_is_an_error(site: Site) -> None:
    site.write("save.yaml", "pipeline: {save: Save}\ncomponent: {data_connector: LocalDataConnector}\n")
    for target in ("out.xlsx", "out", "out.pickle"):
        done = site.run("run", "workflow", "Runner", "-c", "save.yaml", "--set", f"save.target={target}")
        assert done.returncode == 1
        assert f"{target}: no table is kept in files with" in done.stderr
        assert not (site.root / target).exists()
    done = site.run("run", "workflow", "Runner", "-c", "save.yaml", "--set", "save.target=out.json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads((site.root / "out.json").read_text())) == 1_000
    assert json.loads((site.root / "out.json").read_text())[0].keys() == {"id", "x", "y"}


def test_fact_23_seed_and_datagen_take_a_configuration_file(site: Site) -> None:
    site.write("dev.yaml", "config: {duckdb_path: from_file.duckdb, seed: 5, train_data: x}\n")
    done = site.run("seed", "file", "rows.csv", "t", "-c", "DuckDBDataConnector", "--config-file", "dev.yaml")
    assert done.returncode == 0, done.stderr
    assert (site.root / "from_file.duckdb").is_file()
    written = []
    for words in (("--config-file", "dev.yaml"), ("--set", "seed=5"), ("--set", "seed=6")):
        done = site.run("datagen", "create", "rows.csv", "-n", "50", "-o", "new.csv", *words)
        assert done.returncode == 0, done.stderr
        written.append((site.root / "new.csv").read_text())
    assert written[0] == written[1] != written[2]


def test_fact_28_a_failing_outside_command_ends_the_run_with_its_stderr(site: Site) -> None:
    site.write("bin/dbt", f"#!{sys.executable}\nimport sys\nsys.exit('Database Error in model made: no such column')\n")
    (site.root / "bin/dbt").chmod(0o755)
    site.write("shop/dbt_project.yml", "name: shop\n")
    site.write("made.csv", "a\n1\n")
    site.write(
        "dbt.yaml",
        """
        pipeline: {made: Made}
        component: {data_transformer: DbtDataTransformer, data_connector: LocalDataConnector}
        config: {dbt_project_dir: shop, file_format: csv}
        """,
    )
    done = site.run(
        *("run", "workflow", "Runner", "-c", "dbt.yaml", "--set", f"dbt_command={site.root / 'bin/dbt'}")
    )  # fmt: skip
    assert done.returncode == 1
    assert "ended with status 1" in done.stderr
    assert "Database Error in model made: no such column" in done.stderr
    assert not (site.root / "after.txt").exists()
