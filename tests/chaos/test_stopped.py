"""Processes are stopped as a suspended laptop, a debugger or a full memory would: slow is not dead."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mlpipeline import wire
from mlpipeline.execution import local, warm_parent
from mlpipeline.execution.local import LocalExecutor, lock_holder
from mlpipeline.execution.orders import RUN
from mlpipeline.execution.warm_parent import Answer, WarmParent

from .checker import violations
from .conftest import Workshop, warm_process

BEATS = """
while not (ROOT / "go").exists():
    truth("beat", self.run.version)
    time.sleep(0.05)
"""
THREE = 'Versions(0.1, Loader(), 2, 1).add("a").add("b").add("c")'


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stops a process for the time of a block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        psutil_state(pid, psutil.STATUS_STOPPED)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def psutil_state(pid: int, state: str) -> None:
    while psutil.Process(pid).status() != state:
        time.sleep(0.005)


def training(workshop: Workshop, versions: str = THREE) -> tuple[subprocess.Popen[str], Path]:
    """Starts a scheduler and returns it with the attempt's directory, once its first version trains."""
    workshop.model("m.py", BEATS, versions)
    workshop.list("m.py")
    process = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("beat"), "the first one trains")
    started = workshop.until(lambda: list(workshop.outputs.glob("runs/*/1/started.json")), "its supervisor says so")
    workshop.until(lambda: workshop.history()[0]["state"] == "running", "the scheduler has heard it")
    return process, started[0].parent


def started(directory: Path) -> dict[str, Any]:
    return wire.read_json(directory / wire.STARTED) or {}


def goes_on(workshop: Workshop, count: Callable[[], int], what: str, more: int = 3) -> None:
    """Waits until something has happened several more times."""
    before = count()
    workshop.until(lambda: count() >= before + more, what)


class Heartbeat:
    """Counts the status files that a scheduler writes."""

    def __init__(self, workshop: Workshop) -> None:
        self.path = workshop.outputs / "status-here.json"
        self.seen: set[str] = set()

    def __call__(self) -> int:
        self.seen.add(str((wire.read_json(self.path) or {}).get("updated_at")))
        return len(self.seen)


def finish(workshop: Workshop, process: subprocess.Popen[str]) -> None:
    """Lets all versions end, and asserts that each trained once."""
    (workshop.root / "go").touch()
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    assert [row["version"] for row in workshop.truth("train")] == ["a", "b", "c"]
    assert {row["state"] for row in workshop.history()} == {"succeeded"}
    assert violations(workshop) == []


def test_a_stopped_worker_is_waited_for(workshop: Workshop) -> None:
    process, directory = training(workshop)
    with stopped(workshop.truth("train")[0]["pid"]):
        beats = len(workshop.truth("beat"))
        goes_on(workshop, Heartbeat(workshop), "the scheduler looks after it several times")
        assert len(workshop.truth("beat")) <= beats + 1
        assert workshop.history()[0]["state"] == "running"
        assert started(directory)["pid"] == lock_holder(directory / wire.LOCK)
    goes_on(workshop, lambda: len(workshop.truth("beat")), "the training goes on")
    finish(workshop, process)


def test_a_stopped_supervisor_is_waited_for_though_its_training_has_ended(workshop: Workshop) -> None:
    process, directory = training(workshop)
    with stopped(started(directory)["pid"]):
        goes_on(workshop, lambda: len(workshop.truth("beat")), "the training goes on")
        (workshop.root / "go").touch()
        workshop.until(lambda: workshop.truth("trained"), "the training ends")
        goes_on(workshop, Heartbeat(workshop), "the scheduler looks after it several times")
        assert [row["version"] for row in workshop.truth("train")] == ["a"]
        assert workshop.history()[0]["state"] == "running"
    finish(workshop, process)


def test_a_stopped_scheduler_holds_its_project_and_finds_what_ended_meanwhile(workshop: Workshop) -> None:
    process, directory = training(workshop)
    with stopped(process.pid):
        (workshop.root / "go").touch()
        workshop.until(lambda: lock_holder(directory / wire.LOCK) is None, "the run ends without it")
        status, text = workshop.run("-r", "-u")
        assert status == 2, text
        assert f"process {process.pid} " in text
        assert [row["version"] for row in workshop.truth("train")] == ["a"]
        assert workshop.history()[0]["state"] in ("submitted", "running"), "nobody else writes the ledger"
        assert workshop.json("status")["scheduler"]["running"]
    finish(workshop, process)


def test_a_scheduler_that_was_stopped_and_killed_is_followed_by_one_that_adopts(workshop: Workshop) -> None:
    process, _ = training(workshop)
    os.kill(process.pid, signal.SIGSTOP)
    process.kill()
    process.wait()
    follower = workshop.start("-r", "-u")
    workshop.until(lambda: "adopted" in workshop.output(), "the run is adopted")
    finish(workshop, follower)


def test_a_stopped_warm_process_is_replaced(workshop: Workshop) -> None:
    process, _ = training(workshop)
    pid = warm_process(process.pid).pid
    with stopped(pid):
        goes_on(workshop, Heartbeat(workshop), "the scheduler works")
        (workshop.root / "go").touch()
        workshop.until(lambda: len(workshop.truth("trained")) == 3, "the others are started without it")
        assert not psutil.pid_exists(pid)
    finish(workshop, process)


def test_a_scheduler_ends_though_its_warm_process_is_stopped(workshop: Workshop) -> None:
    process, directory = training(workshop)
    pid = warm_process(process.pid).pid
    with stopped(pid):
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 130
        assert not psutil.pid_exists(pid)
    assert started(directory)["pid"] == lock_holder(directory / wire.LOCK), "what it forked goes on"
    finish(workshop, workshop.start("-r", "-u"))


def test_a_stopped_warm_process_does_not_outlive_a_killed_scheduler(workshop: Workshop) -> None:
    process, _ = training(workshop)
    pid = warm_process(process.pid).pid
    with stopped(pid):
        process.kill()
        process.wait()
        workshop.until(lambda: not psutil.pid_exists(pid), "the warm process ends")
    finish(workshop, workshop.start("-r", "-u"))


def test_a_warm_process_that_stops_before_it_is_ready_is_ended(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm_parent, "_ANSWER_SECONDS", 0.2)
    parent = WarmParent(dict(os.environ))
    ready(parent)
    assert parent.process is not None
    os.kill(parent.process.pid, signal.SIGSTOP)
    assert parent.submit(RUN, str(workshop.root), heavy=False) is Answer.COLD
    assert parent.process is None
    assert "does not answer" in parent.news()[0][0]


def test_a_warm_process_that_stops_while_it_imports_is_given_up(workshop: Workshop) -> None:
    parent = WarmParent(dict(os.environ), load_seconds=0.2)
    assert parent.submit(RUN, str(workshop.root), heavy=False) is Answer.LATER
    assert parent.process is not None
    os.kill(parent.process.pid, signal.SIGSTOP)
    workshop.until(lambda: parent.look() or parent.process is None, "it is ended")
    assert "still being imported" in parent.news()[0][0]


def ready(parent: WarmParent) -> None:
    """Starts a warm process and waits until it can fork."""
    assert parent._start()
    while parent.is_loading:
        parent.look()
        assert parent.process is not None, parent.news()


def copies(directory: Path, count: int) -> list[Path]:
    """Makes attempts that nobody has started, each in a run directory of its own."""
    made = []
    for number in range(count):
        target = directory.parent.parent / f"{directory.parent.name}x{number}" / "1"
        target.mkdir(parents=True)
        shutil.copy(directory / wire.SPEC, target)
        made.append(target)
    return made


def test_a_request_that_is_read_late_starts_nothing_twice(workshop: Workshop) -> None:
    """The warm process and a cold one are given the same attempt: before, while and after it runs."""
    workshop.model("m.py", "pass")
    workshop.list("m.py")
    assert workshop.run("-r", "-u")[0] == 0
    original = next(workshop.outputs.glob("runs/*/1"))
    executor = LocalExecutor(warm=WarmParent(dict(os.environ)))
    assert executor.warm is not None
    ready(executor.warm)
    assert isinstance(executor.warm.submit(RUN, str(original), heavy=False), int), "it is ended, and finds its outcome"
    try:
        for directory in copies(original, 20):
            before = len(workshop.truth("train"))
            first = executor.warm.submit(RUN, str(directory), heavy=False)
            second = executor._spawn(directory)
            assert isinstance(first, int)
            watched = [os.pidfd_open(first)] if psutil.pid_exists(first) else []
            os.waitpid(second, 0)
            for descriptor in watched:
                assert local._is_readable(descriptor, 60_000)
                os.close(descriptor)
            outcome = wire.read_json(directory / wire.OUTCOME)
            assert outcome is not None
            assert outcome["state"] == "succeeded"
            late = executor._spawn(directory)
            assert os.waitstatus_to_exitcode(os.waitpid(late, 0)[1]) == 75
            assert len(workshop.truth("train")) == before + 1
            assert wire.read_json(directory / wire.OUTCOME) == outcome
    finally:
        executor.close()
    workshop.until(lambda: not workshop.left_behind(), "everything ends")


def test_where_another_supervisor_has_the_attempt_that_one_is_watched(workshop: Workshop) -> None:
    """A warm process that forked but did not answer: the cold one goes away, and its end must not keep us awake."""
    process, directory = training(workshop)
    executor = LocalExecutor()
    executor.submit(directory)
    own = executor.pids[directory]
    assert own != started(directory)["pid"]
    assert local._is_readable(executor.watched[directory], 60_000), "it finds the lock taken, and ends"
    assert executor.life(directory) is local.Life.ALIVE
    assert not local._is_readable(executor.watched[directory])
    parent = WarmParent(dict(os.environ))
    ready(parent)
    forked = parent.submit(RUN, str(directory), heavy=False)
    assert isinstance(forked, int)
    workshop.until(lambda: not psutil.pid_exists(forked), "a forked one finds the lock taken, too")
    parent.close()
    (workshop.root / "go").touch()
    assert local._is_readable(executor.watched[directory], 60_000)
    assert executor.life(directory) is local.Life.GONE
    executor.forget(directory)
    assert executor.children == set()
    executor.close()
    finish(workshop, process)


def test_a_supervisor_that_stops_after_its_outcome_keeps_nobody_waiting(tmp_path: Path) -> None:
    sleeper = subprocess.Popen(["sleep", "600"])
    with stopped(sleeper.pid):
        executor = LocalExecutor()
        executor.children.add(sleeper.pid)
        executor.pids[tmp_path] = sleeper.pid
        executor.forget(tmp_path)
        assert executor.children == {sleeper.pid}
    sleeper.kill()
    while executor.children:
        executor.forget(tmp_path)
    sleeper.returncode = 0  # the executor has collected it
