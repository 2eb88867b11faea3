"""Several hosts on one project: nothing is trained twice, and each knows what the others did."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import wire
from mlpipeline.ledger import Key
from mlpipeline.project import Project
from mlpipeline.queue.claims import Claims
from tests.integration.conftest import Workshop

NAMES = ("red", "blue", "green")
SLOW = """
while not (ROOT / "finish").exists():
    time.sleep(0.005)
"""


def test_two_hosts_train_every_version_once(workshop: Workshop) -> None:
    for name in "abcd":
        versions = "".join(f'.add("{name}{n}")' for n in range(6))
        workshop.model(f"{name}.py", "import time; time.sleep(0.02)", f"Versions(0.1, Loader(), 2, 1){versions}")
    workshop.list("a.py", "b.py", "c.py", "d.py")
    hosts = [workshop.start("-r", "-u", "--host", name) for name in NAMES]
    for each in hosts:
        each.communicate(timeout=120)
    assert [each.returncode for each in hosts] == [0, 0, 0]
    trained = Counter(row["version"] for row in workshop.truth("trained"))
    assert len(trained) == 24
    assert set(trained.values()) == {1}
    assert workshop.run("-r", "-u", "--host", "late")[0] == 0
    assert len(workshop.truth("train")) == 24
    found = workshop.json("plan", "--all", "--host", "late")["items"]
    assert {item["verdict"] for item in found} == {"done"}
    assert {item["reason"].split(" (")[0] for item in found} <= {f"done on host {each}" for each in NAMES}
    for name in NAMES:
        assert workshop.run("fsck", "--host", name)[0] == 0


def test_what_another_host_trains_is_shown_and_waited_for(workshop: Workshop) -> None:
    workshop.model("slow.py", SLOW)
    workshop.list("slow.py")
    red = workshop.start("-r", "-u", "--host", "red")
    workshop.until(lambda: workshop.truth("train"), "red trains")
    assert workshop.run("-r", "-u", "--host", "blue")[0] == 0
    item = workshop.json("plan", "--host", "blue")["items"][0]
    assert item["verdict"] == "waiting"
    assert "on host red" in item["reason"]
    assert "on host red" in workshop.run("why", "slow.py", "--host", "blue")[1]
    code, told = workshop.run("release", "--host", "red", "--yes")
    assert code == 2
    assert "at work" in told
    (workshop.root / "finish").touch()
    assert red.wait(60) == 0
    assert workshop.json("plan", "--host", "blue", "--all")["items"][0]["reason"].startswith("done on host red")


def test_what_failed_elsewhere_is_not_tried_here_before_somebody_asks(workshop: Workshop) -> None:
    workshop.model("bad.py", "raise ValueError('no')")
    workshop.list("bad.py")
    assert workshop.run("-r", "-u", "--host", "red")[0] == 1
    assert workshop.run("-r", "-u", "--host", "blue")[0] == 1
    assert len(workshop.truth("train")) == 1
    assert "failed on host red" in workshop.json("plan", "--host", "blue")["items"][0]["reason"]
    assert workshop.run("retry", "--failed", "--host", "red")[0] == 0
    assert workshop.run("-r", "-u", "--host", "red")[0] == 1
    assert len(workshop.truth("train")) == 2


def test_what_a_host_that_is_gone_took_up_can_be_freed(workshop: Workshop) -> None:
    workshop.model("slow.py", SLOW)
    workshop.list("slow.py")
    red = workshop.start("-r", "-u", "--host", "red")
    workshop.until(lambda: workshop.truth("train"), "red trains")
    for pid in (red.pid, *workshop.left_behind()):
        with contextlib.suppress(ProcessLookupError):  # it has followed the scheduler already
            os.kill(pid, signal.SIGKILL)
    red.wait()
    workshop.until(lambda: not workshop.left_behind(), "all of red is gone")
    assert workshop.run("-r", "-u", "--host", "blue")[0] == 0
    assert len(workshop.truth("train")) == 1
    assert workshop.json("release", "--host", "red", "--dry-run")["freed"]
    assert len(workshop.json("release", "--host", "red")["freed"]) == 1
    (workshop.root / "finish").touch()
    assert workshop.run("-r", "-u", "--host", "blue")[0] == 0
    assert len(workshop.truth("trained")) == 1
    # Red comes back after all: what blue did counts.
    assert workshop.run("-r", "-u", "--host", "red")[0] in (0, 1)
    assert len(workshop.truth("trained")) == 1


def test_a_claim_names_its_attempt_and_ends_with_its_outcome(workshop: Workshop) -> None:
    workshop.model("slow.py", SLOW)
    workshop.list("slow.py")
    project = Project.load(workshop.root, host="red")
    blue = workshop.start("-r", "-u", "--host", "blue")
    workshop.until(lambda: workshop.truth("train"), "blue trains")
    (claim,) = project.claims_dir.glob("*/*")
    content = json.loads(claim.read_text())
    assert Claims(project).of_host("blue") == [content["run"]]
    assert (content["host"], content["attempt"], content["number"]) == ("blue", 1, 1)
    (workshop.root / "finish").touch()
    assert blue.wait(60) == 0
    assert Claims(project).of_host("blue") == []


def test_a_damaged_claim_is_nobodys_and_can_be_seen(workshop: Workshop) -> None:
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    assert workshop.run("-r", "-u", "--host", "red")[0] == 0
    (claim,) = Project.load(workshop.root).claims_dir.glob("*/*")
    claim.write_text("{")
    assert workshop.run("-r", "-u", "--host", "blue")[0] == 0
    assert "on host ?" in workshop.json("plan", "--host", "blue")["items"][0]["reason"]
    assert len(workshop.truth("trained")) == 1


def test_a_claim_made_from_an_old_look_does_not_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    red, blue, green = (Claims(Project.load(tmp_path, host=name)) for name in NAMES)
    key = Key("m.py", "one", 0, "params", "code")

    def about(name: str) -> dict[str, str]:
        return {"run": name, "token": name, "directory": name}

    def end(name: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "outcome.json").write_text(json.dumps({"token": name, "state": "yielded"}))

    assert red.take(key, about("first"), again=False)
    end("first")
    link = red._link

    def late(*arguments: Any) -> bool:
        # Meanwhile blue takes it up and makes room, and green has it now.
        monkeypatch.setattr(red, "_link", link)
        assert blue.take(key, about("second"), again=False)
        end("second")
        assert green.take(key, about("third"), again=False)
        return link(*arguments)

    monkeypatch.setattr(red, "_link", late)
    assert not red.take(key, about("fourth"), again=False)
    assert "on host green" in red.elsewhere[key].reason
    assert len(list(red.project.claims_dir.glob("*/*"))) == 1


def test_a_retry_of_what_another_host_failed_meanwhile_is_carried_out(workshop: Workshop) -> None:
    workshop.model("m.py", SLOW + "if not (ROOT / 'good').exists():\n    raise ValueError('no')")
    workshop.list("m.py")
    first = workshop.start("-r", "-u", "--host", "blue")
    workshop.until(lambda: workshop.truth("train"), "blue trains")
    run = workshop.truth("train")[0]["run"]
    workshop.json("stop", "--now", "--host", "blue")
    first.wait(60)
    (workshop.root / "finish").touch()
    assert workshop.run("-r", "-u", "--host", "red")[0] == 1
    workshop.start("-r", "-u", "--watch", "--host", "blue")
    log = workshop.outputs / "status-blue.json"
    workshop.until(lambda: "failed on host red" in log.read_text(), "blue has seen what red made of it")
    (workshop.root / "good").touch()
    assert workshop.json("retry", run, "--host", "blue", "--wait")["requests"][0]["answer"]["ok"]
    workshop.until(lambda: workshop.truth("trained"), "it is trained")


def test_a_claim_that_may_not_last_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    red, blue = (Claims(Project.load(tmp_path, host=name)) for name in NAMES[:2])
    key, about = Key("m.py", "one", 0, "params", "code"), {"run": "r", "token": "t", "directory": "d"}
    assert red.take(Key("other.py", "one", 0, "params", "code"), about, again=False)
    sync = wire.sync_directory

    def broken(path: Any) -> None:
        if any(str(name).endswith(".1") for name in Path(path).glob("*")):
            raise OSError(5, "Input/output error")
        sync(path)

    monkeypatch.setattr(wire, "sync_directory", broken)
    with pytest.raises(OSError, match="Input/output"):
        red.take(key, about, again=False)
    monkeypatch.undo()
    assert blue.take(key, about, again=False)


def test_what_was_claimed_and_never_recorded_is_free_when_its_host_is_back(workshop: Workshop) -> None:
    workshop.model("m.py", "pass")
    workshop.model("other.py", "pass")
    workshop.list("m.py")
    killed = workshop.start("-r", "-u", "--host", "blue", failpoint="scheduler.written=kill")
    assert killed.wait(60) == -signal.SIGKILL
    assert workshop.run("-r", "-u", "--host", "red")[0] == 0
    assert workshop.truth("train") == []
    assert workshop.run("-r", "-u", "other.py", "--host", "blue")[0] == 0
    assert workshop.run("-r", "-u", "--host", "red")[0] == 0
    assert len(workshop.truth("trained")) == 2
