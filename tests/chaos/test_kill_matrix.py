"""Every process killed at every moment that matters: what was recorded, what trained, and what is left.

A fail point holds one process at its moment; the test then kills whom it likes, lets the others go on, and starts the
queue again, at once or when everything has come to rest. Ground truth is what the models wrote.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from mlpipeline import wire
from mlpipeline.execution.limits import descendants
from mlpipeline.execution.local import lock_holder

from .checker import violations
from .conftest import Workshop

TRUE_WITHIN_SECONDS = 2.0
"""How soon after a kill `status` has to be true; a busy machine may take longer to answer."""

STEPS = """
import time
for step in self.run.steps(total=40):
    self.run.checkpoint(lambda path: path.write_text(str(step)), every_seconds=0.05)
    time.sleep(0.005)
"""
VERSIONS = 'Versions(0.1, Loader(), 2, 20).add("one").add("two")'

MOMENTS = {
    # where a process waits: who may be killed there. S scheduler, P supervisor, W worker.
    "scheduler.written": ("S",),
    "scheduler.recorded": ("S",),
    "scheduler.started": ("S", "P", "W", "SP", "SPW"),
    "supervisor.owned": ("S", "P", "SP"),
    "supervisor.launched": ("S", "P", "W", "SP", "SPW"),
    "supervisor.started": ("S", "P", "W", "SP", "SPW"),
    "checkpoint.written": ("S", "P", "W", "SP", "SPW"),
    "checkpoint.renamed": ("W", "SPW"),
    "worker.ended": ("S", "P", "W", "SP", "SPW"),
    "supervisor.ended": ("S", "P", "SP"),
    "supervisor.concluded": ("S", "P", "SP"),
    "scheduler.ended": ("S",),
    "scheduler.recorded_end": ("S",),
}
CELLS = [(moment, who) for moment, sets in MOMENTS.items() for who in sets]


class Scene:
    """One scenario: a queue that waits at a moment, and its processes."""

    def __init__(self, workshop: Workshop, moment: str) -> None:
        self.workshop, self.moment = workshop, moment
        self.place = workshop.root / "moments"
        self.place.mkdir()
        self.queue = workshop.start("-r", "-u", failpoint=f"{moment}=wait:{self.place}")
        workshop.until(self.is_there, f"a process comes to {moment}")

    def is_there(self) -> bool:
        return any(self.place.glob(f"{self.moment}.*"))

    def go(self) -> None:
        """Lets whoever waits go on, now and later."""
        (self.place / f"{self.moment}.go").touch()

    def attempt(self) -> Path:
        """The directory of the attempt that is under way."""
        found = self.workshop.outputs.glob("runs/*/[0-9]*")
        return next(path for path in sorted(found, reverse=True) if not (path / wire.OUTCOME).exists() or self.after)

    @property
    def after(self) -> bool:
        return self.moment in ("supervisor.concluded", "scheduler.ended", "scheduler.recorded_end")

    def processes(self, who: str) -> list[int]:
        """The processes that the letters stand for; a worker and all below it count as one."""
        found = [self.queue.pid] if "S" in who else []
        if set(who) & set("PW"):
            supervisor = self.workshop.until(lambda: lock_holder(self.attempt() / wire.LOCK), "a supervisor is there")
            workers = descendants(supervisor)
            if "W" in who and self.moment == "scheduler.started":
                workers = self.workshop.until(lambda: descendants(supervisor), "a worker is there")
            found += ([supervisor] if "P" in who else []) + (workers if "W" in who else [])
        return found

    def kill(self, who: str) -> None:
        pids = self.processes(who)
        assert pids
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # a worker ends with its supervisor
                os.kill(pid, signal.SIGKILL)
        if "S" in who:
            self.queue.wait()


def finish(workshop: Workshop, queue: subprocess.Popen[str] | None) -> str:
    """Works until everything is done."""
    if queue is not None and queue.poll() is None:
        told, _ = queue.communicate(timeout=120)
        status = queue.returncode
    else:
        status, told = workshop.run("-r", "-u")
    assert status == 0, told
    return told


def rest(workshop: Workshop) -> None:
    """Waits until no process of the project is left, or only those that a scheduler keeps."""
    workshop.until(lambda: not workshop.left_behind(), "everything has come to rest")


@pytest.mark.parametrize("later", [False, True], ids=["at_once", "later"])
@pytest.mark.parametrize(("moment", "who"), CELLS, ids=[f"{moment}-{who}" for moment, who in CELLS])
def test_whoever_is_killed_at_whatever_moment(workshop: Workshop, moment: str, who: str, later: bool) -> None:
    workshop.model("m.py", STEPS, VERSIONS)
    workshop.list("m.py")
    scene = Scene(workshop, moment)
    scene.kill(who)
    check_status(workshop, who)
    if later or "S" not in who:
        scene.go()
        if "S" in who:
            rest(workshop)
        finish(workshop, scene.queue)
    else:
        again = workshop.start("-r", "-u")
        workshop.until(lambda: is_running(workshop) or again.poll() is not None, "it is back")
        scene.go()
        finish(workshop, again)
    assert violations(workshop) == []
    found = workshop.history()
    assert {run["version"]: run["state"] for run in found} == {"one": "succeeded", "two": "succeeded"}
    assert len(found) == 2


def is_running(workshop: Workshop) -> bool:
    return bool(workshop.json("status")["scheduler"]["running"])


def check_status(workshop: Workshop, who: str) -> None:
    """I9: what status says of scheduler and attempts is what the processes say."""
    end = time.monotonic() + TRUE_WITHIN_SECONDS
    while (told := untruths(workshop, who)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not told


def untruths(workshop: Workshop, who: str) -> list[str]:
    found = []
    told = workshop.json("status")
    if told["scheduler"]["running"] == ("S" in who):
        found.append(f"scheduler running: {told['scheduler']['running']}, killed: {who}")
    for line in told["running"]:
        directory = workshop.root / line["run"]["directory"]
        if (directory / wire.OUTCOME).exists():
            true = "ended"
        else:
            true = "alive" if lock_holder(directory / wire.LOCK) is not None else "gone"
        if line["now"] != true:
            found.append(f"{line['run']['run']} is {line['now']}, and in truth {true}")
    return found


@pytest.mark.parametrize("who", ["S", "P", "SP", "SPW"])
def test_whoever_is_killed_while_a_run_is_being_cancelled(workshop: Workshop, who: str) -> None:
    (workshop.root / "mlp.config").write_text("[MLP]\nhost = here\ngrace_seconds = 600\n")
    body = "import signal\nsignal.signal(signal.SIGTERM, lambda *_: truth('asked', self.run.version))\n"
    workshop.model("m.py", f"{body}truth('ready', self.run.version)\nwhile True: time.sleep(0.01)", VERSIONS)
    workshop.list("m.py = only=one")
    queue = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("ready"), "it trains")
    run = workshop.history()[0]
    assert workshop.run("cancel", run["id"])[0] == 0
    workshop.until(lambda: workshop.truth("asked"), "it is asked to end")
    scene = Scene.__new__(Scene)
    scene.workshop, scene.moment, scene.queue = workshop, "", queue
    scene.kill(who)
    if "P" not in who:  # the run waits out its grace, and nobody hurries it but us
        os.kill(workshop.truth("ready")[0]["pid"], signal.SIGKILL)
    if "S" in who:
        status, told = workshop.run("-r", "-u")
    else:
        told, _ = queue.communicate(timeout=120)
        status = queue.returncode
    assert status == 1, told
    assert violations(workshop) == []
    assert workshop.history()[0]["state"] == "cancelled"
    assert len(workshop.truth("train")) == 1


@pytest.mark.parametrize("moment", ["scheduler.cancelling", "scheduler.request_carried_out"])
def test_a_scheduler_that_dies_over_a_cancellation_carries_it_out_next_time(workshop: Workshop, moment: str) -> None:
    workshop.model("m.py", "truth('ready', self.run.version)\nwhile True: time.sleep(0.01)", VERSIONS)
    workshop.list("m.py = only=one")
    queue = workshop.start("-r", "-u", failpoint=f"{moment}=kill")
    workshop.until(lambda: workshop.truth("ready"), "it trains")
    assert workshop.run("cancel", workshop.history()[0]["id"])[0] == 0
    assert queue.wait(60) == -signal.SIGKILL
    assert workshop.run("-r", "-u")[0] == 1
    assert violations(workshop) == []
    assert workshop.history()[0]["state"] == "cancelled"
