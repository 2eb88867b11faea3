"""One line of YAML moves a workflow's rows from files to DuckDB to PostgreSQL; what it learns stays the same."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.acceptance.test_workflow_facts import Site
from tests.services.conftest import PASSWORD, Postgres, folder, postgres  # noqa: F401 - fixtures

PIPELINE = """
from sklearn.linear_model import LogisticRegression
from mlpipeline.workflow import Pipeline
from mlpipeline.workflow.types import DataConnector, DataSplitter, DataTransformer, FeatureTransformer

class Learn(Pipeline):
    data_connector: DataConnector
    data_transformer: DataTransformer
    data_splitter: DataSplitter
    feature_transformer: FeatureTransformer
    train_data: str
    predictions: str = "predictions"

    def main(self):
        data = self.data_splitter.split_data(self.data_transformer.transform(self.train_data))
        x = self.feature_transformer.fit_transform(data.features(), data.truth())
        model = LogisticRegression().fit(x, data.truth())
        rows = data.features("test")
        proba = model.predict_proba(self.feature_transformer.transform(rows))[:, 1]
        self.data_connector.save_data(rows.assign(proba=proba), self.predictions)
        kept = self.data_connector.get_data(self.predictions)
        return {"rows": len(kept), "proba": float(kept["proba"].sum()), "mean": float(proba.mean())}
"""
WORKFLOW = """
pipeline: {learn: Learn}
component:
  data_connector: LocalDataConnector
  data_transformer: SQLDataTransformer
  data_splitter: LocalDataSplitter
  feature_transformer: SklearnFeatureTransformer
config:
  train_data: flowers
  model_target: is_large
  use_stratified: true
  transformer_sql: "SELECT *, petal_width > 1.5 AS is_large FROM {source}"
  drop_columns: [petal_width]
  transformers: [{transformer: StandardScaler}]
"""
PLACES = {
    "LocalDataConnector": {"MLP_DATA_DIR": "data", "MLP_FILE_FORMAT": "parquet"},
    "DuckDBDataConnector": {"MLP_DUCKDB_PATH": "flowers.duckdb"},
    "PostgresDataConnector": {},
}


@pytest.fixture
def flowers() -> pd.DataFrame:
    from sklearn.datasets import load_iris

    frame = load_iris(as_frame=True).frame.drop(columns="target")
    return frame.set_axis(["sepal_length", "sepal_width", "petal_length", "petal_width"], axis=1)


def learnt(site: Site, rows: pd.DataFrame, connector: str, variables: dict[str, str]) -> dict[str, float]:
    """Loads the rows into a connector, and runs the workflow with it: the file differs in one line."""
    rows.to_csv(site.root / "flowers.csv", index=False)
    text = WORKFLOW.replace("data_connector: LocalDataConnector", f"data_connector: {connector}")
    assert sum(old != new for old, new in zip(WORKFLOW.splitlines(), text.splitlines(), strict=True)) <= 1
    site.write("flowers.yaml", text)
    done = site.run("seed", "file", "flowers.csv", "flowers", "-c", connector, **variables)
    assert done.returncode == 0, done.stderr
    done = site.run("run", "workflow", "Runner", "-c", "flowers.yaml", "--json", **variables)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)["metrics"]
    return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.write("pipelines/learn.py", PIPELINE)
    return made


def test_files_and_duckdb_give_the_same(site: Site, flowers: pd.DataFrame) -> None:
    found = [learnt(site, flowers, name, PLACES[name]) for name in ("LocalDataConnector", "DuckDBDataConnector")]
    assert found[0] == found[1]
    assert found[0]["learn__rows"] == 15
    assert (site.root / "data" / "predictions.parquet").is_file()


def test_postgresql_gives_the_same_as_files(
    site: Site,
    flowers: pd.DataFrame,
    postgres: Postgres,  # noqa: F811
) -> None:
    variables = {
        "MLP_POSTGRES_HOST": "127.0.0.1", "MLP_POSTGRES_PORT": str(postgres.port), "MLP_POSTGRES_USER": "mlp",
        "MLP_POSTGRES_PASSWORD": PASSWORD, "MLP_POSTGRES_DBNAME": "postgres", "MLP_PREDICTIONS": "swapped",
    }  # fmt: skip
    expected = learnt(site, flowers, "LocalDataConnector", {**PLACES["LocalDataConnector"], "MLP_PREDICTIONS": "other"})
    assert learnt(site, flowers, "PostgresDataConnector", variables) == expected
