"""Fits by hand whose process is killed outright: what became of them is in the ledger, as it was, and once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import requests
from mlpipeline.project import Project

from .conftest import GENEROUS_SECONDS, Workshop

GATED = """
while not (ROOT / "go").exists(): time.sleep(0.01)
if (ROOT / "go").read_text(): raise ValueError("no such luck")
"""
NOTEBOOK = """
import time
from pathlib import Path
import pandas as pd
from mlpipeline.data import TrainTestSplit
from mlpipeline.data.encoders import Pass
from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimators import Naive

class Rows(TrainTestSplit):
    def get_data(self):
        return pd.DataFrame({"a": range(40), "y": range(40)})
    def get_encoders(self):
        return (Pass("a"),)
    def get_output_encoder(self):
        return Pass("y")

class Slow(Naive):
    def before_fit(self):
        Path("begun").touch()
        while not Path("go").exists():
            time.sleep(0.01)

EstimatorModel(Rows(), Slow()).fit()
"""


@pytest.fixture
def plain(workshop: Workshop) -> Workshop:
    workshop.config("preload = none\n")
    workshop.model("m.py", GATED, 'Versions(dataloader=Loader(), batch_size=2, epochs=1).add("one").add("two")')
    workshop.model("other.py", "pass", 'Versions(0.1, Loader(), 2, 1).add("another")')
    workshop.list("other.py")
    return workshop


def kill(plain: Workshop, *words: str, failpoint: str = "") -> None:
    """Starts a fit, and kills the command once the training has begun."""
    command = plain.start("fit", "m.py", *words, failpoint=failpoint)
    plain.until(lambda: [row for row in plain.truth("train") if row["version"] == "one"], "the training begins")
    command.kill()
    command.communicate(timeout=GENEROUS_SECONDS)


def go(plain: Workshop, text: str = "") -> None:
    (plain.root / "go.new").write_text(text)
    (plain.root / "go.new").rename(plain.root / "go")


def fits(plain: Workshop) -> list[dict[str, Any]]:
    return [row for row in plain.history() if row["executor"] == "by hand"]


@pytest.mark.parametrize(("text", "state"), [("", "succeeded"), ("fail", "failed")])
def test_the_training_goes_on_and_the_next_scheduler_records_how_it_ended(
    plain: Workshop, text: str, state: str
) -> None:
    kill(plain)
    assert plain.run("fsck")[0] == 0
    go(plain, text)
    plain.until(lambda: not plain.left_behind(), "the training ends under its supervisor")
    for _ in range(2):
        status, said = plain.run("-r", "-u")
        assert status == 0, said
        (run,) = fits(plain)
        assert (run["model"], run["version"], run["state"]) == ("m.py", "one", state)
    assert plain.output("output").count(f"run {run['id']}.1\n") == 1
    assert plain.run("fsck")[0] == 0
    assert requests.pending(Project.load(plain.root)) == []


def test_a_scheduler_that_ends_before_the_training_leaves_it_to_the_next_one(plain: Workshop) -> None:
    kill(plain)
    assert plain.run("-r", "-u")[0] == 0
    assert fits(plain) == []
    assert "m.py" not in plain.output("output")
    go(plain)
    plain.until(lambda: not plain.left_behind(), "the training ends under its supervisor")
    assert plain.run("-r", "-u")[0] == 0
    assert [run["state"] for run in fits(plain)] == ["succeeded"]


def test_a_scheduler_that_lives_records_it_when_it_ends(plain: Workshop) -> None:
    scheduler = plain.start("-r", "-u", "--watch")
    plain.until(lambda: (plain.outputs / "ledger-here.db").exists() and plain.history(), "the scheduler works")
    kill(plain)
    go(plain)
    plain.until(lambda: fits(plain), "the record")
    assert fits(plain)[0]["state"] == "succeeded"
    scheduler.send_signal(signal.SIGINT)
    scheduler.communicate(timeout=GENEROUS_SECONDS)
    assert plain.run("fsck")[0] == 0


def test_the_next_fit_records_it_where_no_scheduler_comes(plain: Workshop) -> None:
    kill(plain)
    go(plain)
    plain.until(lambda: not plain.left_behind(), "the training ends under its supervisor")
    assert plain.run("fit", "m.py:two")[0] == 0
    assert sorted((run["version"], run["state"]) for run in fits(plain)) == [("one", "succeeded"), ("two", "succeeded")]


def test_one_whose_supervisor_was_killed_too_is_lost_and_nothing_of_it_is_left(plain: Workshop) -> None:
    kill(plain)
    (started,) = (plain.outputs / "runs").glob("*/1/started.json")
    os.kill(json.loads(started.read_text())["pid"], signal.SIGKILL)
    assert plain.run("-r", "-u")[0] == 0
    (run,) = fits(plain)
    assert (run["state"], "fit it again" in run["message"]) == ("lost", True), run["message"]
    plain.until(lambda: not plain.left_behind(), "no process is left")
    assert plain.run("fsck")[0] == 0
    (item,) = plain.json("gc", "--keep-checkpoints", "0", "--yes")["items"]
    assert "/m.py-one~by-hand-" in item["path"]
    assert [path.name for path in (plain.outputs / "model_dirs").iterdir()] == ["other.py-another"]


@pytest.mark.parametrize("moment", ["fit.prepared", "fit.announced", "fit.started"])
def test_one_that_is_killed_on_its_way_is_lost_or_never_was(plain: Workshop, moment: str) -> None:
    go(plain)
    status, _ = plain.run("fit", "m.py", variables={"MLP_FAILPOINT": f"{moment}=kill"})
    assert status == -signal.SIGKILL
    plain.until(lambda: not plain.left_behind(), "no process is left")
    assert plain.run("-r", "-u")[0] == 0
    states = {"fit.prepared": [[]], "fit.announced": [["lost"]], "fit.started": [["succeeded"], ["lost"]]}
    assert [run["state"] for run in fits(plain)] in states[moment]
    assert plain.run("fsck")[0] == 0


def test_a_notebook_that_is_killed_leaves_a_fit_that_is_lost(plain: Workshop) -> None:
    pytest.importorskip("sklearn", reason="scores need scikit-learn: pip install 'mlpipeline[learning]'")
    notebook = subprocess.Popen(
        [sys.executable, "-c", NOTEBOOK], cwd=plain.root, env={**os.environ, "PYTHONPATH": os.getcwd()}
    )
    plain.processes.append(notebook)  # type: ignore[arg-type]
    plain.until(lambda: (plain.root / "begun").exists(), "it fits")
    assert plain.run("-r", "-u")[0] == 0
    assert fits(plain) == [], "it lives"
    notebook.kill()
    notebook.wait()
    assert plain.run("-r", "-u")[0] == 0
    (run,) = fits(plain)
    assert (run["model"], run["version"], run["state"]) == ("Rows", "by-hand", "lost")
    assert "fit it again" in run["message"]
    assert plain.run("fsck")[0] == 0
    assert not list(Path(plain.outputs).glob("requests-here/*.part"))
