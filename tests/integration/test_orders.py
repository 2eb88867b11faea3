"""Orders of people to a running scheduler: hold, release, now, pause, resume, note; each carried out once."""

from __future__ import annotations

import json
import shutil
import signal
from typing import Any

from mlpipeline import requests, wire
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from tests.integration.conftest import Workshop

LONG = """
import time
for step in self.run.steps(total=200000):
    self.run.checkpoint(lambda path: path.write_text(str(step)), every_seconds=3600)
    if (ROOT / "finish").exists():
        break
    time.sleep(0.002)
"""
QUICK = "pass"


def versions(*names: str) -> str:
    return "Versions(0.1, Loader(), 2, 100000)" + "".join(f'.add("{name}")' for name in names)


def started(workshop: Workshop) -> list[str]:
    return [row["version"] for row in workshop.truth("train")]


def say(workshop: Workshop, *words: str) -> dict[str, Any]:
    told: dict[str, Any] = workshop.json(*words, "--wait")
    assert all(each["answer"] and each["answer"]["ok"] for each in told["requests"]), told
    return told


def trouble(project: Project) -> str:
    return str((wire.read_json(project.status_path) or {}).get("trouble") or "")


def verdicts(workshop: Workshop) -> dict[str, str]:
    return {item["version"]: item["verdict"] for item in workshop.json("plan")["items"]}


def test_what_is_held_does_not_start_until_it_is_released(workshop: Workshop) -> None:
    workshop.model("a.py", QUICK, versions("one", "two"))
    workshop.list()
    workshop.start("-r", "-u", "--watch")
    workshop.until(lambda: workshop.json("status")["scheduler"]["running"], "the scheduler runs")
    code, told = workshop.run("hold", "a.py:one", "--wait")
    assert code == 1
    assert "neither listed nor recorded" in told
    workshop.list("a.py = hold")
    workshop.until(lambda: "added a.py" in workshop.output(), "the edit is in force")
    say(workshop, "hold", "a.py:one")
    workshop.list("a.py")
    workshop.until(lambda: len(workshop.truth("trained")) == 1, "the other version is trained")
    assert started(workshop) == ["two"]
    held = {item["version"]: item for item in workshop.json("plan")["items"]}
    assert held["one"]["verdict"] == "held"
    assert "mlpipeline release a.py" in held["one"]["reason"]
    say(workshop, "release", "a.py:one")
    workshop.until(lambda: len(workshop.truth("trained")) == 2, "the released version is trained")


def test_a_hold_outlasts_the_scheduler(workshop: Workshop) -> None:
    workshop.model("a.py", QUICK, versions("one", "two"))
    workshop.list("a.py")
    Project.load(workshop.root).requests_dir.parent.mkdir(parents=True)
    assert workshop.run("hold", "a.py:two")[0] == 0
    assert workshop.run("-r", "-u")[0] == 0
    assert workshop.run("-r", "-u")[0] == 0
    assert started(workshop) == ["one"]


def test_now_makes_room_at_a_checkpoint_and_what_yielded_goes_on(workshop: Workshop) -> None:
    workshop.model("long.py", LONG, versions("long"))
    workshop.model("other.py", QUICK, versions("other"))
    workshop.model("urgent.py", QUICK, versions("urgent"))
    workshop.list("long.py", "other.py", "urgent.py")
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "the long one trains")
    say(workshop, "now", "urgent.py")
    workshop.until(lambda: len(workshop.truth("train")) >= 3, "the long one goes on")
    (workshop.root / "finish").touch()
    assert queue.wait(60) == 0
    assert started(workshop) == ["long", "urgent", "long", "other"]
    long = next(run for run in workshop.history() if run["version"] == "long")
    assert [attempt["state"].value for attempt in long["attempts"]] == ["yielded", "succeeded"]
    assert not Project.load(workshop.root).orders_path.read_text().count("urgent")


def test_a_paused_queue_starts_nothing_and_goes_on_from_checkpoints(workshop: Workshop) -> None:
    workshop.model("long.py", LONG, versions("long", "next"))
    workshop.list("long.py")
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "the long one trains")
    say(workshop, "pause")
    workshop.until(lambda: workshop.history()[-1]["state"] == "yielded", "it has made room")
    queue.send_signal(signal.SIGKILL)
    queue.wait()
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.json("status")["scheduler"]["running"], "the scheduler is back")
    assert "paused" in workshop.json("plan")["items"][0]["reason"]
    say(workshop, "pause")
    (workshop.root / "finish").touch()
    assert started(workshop) == ["long"]
    say(workshop, "resume")
    assert queue.wait(60) == 0
    assert started(workshop) == ["long", "long", "next"]
    assert workshop.run("resume", "--wait")[0] == 0  # nobody is there to refuse it


def test_of_requests_with_one_key_the_first_is_carried_out(workshop: Workshop) -> None:
    workshop.model("bad.py", "raise ValueError('no')", versions("bad"))
    workshop.list("bad.py")
    assert workshop.run("-r", "-u")[0] == 1
    workshop.start("-r", "-u", "--watch")
    workshop.until(lambda: workshop.json("status")["scheduler"]["running"], "the scheduler runs")
    for _ in range(3):
        say(workshop, "retry", "bad.py", "--key", "nightly")
    workshop.until(lambda: len(workshop.history()[0]["attempts"]) == 2, "it was tried again")
    workshop.until(lambda: workshop.history()[0]["state"] == "failed", "it failed again")
    say(workshop, "retry", "bad.py", "--key", "nightly")
    assert len(workshop.truth("train")) == 2
    say(workshop, "retry", "bad.py", "--key", "another")
    workshop.until(lambda: len(workshop.truth("train")) == 3, "another key is another request")


def test_a_request_is_carried_out_once_though_the_scheduler_dies_over_it(workshop: Workshop) -> None:
    workshop.model("bad.py", "raise ValueError('no')", versions("bad"))
    workshop.list("bad.py")
    assert workshop.run("-r", "-u")[0] == 1
    identity = requests.submit(Project.load(workshop.root), "retry", workshop.history()[0]["id"])
    queue = workshop.start("-r", "-u", failpoint="scheduler.request_carried_out=kill")
    assert queue.wait(60) == -signal.SIGKILL
    assert len(workshop.truth("train")) == 1
    assert workshop.run("-r", "-u")[0] == 1
    assert len(workshop.truth("train")) == 2
    answer = requests.read_answer(Project.load(workshop.root), identity)
    assert answer is not None
    assert answer.ok
    ledger = Ledger.open_readonly(Project.load(workshop.root).ledger_path)
    kept = ledger.answer(identity)
    ledger.close()
    assert kept is not None
    assert kept["message"] == answer.message


def test_dry_runs_ask_nothing_and_filters_choose(workshop: Workshop) -> None:
    workshop.model("bad.py", "raise ValueError('no')", versions("bad"))
    workshop.model("exits.py", "import os; os._exit(3)", versions("exits"))
    workshop.list("bad.py", "exits.py")
    assert workshop.run("-r", "-u")[0] == 1
    chosen = workshop.json("retry", "--failed", "--cause", "exit", "--dry-run")["requests"]
    assert [each["target"] for each in chosen] == [run["id"] for run in workshop.history() if run["version"] == "exits"]
    assert len(workshop.json("retry", "--failed", "--model", "bad", "--dry-run")["requests"]) == 1
    assert requests.pending(Project.load(workshop.root)) == []
    code, told = workshop.run("retry", "--failed", "--cause", "exits")
    assert (code, "Did you mean 'exit'" in told) == (2, True)


def test_a_note_stands_on_its_run_once(workshop: Workshop) -> None:
    workshop.model("a.py", QUICK, versions("one"))
    workshop.list("a.py")
    assert workshop.run("-r", "-u")[0] == 0
    assert workshop.run("note", "a.py", "warm-up", "was \x1b[31mtoo short")[0] == 0
    workshop.run("-r", "-u")
    shown = workshop.run("show", "a.py")[1]
    assert "warm-up was too short" in shown
    assert shown.count("warm-up") == 1


def test_what_is_no_request_is_named_once(workshop: Workshop) -> None:
    workshop.model("a.py", QUICK, versions("one"))
    workshop.list("a.py")
    project = Project.load(workshop.root)
    project.requests_dir.mkdir(parents=True)
    (project.requests_dir / ("0" * 26 + ".json")).write_text("{")
    odd = {"id": "../../x", "action": "explode", "target": "", "at": "2026-11-21T00:00:00+00:00"}
    (project.requests_dir / ("1" * 26 + ".json")).write_text(json.dumps(odd))
    assert workshop.run("-r", "-u")[0] == 0
    assert workshop.output().count("is no request") == 1
    assert "explode: this scheduler does not know it" in workshop.output()
    assert not (workshop.outputs.parent / "x.answer.json").exists()


def test_what_was_put_first_before_the_scheduler_began_is_first(workshop: Workshop) -> None:
    workshop.model("a.py", QUICK, versions("one", "two"))
    workshop.model("urgent.py", QUICK, versions("urgent"))
    workshop.list("a.py", "urgent.py")
    Project.load(workshop.root).requests_dir.parent.mkdir(parents=True)
    assert workshop.run("now", "urgent.py")[0] == 0
    assert workshop.run("-r", "-u")[0] == 0
    assert started(workshop) == ["urgent", "one", "two"]


def test_a_request_about_files_that_are_gone_is_refused_and_the_next_is_heard(workshop: Workshop) -> None:
    workshop.model("a.py", QUICK, versions("one"))
    workshop.list("a.py")
    assert workshop.run("-r", "-u")[0] == 0
    run = workshop.history()[0]["id"]
    project = Project.load(workshop.root)
    shutil.rmtree(project.runs_dir / run)
    first = requests.submit(project, "note", run, {"text": "what happened here?"})
    second = requests.submit(project, "hold", "a.py")
    assert workshop.run("-r", "-u")[0] == 0
    answers = [requests.read_answer(project, each) for each in (first, second)]
    assert [answer and answer.ok for answer in answers] == [False, True]
    assert answers[0] is not None
    assert "is gone" in answers[0].message


def test_orders_that_cannot_be_written_stop_nothing_and_are_written_later(workshop: Workshop) -> None:
    workshop.model("a.py", "while not (ROOT / 'finish').exists(): time.sleep(0.01)", versions("one"))
    workshop.list("a.py")
    project = Project.load(workshop.root)
    queue = workshop.start("-r", "-u", "--watch")
    workshop.until(lambda: workshop.truth("train"), "it trains")
    workshop.model("b.py", QUICK, versions("urgent"))
    workshop.list("a.py", "b.py")
    workshop.until(lambda: "added b.py" in workshop.output(), "the edit is in force")
    say(workshop, "now", "b.py")
    project.orders_path.unlink()
    project.orders_path.mkdir()
    (workshop.root / "finish").touch()
    workshop.until(lambda: len(workshop.truth("trained")) == 2 or queue.poll() is not None, "both are trained")
    workshop.until(lambda: trouble(project) or queue.poll() is not None, "the trouble is told")
    assert queue.poll() is None
    project.orders_path.rmdir()
    workshop.until(lambda: project.orders_path.is_file(), "the orders are written")


def test_a_hold_of_a_model_with_a_colon_and_no_version_holds_the_model(workshop: Workshop) -> None:
    workshop.model("a.py", QUICK, versions("one"))
    workshop.list("a.py")
    project = Project.load(workshop.root)
    project.requests_dir.parent.mkdir(parents=True)
    requests.submit(project, "hold", "a.py:")
    assert workshop.run("-r", "-u")[0] == 0
    assert started(workshop) == []


def test_nobody_makes_room_for_what_cannot_start_either(workshop: Workshop) -> None:
    workshop.model("long.py", LONG, versions("long"))
    workshop.model("urgent.py", QUICK, versions("urgent"))
    workshop.list("long.py", "urgent.py")
    workshop.start("-r", "-u", "--watch")
    workshop.until(lambda: workshop.truth("train"), "the long one trains")
    workshop.config("min_free_disk = 1000000GB\n")
    workshop.until(lambda: "min_free_disk: none" in workshop.output(), "the setting is in force")
    say(workshop, "now", "urgent.py")
    workshop.config("")
    workshop.until(lambda: workshop.truth("trained"), "the urgent one is trained")
    told = workshop.output()
    assert told.index("→ none") < told.index("asked to make room")


def test_who_puts_first_what_does_not_wait_is_told(workshop: Workshop) -> None:
    workshop.model("done.py", QUICK, versions("one"))
    workshop.model("held.py", QUICK, versions("two"))
    workshop.list("done.py", "held.py = hold")
    workshop.start("-r", "-u", "--watch")
    workshop.until(lambda: verdicts(workshop) == {"one": "done", "two": "held"}, "the first is trained")
    workshop.until(lambda: "succeeded done.py" in workshop.output(), "the scheduler knows it")
    for name, reason in (("done.py", "last looked at: done"), ("held.py", "remove `hold`")):
        assert reason in say(workshop, "now", name)["requests"][0]["answer"]["message"]
    workshop.list("held.py = hold")
    workshop.until(lambda: "removed done.py" in workshop.output(), "the edit is in force")
    assert "not listed in models.config" in say(workshop, "now", "done.py")["requests"][0]["answer"]["message"]


def test_what_is_named_first_is_put_first(workshop: Workshop) -> None:
    for name in "abc":
        workshop.model(f"{name}.py", QUICK, versions(name))
    workshop.list("a.py", "b.py", "c.py")
    Project.load(workshop.root).requests_dir.parent.mkdir(parents=True)
    assert workshop.run("now", "b.py", "c.py")[0] == 0
    assert workshop.run("-r", "-u")[0] == 0
    assert started(workshop) == ["b", "c", "a"]
