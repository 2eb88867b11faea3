"""Where saved models are found: those of runs that succeeded, by name; the best, the latest, one run's."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import pins
from mlpipeline.errors import UsageError
from mlpipeline.learning import saved, serializers
from mlpipeline.learning.saved import Shelf
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.run import Cause, State
from tests.unit.learning.small_models import fitted
from tests.unit.sample_runs import sample_attempt, sample_run


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    return Project.load(tmp_path)


def left(project: Project, suffix: str, loss: float | None, state: State = State.SUCCEEDED, **more: Any) -> Path:
    """Records a run, and saves a model where it would."""
    run_id = f"20261121-040406-{suffix}"
    cause = Cause.NONE if state is State.SUCCEEDED else Cause.EXCEPTION
    run = sample_run(suffix, sample_attempt(run_id, 1, state, cause), model=more.get("model", "people.py"))
    project.runs_dir.mkdir(parents=True, exist_ok=True)
    with closing(Ledger.open(project.ledger_path)) as ledger:
        ledger.import_run(run)
    model = fitted(metric=more.get("metric", "log_loss"))
    model.metrics = {"validation": {model.metric.name: loss, "log_loss": loss}}
    path = project.runs_dir / run.id / "1" / saved.FOLDER
    serializers.save(model, path)
    return path


def test_the_best_the_latest_and_one_run(project: Project) -> None:
    for suffix, loss in (("aaaaaa", 0.5), ("bbbbbb", 0.3), ("cccccc", 0.4)):
        left(project, suffix, loss)
    shelf = Shelf(project)
    assert shelf.names() == ["people"]
    assert [each.run_id[-6:] for each in shelf.models("people")] == ["cccccc", "bbbbbb", "aaaaaa"]
    assert shelf.choose("people.py").run_id.endswith("bbbbbb")
    assert shelf.choose("people", "latest").run_id.endswith("cccccc")
    assert shelf.choose("people", "20261121-040406-a").value() == 0.5
    with pytest.raises(UsageError, match="several runs begin with '2026'"):
        shelf.choose("people", "2026")
    with pytest.raises(UsageError, match="neither best, latest, nor a run of 'people'"):
        shelf.choose("people", "newest")
    with pytest.raises(UsageError, match=r"no saved model 'peple'\. Did you mean .*people"):
        shelf.choose("peple")


def test_the_direction_of_the_metric_decides_and_what_has_none_comes_last(project: Project) -> None:
    for suffix, value in (("aaaaaa", 0.7), ("bbbbbb", 0.9), ("cccccc", 0.9), ("dddddd", None)):
        left(project, suffix, value, metric="auc")
    assert Shelf(project).choose("people").run_id.endswith("cccccc")


def test_without_any_value_the_newest_is_best(project: Project) -> None:
    left(project, "aaaaaa", None)
    left(project, "bbbbbb", None)
    assert Shelf(project).choose("people").run_id.endswith("bbbbbb")


def test_only_attempts_that_succeeded_count(project: Project) -> None:
    left(project, "aaaaaa", 0.1, State.FAILED)
    left(project, "bbbbbb", 0.5)
    path = left(project, "cccccc", 0.2)
    path.parent.rename(path.parent.with_name("2"))
    (project.runs_dir / "notes" / "x" / saved.FOLDER).mkdir(parents=True)
    (project.runs_dir / "notes" / "x" / saved.FOLDER / "manifest.json").touch()
    assert [each.run_id[-6:] for each in Shelf(project).models()] == ["bbbbbb"]


def test_a_run_of_another_host_says_itself_how_it_ended(project: Project, tmp_path: Path) -> None:
    path = left(project, "bbbbbb", 0.5)
    project.ledger_path.unlink()
    assert Shelf(project).models() == []
    told = {"token": "t", "ended_at": "2026-11-21T04:05:06+00:00"}
    spec = {
        **dict.fromkeys(("run_id", "version", "sources", "sources_path", "root", "models_dir", "model_dir"), "x"),
        **dict.fromkeys(("params_digest", "code_digest", "invocation", "executor", "token"), "x"),
        "model": "deep/other.py",
        "attempt": 1,
        "replicate": 0,
        "seed": 1,
        "params": {},
        **dict.fromkeys(("created_at", "submitted_at"), "2026-11-21T04:05:06+00:00"),
    }
    (path.parent / "spec.json").write_text(json.dumps(spec))
    (path.parent / "outcome.json").write_text(json.dumps(told | {"state": "failed"}))
    assert Shelf(project).models() == []
    (path.parent / "outcome.json").write_text(json.dumps(told | {"state": "succeeded"}))
    assert [(each.name, each.version) for each in Shelf(project).models()] == [("deep/other", "x")]


def test_a_damaged_one_is_left_out_and_said_once(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    left(project, "aaaaaa", 0.5)
    path = left(project, "bbbbbb", 0.1)
    shelf = Shelf(project)
    assert shelf.choose("people").path == path
    (path / "manifest.json").write_text("{")
    for _ in range(2):
        assert shelf.choose("people").run_id.endswith("aaaaaa")
    assert list(shelf.faults) == [path]
    assert caplog.text.count("left out") == 1
    left(project, "cccccc", 0.2)
    serializers.save(fitted(), path.parent / "again")
    (path / "manifest.json").write_bytes((path.parent / "again" / "manifest.json").read_bytes())
    assert len(shelf.models()) == 3
    assert shelf.faults == {}


def test_manifests_are_read_again_only_where_they_changed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    left(project, "aaaaaa", 0.5)
    shelf = Shelf(project)
    found = shelf.choose("people")
    monkeypatch.setattr("mlpipeline.learning.manifest.read", None)
    assert shelf.choose("people") == found


def test_what_is_pinned_stays(project: Project) -> None:
    left(project, "aaaaaa", 0.5)
    found = Shelf(project).choose("people")
    saved.pin(project, found, "served")
    assert pins.pins(project) == {found.run_id: ("served",)}
    saved.unpin(project, found, "served")
    assert pins.pins(project) == {}


def test_a_project_without_runs_has_no_models(project: Project) -> None:
    assert Shelf(project).models() == []
    with pytest.raises(UsageError, match="Saved: none"):
        Shelf(project).choose("people")
