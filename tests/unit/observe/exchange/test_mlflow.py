"""Runs that the real MLflow keeps in a database: read, and written once."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.errors import StoreError
from mlpipeline.ledger import Ledger
from mlpipeline.observe.exchange import mlflow_store
from mlpipeline.observe.exchange.portable import of_run

from .conftest import Desk
from .test_exporting import recorded
from .test_importing import exported, told

pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
pytest.importorskip("sqlalchemy", reason="the extra mlflow is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:FutureWarning"),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.tracking import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    return MlflowClient(f"sqlite:///{path}"), str(path)


@pytest.fixture
def store(client: tuple[Any, str], tmp_path: Path) -> tuple[Any, str]:
    """Returns MLflow with runs of each state."""
    made, path = client
    for each in made.search_experiments():
        for run in made.search_runs([each.experiment_id]):
            made.delete_run(run.info.run_id)
    experiment = made.create_experiment(f"digits {tmp_path.name}", artifact_location=tmp_path.as_uri())
    for name, status, lr in (
        ("first", "FINISHED", "0.1"),
        ("second", "FAILED", "oops"),
        ("third", "KILLED", "0.3"),
        ("fourth", None, "0.4"),
        ("gone", "FINISHED", "0.5"),
    ):
        run = made.create_run(experiment, start_time=1700000000000, run_name=name).info.run_id
        made.log_param(run, "lr", lr)
        made.log_param(run, "seed", "7")
        for step in range(3):
            made.log_metric(run, "train_loss", 1 / (step + 1), timestamp=1700000001000 + step, step=step)
        made.log_metric(run, "test/accuracy", 0.75, timestamp=1700000004000)
        made.log_metric(run, "odd", float("nan"), timestamp=1700000004000)
        made.set_tag(run, "mlflow.source.git.commit", "c0ffee")
        made.set_tag(run, "paper", "yes")
        made.set_tag(run, "team", "red, blue")
        made.set_tag(run, "mlflow.note.content", "a note")
        if status:
            made.set_terminated(run, status, end_time=1700000005000)
        if name == "gone":
            made.delete_run(run)
    return made, path


def test_runs_come_in_with_all_that_mlflow_has(desk: Desk, store: tuple[Any, str], tmp_path: Path) -> None:
    for new, known in ((3, 0), (0, 3)):
        found = desk.json("import", "mlflow", store[1])
        assert (len(found["new"]), found["known"], found["open"], found["left_out"]) == (new, known, 1, [])
    model = f"digits {tmp_path.name}"
    assert told(desk) == [(model, "first", "succeeded"), (model, "second", "failed"), (model, "third", "cancelled")]
    run = next(each for each in exported(desk) if each["version"] == "first")
    assert (run["params"], run["seed"], run["commit"], run["notes"]) == (
        {"lr": 0.1, "seed": 7},
        7,
        "c0ffee",
        ["a note"],
    )
    assert run["tags"] == ["paper", "team=red-blue"]
    assert run["metrics"] == {"train": {"loss": pytest.approx(1 / 3)}, "test": {"accuracy": 0.75}, "odd": "nan"}
    assert [row["step"] for row in run["recorded"] if "train_loss" in row["values"]] == [0, 1, 2]


def test_each_run_is_there_once_however_often_it_is_sent(desk: Desk, store: tuple[Any, str]) -> None:
    recorded(desk)
    made, path = store
    for _ in range(2):
        sent = desk.json("export", "runs", "mlflow", "--uri", f"sqlite:///{path}", "--experiment", "ours")
        assert sent["runs"] == 2
    experiment = made.get_experiment_by_name("ours").experiment_id
    runs = {each.info.run_name: each for each in made.search_runs([experiment])}
    assert len(runs) == 2
    run = runs["digits.py:wide"]
    assert (run.info.status, run.data.params, run.data.metrics["test/accuracy"]) == (
        "FINISHED",
        {"net__width": "3"},
        0.97216,
    )
    history = Counter((each.step, each.value) for each in made.get_metric_history(run.info.run_id, "train_loss"))
    assert history == {(0, 1): 1, (1, 1): 1, (2, 2): 1, (3, 2): 1}
    failed = next(each for name, each in runs.items() if name != "digits.py:wide")
    assert (failed.info.status, failed.data.tags["mlpipeline.message"]) == ("FAILED", 'a, "b"\nc')


def test_who_was_stopped_after_making_a_run_finds_it_again(desk: Desk, store: tuple[Any, str]) -> None:
    recorded(desk)
    with closing(Ledger.open_readonly(desk.project.ledger_path)) as ledger:
        run = ledger.runs()[0]
    told_ = of_run(desk.root, desk.project.runs_dir, run)
    ids = {mlflow_store.Store(f"sqlite:///{store[1]}").begin("again", told_) for _ in range(2)}
    assert len(ids) == 1


def test_a_server_that_is_gone_is_told_without_its_password(desk: Desk) -> None:
    recorded(desk)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(StoreError) as caught:
        mlflow_store.Store(f"http://eva:hunter2@127.0.0.1:{port}", patient=False).experiment("x")
    assert "cannot be reached (Connection refused)" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_addresses_are_shown_without_what_is_secret() -> None:
    shown = mlflow_store.without_password("postgresql://eva:hunter2@db/x?sslpassword=hunter2")
    assert shown == "postgresql://db/x"
    assert mlflow_store.without_password("sqlite:///a/b.db") == "sqlite:///a/b.db"


def test_without_an_address_it_is_asked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    result = desk.type("export", "runs", "mlflow")
    assert (result.exit_code, "--uri" in result.output) == (2, True)
