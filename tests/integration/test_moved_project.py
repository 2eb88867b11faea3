"""A project directory that is moved or copied takes its records along, and leaves the original's processes alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import Workshop

LONG = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
(ROOT / "child").write_text(str(child.pid))
while not (ROOT / "go").exists(): time.sleep(0.01)
child.kill()
child.wait()
"""


class Elsewhere(Workshop):
    """A workshop in a directory that was moved or copied there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.models = root / "models"
        self.processes = []


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Callable[[str], Elsewhere]]:
    found: list[Elsewhere] = []

    def make(name: str) -> Elsewhere:
        found.append(Elsewhere(tmp_path.resolve() / name))
        return found[-1]

    yield make
    for each in found:
        each.close()


def copied(workshop: Workshop, at: Callable[[str], Elsewhere], name: str = "copy") -> Elsewhere:
    copy = at(name)
    subprocess.run(["cp", "-r", str(workshop.root), str(copy.root)], check=True)
    return copy


def moved(workshop: Workshop, at: Callable[[str], Elsewhere]) -> Elsewhere:
    place = at("deeper/down/moved")
    place.root.parent.mkdir(parents=True)
    subprocess.run(["mv", str(workshop.root), str(place.root)], check=True)
    return place


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


@pytest.mark.parametrize("carry", [moved, copied])
def test_history_goes_along(
    workshop: Workshop, at: Callable[[str], Elsewhere], carry: Callable[..., Elsewhere]
) -> None:
    workshop.model("good.py", "print('said by good')")
    workshop.model("bad.py", "print('said by bad'); assert (ROOT / 'mended').exists(), 'not mended'")
    workshop.list("good.py", "bad.py")
    assert workshop.run("-r", "-u")[0] == 1
    before = {row["id"]: row for row in workshop.history()}
    place = carry(workshop, at)
    assert {row["id"]: row for row in place.history()} == before
    good, bad = (next(row for row in before.values() if row["model"] == name) for name in ("good.py", "bad.py"))
    assert "said by good" in place.run("logs", good["id"])[1]
    assert "not mended" in place.run("show", bad["id"])[1]
    assert good["id"] in place.run("history")[1]
    assert place.json("status")["scheduler"]["running"] is False
    assert place.run("fsck") == (0, "All well.\n")
    assert place.run("-r", "-u")[0] == 1
    assert {row["id"]: row["number"] for row in place.history()} == dict.fromkeys(before, 1), "nothing trained again"
    (place.root / "mended").touch()
    assert place.run("retry", bad["id"])[0] == 0
    status, text = place.run("-r", "-u")
    assert status == 0, text
    assert {row["id"]: row["state"] for row in place.history()} == dict.fromkeys(before, "succeeded")
    assert [row["number"] for row in place.history() if row["id"] == bad["id"]] == [2]
    assert place.run("fsck") == (0, "All well.\n")
    assert place.run("get", good["id"], "best")[0] == 0
    for carried in (place.outputs / "runs").glob("*/*/sources"):
        assert carried.resolve().is_relative_to(place.root)
        assert carried.is_dir()


def test_a_parameter_that_is_a_path_in_the_project_makes_nothing_stale(
    workshop: Workshop, at: Callable[[str], Elsewhere]
) -> None:
    versions = 'Versions(0.1, Loader(), 2, 1).add("one", data=ROOT / "data.csv", text=str(ROOT / "data.csv"))'
    workshop.model("m.py", "pass", versions)
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    place = moved(workshop, at)
    (place.outputs / "catalog-here.json").unlink()  # so that it is described again, as after any edit
    assert place.run("-r", "-u")[0] == 0
    assert len(place.history()) == 1


@pytest.mark.parametrize("preload", ["auto", "none"])
def test_a_copy_of_a_project_at_work_leaves_the_original_alone(
    workshop: Workshop, at: Callable[[str], Elsewhere], preload: str
) -> None:
    workshop.config(f"preload = {preload}\n")
    workshop.model("long.py", LONG)
    workshop.list("long.py")
    original = workshop.start("-r", "-u")
    told = workshop.root / "child"
    child = int(workshop.until(lambda: told.exists() and told.read_text(), "a child runs"))
    workshop.until(lambda: workshop.history()[0]["state"] == "running", "the start is recorded")
    copy = copied(workshop, at)
    (copy.root / "go").touch()
    status = copy.json("status")
    assert status["scheduler"]["running"] is False, "the original's scheduler is not the copy's"
    assert "nothing to stop" in copy.run("stop")[1]
    status, text = copy.run("-r", "-u")
    assert status == 0, text
    assert is_alive(child), "the copy must not end what runs for the original"
    assert "adopted" not in copy.output()
    first, second = copy.history()[0]["attempts"]
    assert (first["state"].value, second["state"].value) == ("lost", "succeeded")
    assert "copied while it ran" in first["message"]
    assert len(copy.truth("trained")) == 1
    assert copy.run("fsck") == (0, "All well.\n")
    assert original.poll() is None
    (workshop.root / "go").touch()
    assert original.wait(60) == 0
    assert [len(row["attempts"]) for row in workshop.history()] == [1]
    assert len(workshop.truth("train")) == 1
    assert workshop.run("fsck") == (0, "All well.\n")


def test_what_a_lost_attempt_left_is_ended_after_a_move(workshop: Workshop, at: Callable[[str], Elsewhere]) -> None:
    workshop.config("preload = none\n")
    workshop.model("long.py", LONG)
    workshop.list("long.py")
    scheduler = workshop.start("-r", "-u")
    told = workshop.root / "child"
    child = int(workshop.until(lambda: told.exists() and told.read_text(), "a child runs"))
    run = workshop.until(lambda: [row for row in workshop.history() if row["state"] == "running"], "it runs")[0]
    scheduler.kill()
    scheduler.wait()
    started = json.loads((workshop.root / run["directory"] / "started.json").read_text())
    os.kill(started["pid"], signal.SIGKILL)
    workshop.until(lambda: not is_alive(workshop.truth("train")[0]["pid"]), "the worker ends with its supervisor")
    assert is_alive(child)
    place = moved(workshop, at)
    (place.root / "go").touch()
    assert place.run("-r", "-u")[0] == 0
    assert not is_alive(child), "a move changes nothing about whose process it is"
    assert [each["state"].value for each in place.history()[0]["attempts"]] == ["lost", "succeeded"]
