"""How long versions and the whole queue take, as `status`, `plan` and `why` tell it of real runs."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from datetime import datetime
from typing import Any

import pytest

from tests.integration.conftest import Workshop

TWO = 'Versions(0.1, Loader(), 2, 1).add("one").add("two")'


def takes(workshop: Workshop) -> dict[str, Any]:
    return {f"{each['model']}:{each['version']}": each["takes"] for each in workshop.json("plan")["items"]}


def step_of(workshop: Workshop) -> int | None:
    """How far the only run is."""
    return next((each["progress"]["step"] for each in workshop.json("status")["running"]), None)


def test_a_version_takes_what_its_runs_took_and_a_new_one_what_its_model_takes(workshop: Workshop) -> None:
    body = "import time\ntime.sleep(1.0 if self.run.version == 'one' else 0.2)"
    workshop.model("lm.py", body, TWO)
    workshop.model("new.py", "pass")
    workshop.list("lm.py")
    assert workshop.run("-r", "-u")[0] == 0
    workshop.model("lm.py", body + "\nprint(1)", TWO.replace('.add("two")', '.add("three")'))
    workshop.list("lm.py", "new.py")
    told = takes(workshop)
    assert (told["lm.py:one"]["source"], told["lm.py:one"]["runs"]) == ("version", 1)
    assert told["lm.py:one"]["seconds"] >= 1.0
    assert told["lm.py:one"]["low"] < told["lm.py:one"]["seconds"] < told["lm.py:one"]["high"]
    assert (told["lm.py:three"]["source"], told["lm.py:three"]["runs"]) == ("model", 2)
    assert told["new.py:one"] is None
    left = workshop.json("plan")["left"]
    assert (left["unknown"], left["done_at"]) == (1, None)
    assert "of training, + 1 version never timed." in workshop.run("plan")[1]


def test_more_epochs_take_longer(workshop: Workshop) -> None:
    versions = 'Versions(dataloader=Loader(), batch_size=2).add("one", epochs={})'
    workshop.model("lm.py", "pass", versions.format(2))
    workshop.list("lm.py")
    assert workshop.run("-r", "-u")[0] == 0
    before = takes(workshop)["lm.py:one"]
    assert before is None  # it is done
    took = workshop.history()[0]["attempts"][0]
    workshop.model("lm.py", "pass", versions.format(20))
    seconds = (took["ended_at"] - took["started_at"]).total_seconds()
    assert takes(workshop)["lm.py:one"]["seconds"] == pytest.approx(10 * seconds)


def test_the_status_tells_when_the_queue_is_done(workshop: Workshop) -> None:
    wait = "import time\nwhile not (ROOT / 'go').exists(): time.sleep(0.02)"
    workshop.model("lm.py", wait)
    (workshop.root / "go").touch()
    workshop.list("lm.py")
    assert workshop.run("-r", "-u")[0] == 0
    (workshop.root / "go").unlink()
    workshop.model("new.py", "pass")
    workshop.list("lm.py = replicates=5", "new.py")
    scheduler = workshop.start("-r", "-u")
    workshop.until(lambda: len(workshop.truth("train")) == 2, "the second seed trains")
    told = workshop.until(
        lambda: [each for each in [workshop.json("status")] if each["running"] and len(each["next"]) == 4],
        "it runs, and the other model is described",
    )[0]
    assert [each["takes"] and each["takes"]["runs"] for each in told["next"]] == [1, 1, 1, None]
    assert told["running"][0]["left"]["source"] == "version"
    assert told["left"]["unknown"] == 1
    assert told["left"]["takes"]["seconds"] > 0
    assert datetime.fromisoformat(told["left"]["done_at"]) > datetime.fromisoformat(told["at"])
    shown = workshop.run("status")[1]
    assert re.search(r"^About .* left, done around .*, \+ 1 version never timed", shown, re.MULTILINE), shown
    # It waits for a file, so that it soon takes longer than the one before it, and its widened interval, did.
    workshop.until(lambda: "longer than usual" in workshop.run("status")[1], "it is late")
    assert "longer than usual" in workshop.run("why", "lm.py")[1]
    assert workshop.run("pause")[0] == 0
    workshop.until(lambda: workshop.json("status")["left"]["done_at"] is None, "the pause is told")
    assert workshop.run("resume")[0] == 0
    (workshop.root / "go").touch()
    assert scheduler.wait(60) == 0
    assert workshop.json("status")["left"] is None


def test_a_training_that_was_killed_and_resumed_counts_once(workshop: Workshop) -> None:
    body = """
import time
for number in self.run.steps(total=steps):
    time.sleep(0.05 if self.run.attempt > 1 or self.run.step < 20 else 0.5)
    if self.run.step == 10:
        self.run.checkpoint(lambda path: path.write_text("10"))
"""
    workshop.model("lm.py", body, 'Versions(0.1, Loader(samples=40), 1, 1).add("one")')
    workshop.list("lm.py")
    scheduler = workshop.start("-r", "-u")
    workshop.until(lambda: (step_of(workshop) or 0) >= 15, "a good part of it is trained")
    os.kill(workshop.truth("train")[-1]["pid"], signal.SIGKILL)
    assert scheduler.wait(60) == 0
    (run,) = workshop.history()
    first, second = ((each["ended_at"] - each["started_at"]).total_seconds() for each in run["attempts"])
    assert [each["steps"] for each in run["attempts"]][1] == 40
    assert run["attempts"][0]["steps"] >= 15
    workshop.model("lm.py", body + "\nprint(1)", 'Versions(0.1, Loader(samples=40), 1, 1).add("one")')
    found = takes(workshop)["lm.py:one"]["seconds"]
    assert second < found < first + second


def test_a_run_during_which_the_clock_was_set_back_says_nothing(workshop: Workshop) -> None:
    workshop.model("lm.py", "pass")
    workshop.list("lm.py")
    assert workshop.run("-r", "-u")[0] == 0
    connection = sqlite3.connect(workshop.outputs / "ledger-here.db")
    connection.execute("UPDATE attempts SET ended_at = '2000-01-01T00:00:00+00:00'")
    connection.commit()
    connection.close()
    workshop.model("lm.py", "print(1)")
    assert takes(workshop) == {"lm.py:one": None}
    assert "How long it takes is not known: 1 version never timed." in workshop.run("plan")[1]
