"""A run may start processes of every kind: when it is ended, all of them are, and nobody else's."""

from __future__ import annotations

import collections
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator

import psutil
import pytest

from mlpipeline import wire

from .checker import violations
from .conftest import Workshop

GRACE_SECONDS = 2  # of the workshop's configuration
FAMILY = """
import signal, subprocess

PIDS = ROOT / "pids"

def child(kind, *before, command=None, environment=None):
    if os.fork() == 0:
        for step in before: step()
        if command:
            if os.fork(): os._exit(0)
            os.setsid()
        (PIDS / f"{kind}.{os.getpid()}").touch()
        if command: os.execve(command[0], command, environment)
        while True: time.sleep(600)

def daemonize():
    os.setsid()
    if os.fork(): os._exit(0)

PIDS.mkdir(exist_ok=True)
if (ROOT / "stubborn").exists(): signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(8): child("loader")
child("daemon", daemonize)
child("stubborn", lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))
child("session", os.setsid)
child("command", os.setsid, command=["/bin/sleep", "600.25"], environment=dict(os.environ))
child("hidden", os.setsid, command=["/bin/sleep", "600.25"], environment={})
while not (ROOT / "go").exists(): time.sleep(0.01)
"""
SIZE = 8 + 5


class Family:
    """The processes that a run has started, and others that look like them."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        workshop.model("m.py", FAMILY)
        workshop.list("m.py")
        self.scheduler = workshop.start("-r", "-u")
        workshop.until(lambda: len(self.members()) == SIZE, "the run has all its children")
        self.run = workshop.history()[0]
        self.directory = next(workshop.outputs.glob("runs/*/1"))
        spec = wire.read_json(self.directory / wire.SPEC) or {}
        look_alike = dict(os.environ) | {"MLP_TOKEN": spec["token"][:-1]}
        self.canaries = [
            subprocess.Popen(["/bin/sleep", "600.25"], cwd="/", env=look_alike),
            subprocess.Popen(["/bin/sleep", "600"], cwd=self.directory),
        ]

    def members(self) -> dict[int, str]:
        """The children of the run that were seen, by process id."""
        found = (path.name.partition(".") for path in (self.workshop.root / "pids").glob("*.*"))
        return {int(pid): kind for kind, _, pid in found}

    def left(self) -> collections.Counter[str]:
        """The kinds of those that still live, the run's own process included."""
        members = self.members() | {row["pid"]: "worker" for row in self.workshop.truth("train")}
        return collections.Counter(kind for pid, kind in members.items() if _lives(pid))

    def leave(self) -> None:
        """Ends the strangers, who must have lived until now."""
        assert [canary.poll() for canary in self.canaries] == [None, None], "a stranger was ended"
        self.close()

    def close(self) -> None:
        for canary in self.canaries:
            canary.kill()
            canary.wait()


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(params=["auto", "none"])
def family(workshop: Workshop, request: pytest.FixtureRequest) -> Iterator[Family]:
    workshop.config(f"preload = {request.param}\n")
    with contextlib.closing(Family(workshop)) as made:
        yield made


def test_a_cancelled_run_leaves_nobody(family: Family, workshop: Workshop) -> None:
    assert family.left() == {"loader": 8, "worker": 1} | dict.fromkeys(
        ("daemon", "stubborn", "session", "command", "hidden"), 1
    )
    assert workshop.run("cancel", family.run["id"])[0] == 0
    _measure(family, workshop)


def test_a_run_that_ignores_the_request_is_killed_after_the_grace(workshop: Workshop) -> None:
    (workshop.root / "stubborn").touch()
    with contextlib.closing(Family(workshop)) as family:
        assert workshop.run("cancel", family.run["id"])[0] == 0
        _measure(family, workshop)


def _measure(family: Family, workshop: Workshop) -> None:
    workshop.until(lambda: "is being ended" in workshop.output(), "the request is carried out")
    begin = time.monotonic()
    while family.left():
        time.sleep(0.01)
        is_open = workshop.history()[0]["state"] in ("submitted", "running")
        assert is_open or not family.left(), "cancelled, and something lives"
    seconds = time.monotonic() - begin
    text, _ = family.scheduler.communicate(timeout=60)
    assert workshop.history()[0]["state"] == "cancelled", text
    print(f"all gone after {seconds:.2f} s, the grace being {GRACE_SECONDS} s")
    assert seconds < GRACE_SECONDS + 1
    family.leave()
    assert violations(workshop) == []


def test_what_a_killed_supervisor_leaves_is_ended_before_the_run_is_called_lost(
    family: Family, workshop: Workshop
) -> None:
    """Whoever has thrown the token away and left the session cannot be told from a stranger, and is spared."""
    supervisor = (wire.read_json(family.directory / wire.STARTED) or {})["pid"]
    os.kill(family.scheduler.pid, signal.SIGSTOP)
    os.kill(supervisor, signal.SIGKILL)
    first = set(family.members())
    assert family.left()["loader"] == 8, "nobody has ended them yet"
    (workshop.root / "go").touch()
    os.kill(family.scheduler.pid, signal.SIGCONT)
    workshop.until(lambda: workshop.history()[0]["attempts"][0]["state"] == "lost", "the first attempt is lost")
    kinds = {kind for pid, kind in family.members().items() if pid in first and _lives(pid)}
    assert kinds == {"hidden"}
    text, _ = family.scheduler.communicate(timeout=60)
    assert family.scheduler.returncode == 0, text
    left = {pid: kind for pid, kind in family.members().items() if _lives(pid)}
    assert set(left.values()) == {"hidden"}
    assert left.keys() <= first, "the second attempt leaves nobody"
    family.leave()
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    workshop.until(lambda: not any(map(_lives, left)), "they are gone")
    assert violations(workshop) == []
