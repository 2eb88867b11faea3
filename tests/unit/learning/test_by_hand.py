"""A fit by hand is a run: what it leaves, who records it, what is said of one that fails."""

from __future__ import annotations

import json
import sys
import types
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import requests, taking_up
from mlpipeline.data.encoders import Pass
from mlpipeline.errors import DataFault, NotWritable, RequestRefused
from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimators import Naive
from mlpipeline.ledger import Ledger
from mlpipeline.lock import SchedulerLock
from mlpipeline.project import Project
from mlpipeline.queue import fsck
from mlpipeline.run import BY_HAND, Cause, Run, State

from .stand_ins import People, Slope, dataset, people

pytestmark = pytest.mark.usefixtures("serializers")


def recorded(project: Project) -> list[Run]:
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        return ledger.runs()


def read(project: Project, run: Run, name: str) -> Any:
    return json.loads((project.root / run.last.directory / name).read_text())


def test_where_there_is_no_project_nothing_is_written(nowhere: Path) -> None:
    model = EstimatorModel(People(), Slope()).fit()
    assert list(nowhere.iterdir()) == []
    assert model.run.run_id is None
    with pytest.raises(DataFault, match="no project here"):
        model.save()


def test_a_fit_is_in_the_ledger_with_all_that_is_known_of_it(project: Project) -> None:
    model = EstimatorModel(People(), Slope()).fit(epochs=4, estimator__learning_rate=0.5)
    (run,) = recorded(project)
    assert (run.id, run.model, run.version, run.last.executor) == (model.run.run_id, "People", "by-hand", BY_HAND)
    assert (run.state, run.last.steps, run.last.metrics) == (State.SUCCEEDED, 4, model.metrics)
    assert run.params["epochs"] == 4
    assert run.params["estimator"]["arguments"]["learning_rate"] == 0.5
    assert run.last.seconds is not None
    data = read(project, run, "data.json")
    assert data["rows"] == {"training": 320, "validation": 40, "test": 40}
    assert [column["name"] for column in data["schema"]["columns"]] == ["a", "c", "y"]
    assert len(data["head"]) == 3
    environment = read(project, run, "environment.json")
    assert "commit" in environment["git"]
    assert "numpy" in environment["packages"]
    lines = (project.root / run.last.directory / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 4
    assert (project.root / run.last.directory / "artefact" / "manifest.json").is_file()
    assert fsck.check(project) == []


def test_a_model_that_a_script_has_imported_is_called_as_in_the_queue(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = EstimatorModel(People(), Slope())
    project.models_dir.mkdir(exist_ok=True)
    for name, path in (("a_script", project.root / "a.py"), ("its_home", project.models_dir / "home.py")):
        path.write_text("MODEL = None\n")
        module = types.ModuleType(name)
        module.__file__, module.__dict__["MODEL"] = str(path), model
        monkeypatch.setitem(sys.modules, name, module)
    model.fit()
    (run,) = recorded(project)
    assert run.model == "home.py"


def test_the_digest_of_the_data_is_of_its_content(project: Project) -> None:
    frame = people()
    for rows in (frame, frame.sample(frac=1, random_state=1), frame.assign(a=frame["a"].where(frame["id"] > 0, 9.0))):
        EstimatorModel(dataset(rows.reset_index(drop=True)), Naive()).fit()
    third, second, first = (read(project, run, "data.json")["digest"] for run in recorded(project))
    assert first == second != third


def test_a_model_may_be_given_its_name(project: Project) -> None:
    model = EstimatorModel(People(), Naive())
    model.name = "subscribers.py"
    model.fit()
    assert recorded(project)[0].model == "subscribers.py"


def test_a_fit_that_fails_is_in_the_history_too(project: Project) -> None:
    with pytest.raises(DataFault):
        EstimatorModel(dataset(people().assign(y=True)), Naive()).fit()
    (run,) = recorded(project)
    assert (run.state, run.last.cause) == (State.FAILED, Cause.EXCEPTION)
    assert "one class only" in run.last.message
    assert "DataFault" in read(project, run, "result.json")["error"]["traceback"]
    assert fsck.check(project) == []


def test_a_score_that_is_no_number_is_told_as_text(project: Project) -> None:
    data = dataset(people().assign(y=lambda rows: rows["y"].astype(int)), Pass("y"))
    data.test_data.loc[:, "y"] = 1
    EstimatorModel(data, Naive(kind="binary")).fit()
    (run,) = recorded(project)
    assert run.last.metrics["test"]["auc"] == "nan"


def test_a_fit_that_is_stopped_is_cancelled(project: Project) -> None:
    class Stopped(Naive):
        def before_fit(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        EstimatorModel(People(), Stopped()).fit()
    (run,) = recorded(project)
    assert (run.state, run.last.message) == (State.CANCELLED, "stopped by hand")


def test_a_model_that_cannot_be_saved_is_fitted_all_the_same(project: Project) -> None:
    class Fleeting(Slope):
        _save = Slope.__mro__[1]._save  # type: ignore[attr-defined]

    EstimatorModel(People(), Fleeting()).fit()
    (run,) = recorded(project)
    assert run.state is State.SUCCEEDED
    assert "Fleeting has no _save" in read(project, run, "outcome.json")["warnings"][0]


def test_while_a_scheduler_lives_the_wish_waits_for_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking_up, "PATIENCE_SECONDS", 0.0)
    EstimatorModel(People(), Naive()).fit()
    assert recorded(project) == []
    (asked,) = requests.pending(project)
    assert (asked.action, asked.target) == (requests.Action.RECORD, project.runs_dir.iterdir().__next__().name)
    assert fsck.check(project) == [], "what waits to be taken up is no fault"


def test_the_next_fit_records_what_waited(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as hasty:
        hasty.setattr(taking_up, "PATIENCE_SECONDS", 0.0)
        EstimatorModel(People(), Naive()).fit()
    EstimatorModel(People(), Naive()).fit()
    assert len(recorded(project)) == 2
    assert requests.pending(project) == []


def test_the_lock_of_a_scheduler_is_respected(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking_up, "PATIENCE_SECONDS", 0.5)
    project.outputs_dir.mkdir(parents=True)
    lock = SchedulerLock(project)
    lock.acquire()
    try:
        EstimatorModel(People(), Naive()).fit()
        assert recorded(project) == []
    finally:
        lock.release()


def test_a_run_is_taken_up_once_and_only_when_it_is_whole(project: Project) -> None:
    EstimatorModel(People(), Naive()).fit()
    (run,) = recorded(project)
    with closing(Ledger.open(project.ledger_path)) as ledger:
        assert taking_up.take_up(project, ledger, run.id).id == run.id
        assert len(ledger.runs()) == 1
        for missing in ("", "20261121-101500-aaaaaa"):
            with pytest.raises(RequestRefused, match="there is no finished attempt"):
                taking_up.take_up(project, ledger, missing)


def test_a_fit_that_was_killed_is_nobodys_run(project: Project) -> None:
    EstimatorModel(People(), Naive()).fit()
    (run,) = recorded(project)
    (project.root / run.last.directory / "outcome.json").unlink()
    assert fsck.rebuild(project, project.ledger_path) == 0
    assert fsck.check(project) == []


def test_the_ledger_can_be_made_again_from_the_directories(project: Project) -> None:
    EstimatorModel(People(), Naive()).fit()
    before = recorded(project)
    assert fsck.rebuild(project, project.ledger_path) == 1
    assert recorded(project) == before


def test_outputs_that_cannot_be_written_are_told_before_the_fit(project: Project) -> None:
    project.outputs_dir.parent.mkdir()
    project.outputs_dir.write_text("a file")
    model = EstimatorModel(People(), Naive())
    with pytest.raises(NotWritable, match="a run by hand is recorded there"):
        model.fit()
    assert model.metrics == {}


def test_a_fit_within_a_run_of_the_queue_is_part_of_that_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLP_SUPERVISOR", "1")
    EstimatorModel(People(), Naive()).fit()
    assert not project.outputs_dir.exists()
