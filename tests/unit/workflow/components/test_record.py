"""Metrics, champions, cached values, the log and reports of checks, in files of a project."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from mlpipeline.context import RunContext
from mlpipeline.errors import DataFault, MetricError, UsageError
from mlpipeline.workflow import Kind, Resource
from mlpipeline.workflow.components.ledger_metrics_tracker import LedgerMetricsTracker
from mlpipeline.workflow.components.ledger_tracker import LedgerTracker
from mlpipeline.workflow.components.local_cache_manager import LocalCacheManager
from mlpipeline.workflow.components.local_model_repository import LocalModelRepository
from mlpipeline.workflow.components.local_test_recorder import LocalTestRecorder
from mlpipeline.workflow.components.log_notifier import LogNotifier

NAME = "it's a/model.v1"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mlp.config").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def model(digest: str = "1") -> Resource:
    return LedgerTracker().register(Kind.MODEL, NAME, digest)


def test_26_metrics_are_kept_beside_their_resource() -> None:
    made, tracker = model(), LedgerMetricsTracker()
    assert tracker.get_metrics(made) == {}
    tracker.log_metrics(made, {"train": {"f1": 0.9}, "test": {"f1": np.float32(0.5), "r.2/x'": math.inf}})
    tracker.log_metrics(made, {"test": {"f1": 0.75}})
    assert LedgerMetricsTracker().get_metrics(made) == {"train": {"f1": 0.9}, "test": {"f1": 0.75, "r.2/x'": math.inf}}
    assert tracker.get_metrics(model("2")) == {}


def test_metrics_are_recorded_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "models/outputs/runs/r/1"
    directory.mkdir(parents=True)
    context = RunContext(run_id="r", directory=directory)
    monkeypatch.setattr(LedgerMetricsTracker, "run", context)
    LedgerMetricsTracker().log_metrics(model(), {"test": {"f1": 0.5, "auc": 1}})
    context.close()
    assert json.loads((directory / "metrics.jsonl").read_text())["values"] == {"test.f1": 0.5, "test.auc": 1.0}


def test_metrics_that_are_none_are_refused() -> None:
    with pytest.raises(MetricError, match=r"test\.f1"):
        LedgerMetricsTracker().log_metrics(model(), {"test": {"f1": "good"}})  # type: ignore[dict-item]
    with pytest.raises(DataFault, match="split"):
        LedgerMetricsTracker().log_metrics(model(), {"f1": 0.5})  # type: ignore[dict-item]


def test_a_challenger_becomes_the_champion_when_it_is_approved() -> None:
    repository = LocalModelRepository()
    first, second = model("1"), model("2")
    assert repository.champion(NAME) is None
    for each in (first, second, first):
        repository.register_model(each)
    assert repository.challengers(NAME) == [second, first]
    repository.promote_model(first)
    assert (repository.check_approval(first), repository.champion(NAME)) == (False, None)
    repository.approve_model(first, by="Ada")
    assert (repository.check_approval(first), repository.champion(NAME)) == (True, first)
    repository.promote_model(first)  # it is the champion already
    repository.promote_model(second)
    repository.approve_model(second, by="auto_approve_models")
    again = LocalModelRepository()
    assert (again.champion(NAME), again.check_approval(first), again.check_approval(second)) == (second, False, True)
    again.promote_model(first)
    again.approve_model(first, by="Ada")  # back to the former one
    assert again.champion(NAME) == first
    assert again.challengers(NAME) == []
    told = [(each["what"], each["model"], each.get("by")) for each in again.history(NAME)]
    assert told == [
        ("registered", first.id, None),
        ("registered", second.id, None),
        ("promoted", first.id, None),
        ("approved", first.id, "Ada"),
        ("promoted", second.id, None),
        ("approved", second.id, "auto_approve_models"),
        ("promoted", first.id, None),
        ("approved", first.id, "Ada"),
    ]
    assert again.champion("other") is None


def test_what_was_not_proposed_is_not_approved() -> None:
    repository, made = LocalModelRepository(), model()
    with pytest.raises(UsageError, match="register_model first"):
        repository.promote_model(made)
    with pytest.raises(UsageError, match="promote_model first"):
        repository.approve_model(made, by="Ada")
    repository.register_model(made)
    with pytest.raises(UsageError, match="is registered: call promote_model first"):
        repository.approve_model(made, by="Ada")
    repository.promote_model(made)
    with pytest.raises(UsageError, match="who approves"):
        repository.approve_model(made, by=" ")
    with pytest.raises(DataFault, match="is no model"):
        repository.register_model(LedgerTracker().register(Kind.DATASET, "d", "1"))


def test_cached_values_are_read_by_who_wrote_them_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = LocalCacheManager()
    assert cache.retrieve("k") is None
    cache.cache("k", {"rows": np.arange(3)})
    cache.cache("a/b.c'", None)
    assert LocalCacheManager().retrieve("k")["rows"].tolist() == [0, 1, 2]
    assert cache.retrieve("a/b.c'", "default") is None
    cache.cache("k", [1])
    assert cache.retrieve("k") == [1]
    assert cache.retrieve("[1, 2]", "default") == "default"
    path = next((tmp_path / ".mlpipeline/cache/values").glob("k*"))
    path.with_name("other.pickle").write_bytes(path.read_bytes())
    assert cache.retrieve("other", "default") == "default"
    path.write_bytes(path.read_bytes()[:-1])
    assert cache.retrieve("k", "default") == "default"
    cache.cache("k", [1])
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "somebody-else"))
    assert cache.retrieve("k", "default") == "default"


def test_what_cannot_be_cached_is_told() -> None:
    with pytest.raises(DataFault, match=r"'k' cannot be kept: .*lambda"):
        LocalCacheManager().cache("k", lambda: 0)
    with pytest.raises(DataFault, match="digest for its key"):
        LocalCacheManager().cache("", 1)


def test_the_log_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mlpipeline.model"):
        LogNotifier().notify("it is done")
        LogNotifier().notify("see postgresql://me:pass-w0rd@host/db", "error")
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("INFO", "it is done"),
        ("ERROR", "see postgresql://me:***@host/db"),
    ]
    with pytest.raises(DataFault, match="info, warning, error"):
        LogNotifier().notify("x", "fatal")


def test_checks_are_reported_as_json_and_junit(tmp_path: Path) -> None:
    recorder = LocalTestRecorder()
    recorder.record_test("train.fit", "checks/data.py:rows", "passed", seconds=0.5)
    recorder.record_test("train.fit", "f1 at least 0.8", "failed", "f1 is 0.7 \x00 <&>")
    recorder.record_test("main", "c", "error", "ValueError: x")
    recorder.record_test("main", "d", "skipped")
    path = recorder.generate_report()
    assert path == tmp_path / "models/outputs/reports/checks.json"
    told = json.loads(path.read_text())
    assert (told["good"], told["counts"]["failed"], told["counts"]["passed"]) == (False, 1, 1)
    suite = ET.parse(path.with_suffix(".xml")).getroot()[0]
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["4", "1", "1", "1"]
    other = LocalTestRecorder(local_dir="here")
    assert (other.results, other.generate_report()) == ([], tmp_path / "here/checks.json")
    with pytest.raises(DataFault, match="passed, failed, error, skipped"):
        recorder.record_test("main", "d", "good")
