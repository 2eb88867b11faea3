"""Resources and metrics in a real database of MLflow, read by MLflow's own client; failed runs are FAILED there."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.errors import DataFault, StoreError, UsageError
from mlpipeline.workflow import Finding, Kind, Report, Runner, Status

from ..conftest import Workbench

pytest.importorskip("mlflow", reason="mlflow is not installed: pip install '.[mlflow]'")
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
NAME = "it's a/model.v1"
LEDGER = "component: {tracker: LedgerTracker, metrics: LedgerMetricsTracker}\n"
BOTH = "component: {tracker: MLflowTracker, metrics: MLflowMetricsTracker}\n"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of MLflow, which takes seconds to make."""
    from mlflow.tracking import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def runner(bench: Workbench, database: Path) -> Runner:
    outputs = bench.root / "models/outputs"
    outputs.mkdir(parents=True)
    (outputs / "mlflow.db").write_bytes(database.read_bytes())
    return bench.load((bench.root / "w.yaml").read_text() + BOTH)


def client(runner: Runner) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(f"sqlite:///{Path.cwd()}/models/outputs/mlflow.db")


def test_resources_are_runs_that_mlflow_reads(runner: Runner) -> None:
    data = runner.tracker.register(Kind.DATASET, NAME, "ab" * 32, place="data/it's.csv", facts={"rows": 3})
    model = runner.tracker.register(
        Kind.MODEL, NAME, "cd" * 32, [data], facts={"train's.depth": 3, "long": "x" * 20_000}
    )
    newer = runner.tracker.register(Kind.MODEL, NAME, "ef" * 32, [data])
    runner.metrics.log_metrics(model, {"train": {"f1": 0.9}, "test": {"f1": 0.5, "r.2/x'": math.inf, "n": math.nan}})
    runner.metrics.log_metrics(model, {"test": {"f1": 0.75}})
    again = Runner(conf=runner._document)
    assert again.tracker.get(model.id) == model
    assert again.tracker.find(Kind.MODEL, NAME) == [newer, model]
    assert again.tracker.lineage(model) == [data]
    found = again.metrics.get_metrics(model)
    assert math.isnan(found["test"].pop("n"))
    assert found == {"train": {"f1": 0.9}, "test": {"f1": 0.75, "r.2/x'": math.inf}}
    run = client(runner).get_run(model.id.rpartition("-")[2])
    assert (run.data.metrics["test.f1"], run.data.params["train:27:s.depth"]) == (0.75, "3")
    assert run.info.status == "FINISHED"
    assert runner.tracker.place.endswith("models/outputs/mlflow.db")
    assert not Path("mlruns").exists()


def test_11_runs_that_failed_are_failed_there(runner: Runner) -> None:
    with runner.recording():
        first = runner.tracker.register(Kind.MODEL, NAME, "1")
        assert runner.tracker.find(Kind.MODEL, NAME) == [first]
        assert runner.tracker.register(Kind.MODEL, NAME, "1") == first
        runner.tracker.run.run_id, kept = "another", runner.tracker.run.run_id
        assert runner.tracker.find(Kind.MODEL, NAME) == []  # nobody knows yet how its run ends
        runner.tracker.run.run_id = kept
    with pytest.raises(ZeroDivisionError), runner.recording():
        _fail(runner)
    assert runner.tracker.find(Kind.MODEL, NAME) == [first]
    statuses = {run.info.status for run in client(runner).search_runs(["1"])}
    assert statuses == {"FINISHED", "FAILED"}


def _fail(runner: Runner) -> None:
    runner.tracker.register(Kind.MODEL, NAME, "2")
    raise ZeroDivisionError


def test_reports_are_kept_with_their_pages(runner: Runner, tmp_path: Path) -> None:
    page = tmp_path / "check.html"
    page.write_text("<html>")
    data = runner.tracker.register(Kind.DATASET, NAME, "1")
    report = Report(
        name="check", findings=(Finding(name="a", status=Status.WARN, value=0.5, message="m"),), path=str(page)
    )
    runner.tracker.add_report(data, report)
    runner.tracker.add_report(data, Report(name="empty"))
    assert runner.tracker.reports(data) == [report, Report(name="empty")]
    (artifact,) = client(runner).list_artifacts(data.id.rpartition("-")[2])
    assert artifact.path == "check.html"
    assert (Path("models/outputs/mlflow-artifacts")).is_dir()


def test_what_is_not_there_is_told(runner: Runner) -> None:
    made = runner.tracker.register(Kind.MODEL, "titanic", "1")
    for wrong in ("", "model-titanic-1", made.id[:-1], made.id.replace("titanic", "titanc")):
        with pytest.raises(UsageError, match="there is no resource"):
            runner.tracker.get(wrong)
    with pytest.raises(UsageError, match=f"Did you mean '{made.id}'"):
        runner.tracker.get(made.id.replace("titanic", "titanc"))
    with pytest.raises(DataFault, match="needs a name"):
        runner.tracker.register(Kind.MODEL, "", "1")


def test_a_store_that_cannot_be_used_is_told_without_its_password(bench: Workbench) -> None:
    text = (bench.root / "w.yaml").read_text() + "component: {tracker: MLflowTracker}\n"
    where = "tracker: {config: {mlflow_tracking_uri: 'sqlite:////dev/null/all.db'}}\n"
    with pytest.raises(StoreError, match="MLflow at sqlite:////dev/null"):
        bench.load(text + where).tracker.find(Kind.MODEL, "m")
    from mlpipeline.workflow.components.mlflow_client import Mlflow

    found = object.__new__(Mlflow)
    found.uri, found._hidden = "postgresql://me:pass-w0rd@host/db", frozenset()
    assert found.shown == "postgresql://me:***@host/db"


def test_swapping_the_tracker_is_one_line(bench: Workbench, database: Path) -> None:
    bench.write(
        "components/use.py",
        """
        from mlpipeline.workflow import Kind, MetadataTracker, MetricsTracker, Pipeline, Runner
        class Use(Pipeline):
            tracker: MetadataTracker
            metrics: MetricsTracker
            def keep(self):
                data = self.tracker.register(Kind.DATASET, "d", "1")
                model = self.tracker.register(Kind.MODEL, "m", "2", [data])
                self.metrics.log_metrics(model, {"test": {"f1": 0.5}})
                return {"found": len(self.tracker.lineage(model)), **self.metrics.get_metrics(model)}
        class Using(Runner):
            def main(self):
                return self.use.keep()
        """,
    )
    outputs = bench.root / "models/outputs"
    outputs.mkdir(parents=True)
    (outputs / "mlflow.db").write_bytes(database.read_bytes())
    text = "runner: Using\npipeline: {use: Use}\n"
    returned = []
    for lines in (LEDGER, LEDGER.replace("tracker: LedgerTracker", "tracker: MLflowTracker"), BOTH):
        runner = bench.load(text + lines)
        returned.append(runner.main())
    assert returned == [{"found": 1, "test": {"f1": 0.5}}] * 3
    statuses = [run.info.status for run in client(runner).search_runs(["1"])]
    assert statuses == ["FINISHED"] * 4
