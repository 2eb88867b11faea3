"""Runs of other tools come in whole, once, and are nothing to the queue; each from a store that the tool wrote."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import admission, requests
from mlpipeline.errors import RequestRefused
from mlpipeline.ledger import Key, Ledger
from mlpipeline.observe.exchange import importing
from mlpipeline.queue import fsck
from mlpipeline.replay import Replayer
from mlpipeline.requests import Action
from mlpipeline.rundir import read_metrics
from tests.unit.sample_runs import sample_run

from .conftest import Desk

Store = Callable[[str], Path]


def told(desk: Desk) -> list[tuple[str, str, str]]:
    return sorted((each["model"], each["version"], each["state"]) for each in desk.json("history", "-n", "0")["runs"])


def exported(desk: Desk) -> list[dict[str, Any]]:
    lines = desk.type("export", "runs", "jsonl").stdout.splitlines()
    return [json.loads(line) for line in lines]


def _begun(place: Path, at: datetime) -> None:
    """Says when the run began that was killed."""
    path = place / "5" / "run.json"
    killed = json.loads(path.read_text())
    path.write_text(json.dumps(killed | {"start_time": at.replace(tzinfo=None).isoformat(), "heartbeat": None}))


def test_sacred(desk: Desk, store: Store) -> None:
    place = store("sacred")
    _begun(place, datetime.now(UTC))
    found = desk.json("import", "sacred", str(place))
    assert (len(found["new"]), found["left_out"]) == (4, [])
    assert found["open"] == 1  # it was killed a moment ago, and may live
    assert told(desk) == [
        ("digits", "1", "succeeded"),
        ("digits", "2", "succeeded"),
        ("digits", "3", "failed"),
        ("digits", "4", "cancelled"),
    ]
    first, second, third, _ = exported(desk)
    assert (first["seed"], first["params"]) == (7, {"how": "well", "lr": 0.1, "net": {"layers": [1, 2], "width": 32}})
    assert first["metrics"] == {"train": {"loss": pytest.approx(1 / 3)}, "odd": "nan", "result": 0.75}
    assert [row["values"]["train.loss"] for row in first["recorded"] if "train.loss" in row["values"]] == [
        1.0,
        0.5,
        pytest.approx(1 / 3),
    ]
    assert first["notes"] == ["the first one"]
    assert (second["metrics"]["accuracy"], second["params"]["lr"]) == (0.9, 0.2)
    assert (third["cause"], third["message"]) == ("exception", "ValueError: no luck")
    shown = desk.type("show", first["id"]).stdout
    assert "imported  " in shown
    assert "note of sacred" in shown
    assert "no luck" in desk.type("why", third["id"]).stdout
    assert "imported: list its model" in desk.type("retry", third["id"]).output


def test_a_run_of_sacred_that_has_been_silent_is_lost(desk: Desk, store: Store) -> None:
    place = store("sacred")
    _begun(place, datetime(2024, 1, 1, tzinfo=UTC))
    desk.json("import", "sacred", str(place))
    assert ("digits", "5", "lost") in told(desk)


def test_guild(desk: Desk, store: Store) -> None:
    place = store("guild")
    for attributes in place.glob("runs/*/.guild/attrs"):
        (attributes / "env").write_text("PASSWORD: hunter2\n")
    found = desk.json("import", "guild", str(place))
    assert (len(found["new"]), found["open"], found["left_out"]) == (3, 1, [])
    runs = exported(desk)
    assert [run["state"] for run in runs] == ["succeeded", "succeeded", "failed"]
    assert [run["params"]["lr"] for run in runs] == [0.1, 0.2, 0.1]
    assert {run["seed"] for run in runs} == {7}
    assert {run["model"] for run in runs} == {"train.py"}
    assert runs[0]["metrics"] == {"loss": pytest.approx(1 / 3, abs=1e-6), "accuracy": 0.75}
    assert [row["step"] for row in runs[0]["recorded"] if "loss" in row["values"]] == [0, 1, 2]
    assert (runs[2]["tags"], runs[2]["notes"][-1]) == (["paper"], "good")
    assert (runs[2]["cause"], runs[2]["message"]) == ("exit", "exit status 1")
    assert not [path for path in desk.root.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


def test_ml_pipeline(desk: Desk, store: Store) -> None:
    found = desk.json("import", "ml-pipeline", str(store("ml_pipeline")))
    assert (len(found["new"]), found["left_out"]) == (3, [])
    assert told(desk) == [
        ("broken.py", "only", "lost"),
        ("digits.py", "deep", "succeeded"),
        ("digits.py", "wide", "succeeded"),
    ]
    runs = {run["version"]: run for run in exported(desk)}
    assert runs["wide"]["metrics"] == {"train": {"accuracy": 0.75}, "test": {"accuracy": 0.75}}
    assert runs["deep"]["metrics"] == {"train": {"result": 0.5}, "test": {"result": 0.5}}
    assert runs["wide"]["params"] == {"batch_size": 1, "epoc_count": 10, "learning_rate": 0.01, "hidden": 64}
    assert runs["wide"]["summaries"] == ["a model", "a loader"]


def test_histories_of_ml_pipeline_may_be_torn(desk: Desk, store: Store) -> None:
    place = store("ml_pipeline")
    (history,) = place.glob("t_history-*")
    with history.open("a") as file:
        file.write("models/digits.py::wide\nmodels/x.py::one::never\nmodels/x.py::one::1700000000.5\n\n")
    found = desk.json("import", "ml-pipeline", str(place))
    assert (len(found["new"]), len(found["left_out"])) == (4, 2)
    assert ("x.py", "one", "lost") in told(desk)


@pytest.mark.parametrize("tool", ["sacred", "guild", "ml-pipeline"])
def test_a_second_import_adds_nothing(desk: Desk, store: Store, tool: str, tmp_path: Path) -> None:
    place = store(tool.replace("-", "_"))
    new = desk.json("import", tool, str(place))["new"]
    before = told(desk)
    elsewhere = tmp_path / "moved" / "models" / "outputs"
    shutil.copytree(place, elsewhere)
    for again in (place, elsewhere):
        found = desk.json("import", tool, str(again))
        assert (found["new"], found["known"]) == ([], len(new))
    assert told(desk) == before
    assert fsck.check(desk.project) == []


@pytest.mark.parametrize("tool", ["sacred", "guild", "ml-pipeline", "mlflow", "jsonl"])
def test_what_is_no_store_is_said(desk: Desk, tool: str, tmp_path: Path) -> None:
    result = desk.type("import", tool, str(tmp_path / "nothing"))
    assert (result.exit_code, "name" in result.output) == (2, True), result.output
    assert not desk.project.outputs_dir.exists()


def test_imported_runs_answer_no_wish_and_take_nobodys_place(desk: Desk, store: Store) -> None:
    desk.json("import", "ml-pipeline", str(store("ml_pipeline")))
    with closing(Ledger.open_readonly(desk.project.ledger_path)) as ledger:
        runs = ledger.runs(model="digits.py")
        keys = [Key(run.model, run.version, 0, run.params_digest, run.code_digest) for run in runs]
        assert len(keys) == 2
        for match in ("code", "params", "never"):
            assert ledger.standings(keys, match=match) == {}
    rows = desk.json("compare", "digits.py")["rows"]
    assert all("imported" in row["label"] for row in rows)


def test_a_rebuilt_ledger_is_the_same(desk: Desk, store: Store) -> None:
    desk.json("import", "sacred", str(store("sacred")))
    with closing(Ledger.open_readonly(desk.project.ledger_path)) as ledger:
        before = ledger.runs()
        assert ledger.unreported() == []
    fsck.rebuild(desk.project, desk.project.ledger_path)
    with closing(Ledger.open_readonly(desk.project.ledger_path)) as ledger:
        assert (ledger.runs(), ledger.unreported()) == (before, [])


def test_lines_of_json_come_back_as_they_were(desk: Desk, store: Store, tmp_path: Path) -> None:
    desk.json("import", "guild", str(store("guild")))
    file = tmp_path / "runs.jsonl"
    assert desk.type("export", "runs", "jsonl", "-o", str(file)).exit_code == 0
    other = tmp_path / "other"
    (other / "models").mkdir(parents=True)
    (other / "mlp.config").write_text("[MLP]\nhost = there\n")
    there = Desk(root=other, project=desk.project.load(other))
    assert len(there.json("import", "jsonl", str(file))["new"]) == 3
    # The code stays behind; all else is the same, the ids too.
    here, there_ = ([run | {"code_digest": ""} for run in exported(each)] for each in (desk, there))
    assert here == there_
    assert there.json("import", "jsonl", str(file))["known"] == 3
    assert desk.json("import", "jsonl", str(file))["known"] == 3


def test_lines_that_are_no_runs_are_left_out_and_told(desk: Desk, tmp_path: Path) -> None:
    desk.record(sample_run())
    good = json.loads(desk.type("export", "runs", "jsonl").stdout)
    good |= {"id": "", "foreign": "x", "params": {"x": float("nan")}, "model": "a:b\x1b[31m/../c"}
    bad: list[Any] = [
        [],
        {},
        good | {"format": 2},
        good | {"state": "fine"},
        good | {"created_at": None},
        good | {"created_at": "soon"},
        good | {"params": [1]},
        good | {"seed": 1 << 70},
        good | {"seed": True},
        good | {"tags": [1]},
        good | {"recorded": ["x"]},
        good | {"summaries": ["one"]},
    ]
    file = tmp_path / "runs.jsonl"
    lines = [json.dumps(each) for each in [*bad, good]] + ["", '{"torn', good and "\x00"]
    file.write_text("\n".join(lines))
    found = desk.json("import", "jsonl", str(file))
    assert (len(found["new"]), len(found["left_out"])) == (1, len(bad) + 2)
    assert all(f"{file}:" in each for each in found["left_out"])
    (run,) = (each for each in exported(desk) if each["foreign"])
    assert (run["model"], run["params"]) == ("a-b [31m/../c", {"x": "nan"})
    assert not [fault for fault in fsck.check(desk.project) if run["id"] in fault]


def test_an_id_of_a_file_leads_to_no_other_place(desk: Desk, tmp_path: Path) -> None:
    desk.record(sample_run())
    run = json.loads(desk.type("export", "runs", "jsonl").stdout) | {"id": "../../escaped"}
    file = tmp_path / "runs.jsonl"
    file.write_text(json.dumps(run))
    (new,) = desk.json("import", "jsonl", str(file))["new"]
    assert (desk.project.runs_dir / new).is_dir()
    assert not list(desk.root.rglob("escaped"))
    for name in ("../x", "", "a/b", "A"):
        with pytest.raises(RequestRefused, match="no name of a batch"):
            admission.directory(desk.project, name)


def test_a_dry_run_changes_nothing(desk: Desk, store: Store) -> None:
    place = store("guild")
    before = sorted(desk.root.rglob("*"))
    assert len(desk.json("import", "guild", str(place), "--dry-run")["new"]) == 3
    assert sorted(desk.root.rglob("*")) == before


def test_all_may_become_runs_of_one_model(desk: Desk, store: Store) -> None:
    desk.json("import", "guild", str(store("guild")), "--model", "old/net.py")
    assert {model for model, _, _ in told(desk)} == {"old/net.py"}


def test_a_batch_is_admitted_once_whoever_was_stopped_over_it(
    desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(BaseException):
        pass

    def stop(name: str) -> None:
        if name == "import.moved":
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(admission, "reach", stop)
        with pytest.raises(Stopped):
            importing.bring_in(desk.project, _runs(store("guild")))
    (request,) = requests.pending(desk.project)
    assert request.action == Action.IMPORT
    assert len(Replayer(desk.project).ids()) == 3  # moved, and not recorded
    assert told(desk) == []
    assert fsck.check(desk.project) == []  # since they wait to be
    new = desk.json("import", "guild", str(store("guild")))
    assert (len(new["new"]), new["known"]) == (3, 0)
    assert len(told(desk)) == 3
    assert (requests.pending(desk.project), fsck.check(desk.project)) == ([], [])


def _runs(place: Path) -> list[Any]:
    from mlpipeline.observe.exchange import guild

    return list(guild.runs(str(place), print))


def test_curves_of_imported_runs_are_drawn(desk: Desk, store: Store) -> None:
    desk.json("import", "sacred", str(store("sacred")))
    run = exported(desk)[0]
    rows = list(read_metrics(desk.project.runs_dir / run["id"] / "1" / "metrics.jsonl"))
    assert rows == run["recorded"]
    assert "train.loss" in desk.type("plot", run["id"]).stdout


def test_what_an_import_left_that_was_stopped_early_goes(desk: Desk) -> None:
    import os

    left = desk.project.imports_dir / "old"
    left.mkdir(parents=True)
    young = desk.project.imports_dir / "young"
    young.mkdir()
    os.utime(left, (0, 0))
    importing.tidy(desk.project)
    assert (left.exists(), young.exists()) == (False, True)
