"""A real queue tells other tools of its runs without waiting for any, and runs of other tools come into it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import event_files

from .conftest import Workshop

STORES = Path(__file__).parents[1] / "unit" / "observe" / "exchange" / "stores"
BODY = """
for step in self.run.steps(range(40)):
    self.run.record(train_loss=float(step))
"""
SLOW = """
from pathlib import Path
for step in self.run.steps(range(100_000)):
    self.run.record(train_loss=float(step))
    time.sleep(0.02)
    if (ROOT / "enough").exists(): break
"""


def losses(workshop: Workshop) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for path in (workshop.outputs / "tensorboard").rglob("train/events*"):
        steps = [step for _, step, name, _ in event_files.read(path) if name == "loss"]
        found.setdefault(path.parts[-3], []).extend(steps)
    return found


def told(workshop: Workshop) -> dict[str, Any]:
    try:
        return dict(json.loads((workshop.outputs / "tracking-here.json").read_text()))
    except (OSError, ValueError):
        return {}


def test_runs_are_in_tensorboard_when_the_queue_is_done(workshop: Workshop) -> None:
    workshop.config("preload = none\n[TRACKING]\ntensorboard = true\n")
    workshop.model("m.py", BODY)
    workshop.list("m.py")
    status, output = workshop.run("-r", "-u")
    assert status == 0, output
    (run,) = workshop.history()
    assert losses(workshop) == {run["id"]: list(range(1, 41))}
    assert workshop.run("-r", "-u")[0] == 0
    assert losses(workshop) == {run["id"]: list(range(1, 41))}


@pytest.mark.slow
def test_a_server_that_never_answers_keeps_nobody_waiting(workshop: Workshop) -> None:
    pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()  # and never accepts
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        workshop.config(f"preload = none\n[TRACKING]\ntensorboard = true\nmlflow = {address}\n")
        workshop.model("m.py", BODY, 'Versions(0.1, Loader(), 2, 1).add("one").add("two").add("three")')
        workshop.list("m.py")
        status, output = workshop.run("-r", "-u", variables={"MLFLOW_HTTP_REQUEST_TIMEOUT": "1"})
    assert status == 0, output
    assert [run["state"] for run in workshop.history()] == ["succeeded"] * 3
    workshop.until(lambda: sorted(map(len, losses(workshop).values())) == [40, 40, 40], "the curves are whole")
    workshop.until(lambda: "cannot be reached" in json.dumps(told(workshop)), "somebody said that it does not answer")
    assert "(runs: 3)" in json.dumps(told(workshop))
    workshop.until(lambda: not workshop.left_behind(), "the process that tells other tools ended")


@pytest.mark.slow
def test_what_is_lacking_is_told_later_and_once(workshop: Workshop) -> None:
    pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    pytest.importorskip("sqlalchemy", reason="the extra mlflow is not installed")
    import sqlite3

    database = workshop.root / "place" / "mlflow.db"  # there is no such directory yet
    workshop.config(f"preload = none\n[TRACKING]\nmlflow = sqlite:///{database}\n")
    (workshop.root / "place").write_text("in the way")
    workshop.model("m.py", BODY)
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    workshop.until(lambda: "(runs: 1)" in json.dumps(told(workshop)), "somebody said that it lacks a run")
    workshop.until(lambda: not workshop.left_behind(), "the process that tells other tools ended")
    (workshop.root / "place").unlink()
    (workshop.root / "place").mkdir()
    for _ in range(2):
        assert workshop.run("-r", "-u")[0] == 0
        workshop.until(lambda: not workshop.left_behind(), "the process that tells other tools ended")
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT step FROM metrics WHERE key = 'train_loss' ORDER BY step").fetchall()
        runs = connection.execute("SELECT name, status FROM runs").fetchall()
    connection.close()
    assert (rows, runs) == ([(step,) for step in range(1, 41)], [("m.py:one", "FINISHED")])
    assert told(workshop)["troubles"] == []


def test_curves_grow_while_a_run_goes_on_whoever_is_killed(workshop: Workshop) -> None:
    workshop.config("preload = none\n[TRACKING]\ntensorboard = true\n")
    workshop.model("m.py", SLOW)
    workshop.list("m.py")
    scheduler = workshop.start("-r", "-u")
    workshop.until(lambda: any(losses(workshop).values()), "a curve began")
    (follower,) = (pid for pid in workshop.left_behind() if b"exchange.follower" in _words(pid))
    os.kill(follower, signal.SIGKILL)
    before = max(map(len, losses(workshop).values()))
    workshop.until(lambda: max(map(len, losses(workshop).values())) > before, "another process went on")
    scheduler.kill()
    scheduler.wait()
    workshop.until(
        lambda: not any(b"exchange.follower" in _words(pid) for pid in workshop.left_behind()),
        "it ended with its scheduler",
    )
    (workshop.root / "enough").touch()
    assert workshop.run("-r", "-u")[0] == 0
    (run,) = workshop.history()
    rows = (workshop.outputs / f"runs/{run['id']}/1/metrics.jsonl").read_text().splitlines()
    assert losses(workshop) == {run["id"]: [json.loads(row)["step"] for row in rows]}


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_scheduler_that_lives_records_what_is_imported(workshop: Workshop) -> None:
    workshop.list()
    workshop.config("preload = none\n")
    scheduler = workshop.start("-r", "-u", "--watch")
    workshop.until(lambda: workshop.json("status")["scheduler"]["running"], "the scheduler runs")
    found = workshop.json("import", "guild", str(STORES / "guild"))
    assert len(found["new"]) == 3
    workshop.until(lambda: len(workshop.history()) == 3, "they were recorded")
    assert workshop.json("import", "guild", str(STORES / "guild"))["known"] == 3
    assert workshop.run("fsck")[0] == 0
    scheduler.terminate()
    scheduler.wait()
    assert workshop.output("output") == ""  # no block of results: nothing was trained here


def test_what_was_trained_elsewhere_is_done_only_where_a_person_says_so(workshop: Workshop) -> None:
    store = workshop.root / "old" / "models" / "outputs"
    shutil.copytree(STORES / "ml_pipeline" / "models" / "outputs", store)
    workshop.config("preload = none\n")
    workshop.model("digits.py", "pass", 'Versions(0.1, Loader(), 2, 1).add("wide").add("deep").add("new")')
    workshop.list("digits.py")
    workshop.json("import", "ml-pipeline", str(store))
    assert len(workshop.history()) == 3
    assert workshop.run("-r", "-u")[0] == 0
    assert sorted(row["version"] for row in workshop.truth("train")) == ["deep", "new", "wide"]
    shutil.rmtree(workshop.outputs)
    (workshop.root / "truth.jsonl").unlink()
    found = workshop.json("import", "ml-pipeline", str(store), "--done")
    assert found["done"] == 2
    status, output = workshop.run("-r", "-u")
    assert status == 0, output
    assert [row["version"] for row in workshop.truth("train")] == ["new"]
    workshop.model("digits.py", "other = 1", 'Versions(0.1, Loader(), 2, 1).add("wide").add("deep").add("new")')
    assert workshop.run("-r", "-u")[0] == 0
    assert sorted(row["version"] for row in workshop.truth("train")) == ["deep", "new", "new", "wide"]
    assert workshop.run("fsck")[0] == 0


def test_an_import_that_is_killed_is_completed_by_the_next(workshop: Workshop) -> None:
    importing = workshop.start("import", "guild", str(STORES / "guild"), failpoint="import.moved=kill")
    importing.wait()
    assert importing.returncode == -signal.SIGKILL
    assert workshop.history() == []
    assert workshop.run("import", "guild", str(STORES / "guild"))[0] == 0
    assert len(workshop.history()) == 3
    assert workshop.run("fsck")[0] == 0
