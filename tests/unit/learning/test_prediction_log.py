"""What a model predicted, written down."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from mlpipeline.errors import DataFault, NotWritable
from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimators import Naive
from mlpipeline.project import Project

from .stand_ins import People, people


@pytest.fixture
def model(nowhere: Path) -> EstimatorModel:
    return EstimatorModel(People(), Naive()).fit()


def test_each_prediction_is_a_line_with_its_key_and_features(model: EstimatorModel) -> None:
    frame = people(3)
    found = model.predict(frame, log="predictions.jsonl", keys=["id"])
    model.predict(frame, log="predictions.jsonl", keys="id")
    rows = [json.loads(line) for line in Path("predictions.jsonl").read_text().splitlines()]
    assert len(rows) == 6
    assert rows[0]["key"] == {"id": 0}
    assert rows[0]["features"] == {"a": pytest.approx(frame["a"][0]), "c": frame["c"][0]}
    assert [row["value"] for row in rows[:3]] == found.tolist()
    assert {"run", "at"} < rows[0].keys()


def test_missing_features_are_null(model: EstimatorModel) -> None:
    model.predict(people(1).assign(a=None, c=None), log="p.jsonl", keys=["id"])
    assert json.loads(Path("p.jsonl").read_text())["features"] == {"a": None, "c": None}


def test_a_directory_of_parquet_files_is_one_table(model: EstimatorModel) -> None:
    for seed in (1, 2):
        model.predict(people(3, seed), log="p.parquet", keys=["id"])
    table = pd.read_parquet("p.parquet")
    assert list(table.columns) == ["key", "features", "value", "run", "at"]
    assert len(table) == 6


def test_no_rows_add_nothing(model: EstimatorModel) -> None:
    model.predict(people(0), log="p.jsonl", keys=["id"])
    assert Path("p.jsonl").read_text() == ""


@pytest.mark.parametrize(
    ("keys", "told"), [((), "log needs keys"), (["no"], "there is no column 'no'"), (["hole"], "1 of 3 rows have none")]
)
def test_keys_that_are_missing_are_an_error(model: EstimatorModel, keys: list[str], told: str) -> None:
    frame = people(3).assign(hole=[1, None, 3])
    with pytest.raises(DataFault, match=told):
        model.predict(frame, log="p.jsonl", keys=keys)
    assert not Path("p.jsonl").exists()


def test_a_place_is_needed_where_there_is_neither_run_nor_project(model: EstimatorModel) -> None:
    with pytest.raises(DataFault, match="name a file"):
        model.predict(people(3), log=True, keys=["id"])
    with pytest.raises(DataFault, match=r"end it in \.jsonl"):
        model.predict(people(3), log="p.csv", keys=["id"])
    Path("file").write_text("")
    with pytest.raises(NotWritable, match="name another place"):
        model.predict(people(3), log="file/p.jsonl", keys=["id"])


@pytest.mark.usefixtures("serializers")
def test_predictions_of_a_run_lie_beside_its_records(project: Project) -> None:
    model = EstimatorModel(People(), Naive()).fit()
    model.predict(people(2), log=True, keys=["id"])
    assert model.run.directory is not None
    rows = [json.loads(line) for line in (model.run.directory / "predictions.jsonl").read_text().splitlines()]
    assert {row["run"] for row in rows} == {model.run.run_id}
    loaded = EstimatorModel(None, model.estimator)
    loaded.encoding, loaded.manifest = model.encoding, {"run": {"id": "some-run"}}
    loaded.predict(people(2), log=True, keys=["id"])
    (path,) = (project.outputs_dir / "predictions").glob("*.jsonl")
    assert json.loads(path.read_text().splitlines()[0])["run"] == "some-run"
