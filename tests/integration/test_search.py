"""Searches in the queue: trials that are runs, kills at any moment, pruning; the models' own record says what came."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import params

from .conftest import GENEROUS_SECONDS, Workshop

SPACE = '{"x": (-5.0, 5.0), "kind": ["a", "b"]}'
BODY = """
version = self.current_version
self.loss = (version["x"] - 1) ** 2
truth("drew", self.run.version, x=version["x"], kind=version["kind"])
time.sleep(0.05)
"""


@pytest.fixture
def searching(workshop: Workshop) -> Workshop:
    workshop.config("preload = none\n")
    return workshop


def write(workshop: Workshop, search: str, space: str = SPACE, body: str = BODY, name: str = "m.py") -> None:
    """Writes a model with a search, and lists it."""
    workshop.model(name, body, f"Versions(dataloader=Loader(), batch_size=4, epochs=1).search({space}, {search})")
    path = workshop.models / name
    path.write_text(path.read_text().replace("\nMODEL", f"\n{EVALUATE}\nMODEL"))
    workshop.list(name)


EVALUATE = """
    def evaluate_model(self, input_fn, steps):
        return {"loss": self.loss}
"""


def trials(workshop: Workshop) -> dict[int, dict[str, Any]]:
    """What lies in the directory of studies, by number."""
    files = (workshop.outputs / "studies").rglob("*.json")
    return {int(path.stem): json.loads(path.read_text()) for path in files}


def drawn(workshop: Workshop) -> dict[str, list[Any]]:
    """What each trial was trained with, by its own record; one that was trained twice fails."""
    rows = workshop.truth("drew")
    assert len({row["version"] for row in rows}) == len(rows), rows
    return {row["version"]: [row["x"], row["kind"]] for row in rows}


def check(workshop: Workshop, count: int) -> None:
    """No trial is lost, none repeated, and each was trained with what its file says."""
    names = [f"trial-{number}" for number in range(1, count + 1)]
    assert collections.Counter(row["version"] for row in workshop.truth("train")) == dict.fromkeys(names, 1)
    files = trials(workshop)
    assert sorted(files) == list(range(1, count + 1))
    assert len({each["study"] for each in files.values()}) == 1
    assert [files[number]["place"] for number in sorted(files)] == sorted(files)
    kinds = {name: [x, kind] for name, (x, kind) in drawn(workshop).items()}
    told = {f"trial-{number}": [each["params"]["x"], each["params"]["kind"]] for number, each in files.items()}
    assert kinds == told
    for row in workshop.history():
        assert row["params_digest"] == params.digest(row["params"]) == files[int(row["version"][6:])]["params_digest"]


def test_killing_the_scheduler_loses_no_trial_and_repeats_none(searching: Workshop) -> None:
    pytest.importorskip("optuna")
    write(searching, 'trials=12, metric="loss"')
    chance = random.Random(20261121)
    for _ in range(8):
        process = searching.start("-r", "-u", "-j", "2")
        with contextlib.suppress(subprocess.TimeoutExpired):  # the usual case: it still works, and is killed
            process.wait(chance.uniform(0.3, 1.3))
        process.kill()
        process.wait()
    status, text = searching.run("-r", "-u", "-j", "2")
    assert status == 0, text
    check(searching, 12)
    assert searching.run("fsck")[0] == 0
    assert not searching.left_behind()


@pytest.mark.parametrize("place", ["study.drawn", "study.written", "scheduler.written", "scheduler.recorded"])
def test_a_kill_at_the_worst_moments_changes_nothing(searching: Workshop, place: str) -> None:
    write(searching, 'trials=4, metric="loss", sampler="random"')
    if place.startswith("scheduler"):
        process = searching.start("-r", "-u", failpoint=f"{place}=kill")
        assert process.wait(60) == -9
    else:  # who draws dies at every trial, and is started again as often as that makes sense
        status, text = searching.run("-r", "-u", variables={"MLP_FAILPOINT": f"{place}=kill"})
        assert (status, "was ended by SIGKILL" in text) == ((1, True) if place == "study.drawn" else (0, False)), text
    status, text = searching.run("-r", "-u")
    assert status == 0, text
    check(searching, 4)


def test_who_draws_and_hangs_is_ended_and_begun_anew(searching: Workshop) -> None:
    searching.config("preload = none\ndescribe_timeout_seconds = 4\n")
    write(searching, 'trials=3, metric="loss", sampler="random"')
    (searching.root / "wait").mkdir()
    process = searching.start("-r", "-u", failpoint=f"study.drawn=wait:{searching.root}/wait")
    searching.until(lambda: len(list((searching.root / "wait").iterdir())) == 2, "the first one is given up")
    (searching.root / "wait" / "study.drawn.go").touch()
    text, _ = process.communicate(timeout=GENEROUS_SECONDS)
    assert process.returncode == 0, text
    check(searching, 3)


def test_what_prints_when_python_starts_is_told_and_stops_nothing_else(searching: Workshop, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import os\nos.write(1, b'good morning\\n')\n")
    variables = {"PYTHONPATH": f"{tmp_path / 'site'}:{os.environ.get('PYTHONPATH', '')}"}
    write(searching, 'trials=3, metric="loss", sampler="random"')
    searching.model("plain.py", "truth('drew', 'plain')")
    searching.list("m.py", "plain.py")
    status, text = searching.run("-r", "-u", variables=variables)
    assert (status, "who draws printed 'good morning'" in text, "Traceback" in text) == (1, True, False), text
    assert [row["model"] for row in searching.history()] == ["plain.py"]


def test_the_same_seed_gives_the_same_trials_also_after_kills(searching: Workshop, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    write(searching, 'trials=14, metric="loss", seed=3')
    other = Workshop(tmp_path / "other")
    try:
        other.config("preload = none\n")
        write(other, 'trials=14, metric="loss", seed=3')
        assert searching.run("-r", "-u")[0] == 0
        for _ in range(3):
            process = other.start("-r", "-u")
            known = len(other.truth("drew"))
            other.until(lambda known=known: len(other.truth("drew")) > known + 3, "four more trials")  # type: ignore[misc]
            process.kill()
            process.wait()
        assert other.run("-r", "-u")[0] == 0
        assert drawn(other) == drawn(searching)
    finally:
        other.close()


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_two_hosts_share_a_search(searching: Workshop, sampler: str) -> None:
    if sampler == "tpe":
        pytest.importorskip("optuna")
    body = BODY + "\nwhile not (ROOT / 'go').exists(): time.sleep(0.01)\n"
    write(searching, f'trials=9, metric="loss", sampler="{sampler}"', body=body)
    words = ("-r", "-u", "-j", "2", "--host")
    first = searching.start(*words, "one")
    searching.until(lambda: len(searching.truth("drew")) == 2, "the first host has all that it can train")
    second = searching.start(*words, "two")
    searching.until(lambda: len(searching.truth("drew")) == 4, "the second host trains beside it")
    (searching.root / "go").touch()
    for process in (first, second):
        text, _ = process.communicate(timeout=GENEROUS_SECONDS)
        assert process.returncode == 0, text
    files = trials(searching)
    assert sorted(files) == list(range(1, 10))
    assert len({str(each["drawn"]) for each in files.values()}) == 9
    assert sorted(drawn(searching)) == [f"trial-{number}" for number in range(1, 10)]


def test_more_trials_continue_and_another_space_begins_anew(searching: Workshop) -> None:
    write(searching, 'trials=3, metric="loss", sampler="random"')
    assert searching.run("-r", "-u")[0] == 0
    write(searching, 'trials=5, metric="loss", sampler="random"')
    assert searching.run("-r", "-u")[0] == 0
    check(searching, 5)
    write(searching, 'trials=2, metric="loss", sampler="random"', '{"x": (-5.0, 4.0), "kind": ["a", "b"]}')
    assert searching.run("-r", "-u")[0] == 0
    files = trials(searching)
    assert sorted(files) == [1, 2, 3, 4, 5, 6, 7]
    assert [files[number]["place"] for number in (5, 6, 7)] == [5, 1, 2]
    assert len({each["study"] for each in files.values()}) == 2
    assert len(searching.history()) == 7
    plan = searching.json("plan", "--all")
    assert [each["version"] for each in plan["items"]] == ["trial-6", "trial-7"]
    write(searching, 'trials=5, metric="loss", sampler="random"')  # the former one again: nothing is to be done
    assert searching.run("-r", "-u")[0] == 0
    assert len(searching.history()) == 7


def test_a_grid_ends_with_its_cells_and_knows_nothing_of_optuna(searching: Workshop, tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text("import sys\nsys.modules['optuna'] = None\n")
    variables = {"PYTHONPATH": f"{tmp_path / 'without'}:{os.environ.get('PYTHONPATH', '')}"}
    write(searching, 'trials=50, metric="loss", sampler="grid"', '{"x": [1.0, 2.0, 3.0], "kind": ["a", "b"]}')
    status, text = searching.run("-r", "-u", "-j", "2", variables=variables)
    assert status == 0, text
    assert sorted(drawn(searching).values()) == [[x, kind] for x in (1.0, 2.0, 3.0) for kind in "ab"]
    told = searching.json("status")["studies"]
    assert [(each["drawn"], each["is_exhausted"], each["best"][1]) for each in told] == [(6, True, 0.0)]
    write(searching, 'trials=2, metric="loss"', name="tpe.py")
    status, text = searching.run("-r", "-u", variables=variables)
    assert (status, "mlpipeline[tune]" in text) == (1, True), text


def test_failed_trials_are_told_and_the_search_goes_on(searching: Workshop) -> None:
    body = BODY + "\nassert version['kind'] == 'a', 'no b here'\n"
    write(searching, 'trials=6, metric="loss", sampler="grid"', '{"x": [1.0, 2.0, 3.0], "kind": ["a", "b"]}', body)
    assert searching.run("-r", "-u", "-j", "2")[0] == 1
    told = searching.json("plan")["studies"][0]
    assert (told["drawn"], told["done"], told["failed"], told["best"]) == (6, 3, 3, ["trial-1", 0.0])
    assert "6 of 6 trials drawn, 3 done, 3 failed; best loss 0 (trial-1)" in searching.run("why", "m.py")[1]
    assert "It is trial 3 of 6 of the search" in searching.run("why", "m.py:trial-3")[1]


def test_pruning_ends_hopeless_trials_and_never_the_best(searching: Workshop) -> None:
    pytest.importorskip("optuna")
    body = """
version = self.current_version
truth("drew", self.run.version, x=version["x"], kind="a")
for step in self.run.steps(range(2000)):
    self.loss = version["x"] + 1 / (step + 1)
    self.run.record(loss=self.loss)
    self.run.flush()
    time.sleep(0.01 if version["x"] > 50 else 0.0005)
truth("steps", self.run.version, steps=self.run.step)
"""
    space = '{"x": [float(each) for each in (1, 2, 3, 4, 5, 100, 101, 102)]}'
    write(searching, 'trials=8, metric="loss", sampler="grid", pruner="median"', space, body)
    status, text = searching.run("-r", "-u", "-j", "2")
    assert status == 0, text
    steps = {row["version"]: row["steps"] for row in searching.truth("steps")}
    assert [steps[f"trial-{number}"] for number in range(1, 6)] == [2000] * 5
    assert all(steps[f"trial-{number}"] < 2000 for number in (6, 7, 8))
    causes = {row["version"]: (row["state"], str(row["cause"])) for row in searching.history()}
    assert [causes[f"trial-{number}"] for number in (1, 8)] == [("succeeded", "none"), ("succeeded", "pruned")]
    told = searching.json("status")["studies"][0]
    assert (told["done"], told["pruned"], told["best"][0]) == (5, 3, "trial-1")
    assert "pruned at step" in searching.run("history")[1]


def test_a_metric_that_never_comes_stops_the_search_and_says_so(searching: Workshop) -> None:
    write(searching, 'trials=50, metric="accuracy", sampler="random"')
    status, text = searching.run("-r", "-u")
    assert (status, "has no metric 'accuracy'" in text) == (1, True), text
    assert len(searching.history()) == 1
    assert "it has loss" in searching.run("show", "m.py:trial-1")[1]


def test_a_search_of_which_everything_fails_stops_until_something_does_not(searching: Workshop) -> None:
    write(searching, 'trials=8, metric="loss", sampler="random"', body=f"{BODY}\nassert (ROOT / 'mended').exists()")
    status, text = searching.run("-r", "-u")
    assert (status, "all 5 trials of the search have failed" in text) == (1, True), text
    assert len(searching.history()) == 5
    (searching.root / "mended").touch()
    assert searching.run("retry", searching.history()[0]["id"])[0] == 0
    assert searching.run("-r", "-u")[0] == 1  # the other four stand failed
    assert searching.json("plan")["studies"][0]["done"] == 4
    assert [row["state"] for row in searching.history()].count("failed") == 4


def test_a_fault_of_the_model_bars_it_also_where_its_search_is_stopped(searching: Workshop) -> None:
    write(searching, 'trials=50, metric="accuracy", sampler="random"')
    path = searching.models / "m.py"
    path.write_text(path.read_text().replace(".search(", '.add("extra", x=1.0, kind="a").search('))
    searching.list("m.py = skip=extra")
    assert searching.run("-r", "-u")[0] == 1
    searching.model("other.py", "time.sleep(0.3)", 'Versions(0.1, Loader(), 2, 1).add("one").add("two")')
    searching.list("m.py = skip=trail-1", "other.py")
    status, text = searching.run("-r", "-u")
    assert (status, "has no version 'trail-1'. Did you mean 'trial-1'?" in text) == (1, True), text
    assert sorted(row["version"] for row in searching.history()) == ["one", "trial-1", "two"]


def test_test_mode_tries_one_trial_and_keeps_none(searching: Workshop) -> None:
    write(searching, 'trials=50, metric="loss", sampler="random"')
    status, text = searching.run("m.py")
    assert (status, [row["version"] for row in searching.truth("drew")]) == (0, ["trial-1"]), text
    assert not searching.outputs.exists()


def test_a_plan_shows_a_search_that_has_not_begun_and_changes_nothing(searching: Workshop) -> None:
    write(searching, 'trials=50, metric="loss", sampler="random"')
    status, text = searching.run("plan")
    assert (status, "0 of 50 trials drawn" in text, "mlpipeline -r -u" in text) == (0, True, True), text
    assert not searching.outputs.exists()


def test_seeds_of_a_trial_are_compared_by_their_mean(searching: Workshop) -> None:
    body = BODY + "\nself.loss += 10 * self.run.replicate\n"
    write(searching, 'trials=2, metric="loss", sampler="grid"', '{"x": [1.0, 2.0], "kind": ["a"]}', body)
    searching.list("m.py = replicates=3")
    assert searching.run("-r", "-u", "-j", "2")[0] == 0
    assert searching.json("plan")["studies"][0]["best"] == ["trial-1", 10.0]
