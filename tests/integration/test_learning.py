"""EstimatorModels in the queue, and fits by hand beside it: killed, resumed, stopped, pruned, tried, recorded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlpipeline.rundir import AttemptDir, read_metrics

from .conftest import Workshop

pytest.importorskip("sklearn", reason="scores need scikit-learn: pip install 'mlpipeline[learning]'")

PARTS = """
import importlib.util, json, os, sys, time, types
from pathlib import Path
import numpy as np, pandas as pd
from mlpipeline import Versions
from mlpipeline.data import TrainTestSplit
from mlpipeline.data.encoders import Boolean, Norm
from mlpipeline.learning import EstimatorModel
from mlpipeline.learning.estimator import Estimator
from mlpipeline.learning.estimators import Naive

HERE = Path(__file__).resolve().parent.parent

if importlib.util.find_spec("mlpipeline.learning.serializers") is None:
    made = types.ModuleType("mlpipeline.learning.serializers")
    def save(model, place, *, facts=None):
        place.mkdir(parents=True)
        state = model.estimator.save(place)
        (place / "manifest.json").write_text(json.dumps({"state": state, "run": (facts or {}).get("run")}))
        return place
    made.save = save
    sys.modules[made.__name__] = made

class People(TrainTestSplit):
    def get_data(self):
        random = np.random.default_rng(0)
        a = random.normal(size=400)
        return pd.DataFrame({"a": a, "y": a + random.normal(size=400) > 0})
    def get_encoders(self):
        return (Norm("a"),)
    def get_output_encoder(self):
        return Boolean("y")

class Slope(Estimator):
    is_resumable = True
    def __init__(self, *, epochs: int = 6, waits: bool = False, random_state: int | None = None, kind=None):
        self.epochs, self.waits, self.random_state, self.kind = epochs, waits, random_state, kind
    @property
    def rounds(self):
        return self.epochs
    def _fit(self, training):
        run, x, y = training.run, training.train.x.to_numpy(float), training.train.y
        saved, done = run.restore(lambda path: float(path.read_text())), run.checkpoint_step or 0
        w = 0.0 if saved is None else saved
        for number in run.steps(range(done, self.rounds), initial=done):
            p = 1 / (1 + np.exp(-x[:, 0] * w))
            w -= float((x[:, 0] * (p - y)).mean())
            run.record(train_loss=float(-np.log(np.where(y == 1, p, 1 - p)).mean()), number=number)
            run.checkpoint(lambda path: path.write_text(repr(w)))
            with (HERE / "rounds.txt").open("a") as file:
                file.write(f"{number} {os.getpid()} {self.random_state}\\n")
            while self.waits and number == 2 and not (HERE / "go").exists() and not run.should_stop:
                time.sleep(0.02)
        self.w_ = w
    def _predict_proba(self, x):
        p = 1 / (1 + np.exp(-x.to_numpy(float)[:, 0] * self.w_))
        return np.column_stack([1 - p, p])
    def _save(self, directory):
        return {"w": self.w_}
    def _load(self, directory, learnt):
        self.w_ = learnt["w"]
"""
MODEL = "from parts import *\n\nMODEL = EstimatorModel(People(), {estimator}, {versions})\n"


@pytest.fixture
def learning(workshop: Workshop) -> Workshop:
    (workshop.models / "parts.py").write_text(PARTS)
    return workshop


def model(
    workshop: Workshop, estimator: str = "Slope()", versions: str = "Versions().add('one')", name: str = "m.py"
) -> None:
    (workshop.models / name).write_text(MODEL.format(estimator=estimator, versions=versions))
    workshop.list(name)


def rounds(workshop: Workshop) -> list[list[str]]:
    path = workshop.root / "rounds.txt"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def directory(workshop: Workshop, run: dict[str, Any]) -> Path:
    return workshop.root / str(run["directory"])


def by_hand(workshop: Workshop, *lines: str) -> str:
    source = "\n".join(["import sys", "sys.path.insert(0, 'models')", "from m import MODEL", *lines])
    done = subprocess.run(
        [sys.executable, "-c", source],
        cwd=workshop.root,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_versions_are_trained_scored_on_three_parts_and_saved(learning: Workshop) -> None:
    model(learning, versions="Versions(dataset__subsample=200).grid(epochs=[4, 8])")
    status, said = learning.run("-r", "-u")
    assert status == 0, said
    found = {run["version"]: run for run in learning.history()}
    assert found.keys() == {"epochs=4", "epochs=8"}
    for version, steps in (("epochs=4", 4), ("epochs=8", 8)):
        run = found[version]
        assert (run["state"], run["steps"]) == ("succeeded", steps)
        assert run["metrics"].keys() == {"train", "validation", "test"}
        assert run["metrics"]["test"].keys() == {"auc", "log_loss", "accuracy", "f1"}
        assert run["params"]["dataset"]["arguments"] == {"subsample": 200}
        place = directory(learning, run)
        assert json.loads((place / "artefact" / "manifest.json").read_text())["run"]["id"] == run["id"]
        assert json.loads((place / "data.json").read_text())["rows"]["training"] == 160
        assert [row["step"] for row in read_metrics(place / "metrics.jsonl")] == list(range(1, steps + 1))
        assert list(place.glob("tensorboard/train/events.out.tfevents.*"))
    seeds = {line[2] for line in rounds(learning)}
    assert seeds == {str(run["seed"] % 2**31) for run in found.values()}
    assert learning.run("-r", "-u")[0] == 0
    assert len(learning.history()) == 2, "what is done is not done again"
    learning_output = learning.output("output")
    assert "selected by the auc of the validation split" in learning_output
    assert "People: 200 rows (160 training, 20 validation, 20 test), 1 features" in learning_output


def test_a_run_that_is_killed_goes_on_from_its_checkpoint(learning: Workshop) -> None:
    model(learning, "Slope(waits=True)")
    learning.start("-r", "-u")
    learning.until(lambda: [line for line in rounds(learning) if line[0] == "2"], "three rounds")
    os.kill(int(rounds(learning)[-1][1]), signal.SIGKILL)
    (learning.root / "go").touch()
    learning.until(lambda: [run for run in learning.history() if run["state"] == "succeeded"], "the end of the run")
    (run,) = learning.history()
    assert len(run["attempts"]) == 2
    numbers = [int(line[0]) for line in rounds(learning)]
    assert numbers == [0, 1, 2, 3, 4, 5], "no round is learnt twice"
    assert len({line[1] for line in rounds(learning)}) == 2

    (learning.root / "rounds.txt").unlink()
    straight = by_hand(learning, "print(MODEL.fit(estimator__waits=False).metrics['test']['auc'])")
    assert float(straight.split()[-1]) == run["metrics"]["test"]["auc"]


@pytest.mark.parametrize(("action", "state"), [("stop", "cancelled"), ("prune", "succeeded")])
def test_a_run_ends_early_where_it_is_asked_to(learning: Workshop, action: str, state: str) -> None:
    model(learning, "Slope(waits=True)")
    process = learning.start("-r", "-u")
    learning.until(lambda: [line for line in rounds(learning) if line[0] == "2"], "three rounds")
    (path,) = (learning.outputs / "runs").glob("*/1")
    AttemptDir(path).request(action)
    process.wait(timeout=60)
    (run,) = learning.history()
    assert (run["state"], run["steps"]) == (state, 3)
    assert (path / "artefact").exists() == (action == "prune"), "what was pruned is scored and kept"


def test_a_run_that_is_asked_for_room_goes_on_afterwards(learning: Workshop) -> None:
    model(learning, "Slope(waits=True)")
    process = learning.start("-r", "-u")
    learning.until(lambda: [line for line in rounds(learning) if line[0] == "2"], "three rounds")
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    assert learning.history()[0]["state"] == "yielded"
    (learning.root / "go").touch()
    assert learning.run("-r", "-u")[0] == 0
    (run,) = learning.history()
    assert (run["state"], len(run["attempts"]), run["steps"]) == ("succeeded", 2, 6)


def test_a_run_whose_training_was_whole_is_scored_from_its_checkpoint(learning: Workshop) -> None:
    model(learning)
    assert learning.run("-r", "-u")[0] == 0
    (run,) = learning.history()
    (learning.models / "m.py").write_text((learning.models / "m.py").read_text() + "\n# no change\n")
    learning.config("rerun_on = never\n")
    (learning.outputs / "ledger-here.db").unlink()
    for leftover in learning.outputs.glob("ledger-here.db-*"):
        leftover.unlink()
    assert learning.run("-r", "-u")[0] == 0
    again = learning.history()[0]
    assert again["id"] != run["id"]
    assert again["metrics"] == run["metrics"]
    assert len(rounds(learning)) == 6, "nothing was left to be trained"


def test_test_mode_takes_one_step_and_loads_the_checkpoint_again(learning: Workshop) -> None:
    model(learning, versions="Versions().grid(estimator__epochs=[3, 5])")
    learning.list("m.py", test=True)
    status, said = learning.run()
    assert status == 0, said
    assert said.count("checkpoint saved and loaded again at step 2") == 2
    assert [line[0] for line in rounds(learning)] == ["0", "1"] * 2
    assert not (learning.models / "outputs").exists()


def test_test_mode_says_of_an_estimator_without_checkpoints_that_it_begins_again(learning: Workshop) -> None:
    model(learning, estimator="Naive()")
    learning.list("m.py", test=True)
    status, said = learning.run()
    assert (status, said.count("m.py:one is fitted anew where it is interrupted")) == (0, 1), said
    assert "run.checkpoint" not in said, "a script that has no such call cannot be meant"


def test_an_unknown_parameter_is_a_fault_of_the_model(learning: Workshop) -> None:
    model(learning, versions="Versions().grid(estimator__epoch=[3, 5])")
    status, said = learning.run("-r", "-u")
    assert status != 0
    assert "there is no parameter 'estimator__epoch'. Did you mean 'estimator__epochs'?" in said
    assert "m.py:3" in said


def test_a_change_of_a_parameter_of_the_estimator_makes_a_run_due_again(learning: Workshop) -> None:
    (learning.models / "epochs.txt").write_text("3")
    model(learning, "Slope(epochs=int((HERE / 'models/epochs.txt').read_text()))")
    assert learning.run("-r", "-u")[0] == 0
    (learning.models / "epochs.txt").write_text("4")
    (learning.models / "m.py").write_text((learning.models / "m.py").read_text() + "\n")  # to be described again
    assert learning.run("-r", "-u")[0] == 0
    assert [run["steps"] for run in learning.history()] == [4, 3]


def test_a_fit_by_hand_is_in_the_history_where_no_scheduler_runs(learning: Workshop) -> None:
    model(learning)
    by_hand(learning, "MODEL.fit(epochs=3)")
    (line,) = learning.json("history")["runs"]
    assert (line["model"], line["version"], line["state"]) == ("m.py", "by-hand", "succeeded")
    status, said = learning.run("show", "m")
    assert status == 0
    for told in ("by-hand", "test auc", "Data: 320 training", "epochs"):
        assert told in said
    assert learning.run("fsck")[0] == 0
    # It answers no wish of the queue, and its results are reported with those of the queue.
    assert learning.run("-r", "-u")[0] == 0
    assert [run["version"] for run in learning.history()] == ["one", "by-hand"]
    assert f"run {learning.history()[1]['id']}.1\n" in learning.output("output")


def test_a_fit_by_hand_is_in_the_history_while_a_scheduler_lives(learning: Workshop) -> None:
    model(learning, "Slope(waits=True)")
    scheduler = learning.start("-r", "-u", "--watch")
    learning.until(lambda: [line for line in rounds(learning) if line[0] == "2"], "three rounds in the queue")
    by_hand(learning, "MODEL.fit(estimator__waits=False)")
    assert scheduler.poll() is None
    found = {run["version"]: run["state"] for run in learning.history()}
    assert found == {"one": "running", "by-hand": "succeeded"}
    (learning.root / "go").touch()
    learning.until(lambda: {run["state"] for run in learning.history()} == {"succeeded"}, "the end of the run")
    assert f"run {learning.history()[0]['id']}.1\n" in learning.output("output")
    scheduler.send_signal(signal.SIGINT)
    scheduler.wait(timeout=60)
    assert learning.run("fsck")[0] == 0


def test_a_fit_by_hand_is_not_retried_by_the_queue(learning: Workshop) -> None:
    model(learning)
    by_hand(learning, "try:\n    MODEL.fit(estimator__kind='triple')\nexcept ValueError as error:\n    print(error)")
    (run,) = learning.history()
    assert run["state"] == "failed"
    status, said = learning.run("retry", run["id"])
    assert status != 0
    assert "was fitted by hand: fit it again" in said
    assert "Nothing stands failed" in learning.run("retry", "--failed")[1]
    assert "It was fitted by hand: fit it again." in learning.run("show", run["id"])[1]
