"""One scheduler per project and host, between real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlpipeline import wire
from mlpipeline.errors import NotWritable, SchedulerRunning
from mlpipeline.lock import SchedulerLock, holder
from mlpipeline.project import Project

HOLD = """
import subprocess, sys
from pathlib import Path
from mlpipeline.project import Project
from mlpipeline.lock import SchedulerLock
lock = SchedulerLock(Project.load(Path(sys.argv[1])))
lock.acquire()
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) if "child" in sys.argv else None
print(child.pid if child else 0, flush=True)
sys.stdin.readline()
lock.release()
"""
ASK = """
import sys
from pathlib import Path
from mlpipeline.project import Project
from mlpipeline.lock import holder
project = Project.load(Path(sys.argv[1]))
print("asking", flush=True)
while True:
    holder(project)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "mlp.config").write_text("[MLP]\nhost = here\n")
    made = Project.load(tmp_path)
    made.outputs_dir.mkdir(parents=True)
    return made


class Bench:
    """Processes that a test starts, ended with it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, program: str, *words: str) -> tuple[subprocess.Popen[str], str]:
        """Starts a program and returns it with its first line."""
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(self.project.root), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the process ended before it said anything"
        return process, line.strip()

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()


@pytest.fixture
def bench(project: Project) -> Iterator[Bench]:
    made = Bench(project)
    yield made
    made.close()


def test_a_second_scheduler_is_told_who_has_the_project(bench: Bench, project: Project) -> None:
    process, _ = bench.start(HOLD)
    with pytest.raises(SchedulerRunning, match=rf"process {process.pid} on here, since \d{{4}}-.*mlpipeline stop"):
        SchedulerLock(project).acquire()
    found = holder(project)
    assert found is not None
    assert (found.pid, found.host) == (process.pid, "here")
    process.communicate("\n", timeout=60)
    assert process.returncode == 0
    assert holder(project) is None
    mine = SchedulerLock(project)
    mine.acquire()
    mine.release()


def test_the_lock_ends_with_a_killed_process_though_its_child_lives(bench: Bench, project: Project) -> None:
    process, child = bench.start(HOLD, "child")
    try:
        assert holder(project) is not None
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        os.kill(int(child), 0)
        assert holder(project) is None
        lock = SchedulerLock(project)
        lock.acquire()
        story = holder(project)
        assert story is not None
        assert story.pid == os.getpid(), "the story of the dead one is gone"
        lock.release()
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_asking_changes_no_byte(bench: Bench, project: Project) -> None:
    assert holder(project) is None
    assert not list(project.outputs_dir.iterdir()), "nothing is made where there is nothing"
    bench.start(HOLD)

    def picture() -> dict[str, tuple[bytes, int]]:
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in project.outputs_dir.iterdir()}

    before = picture()
    for _ in range(20):
        assert holder(project) is not None
    assert picture() == before


def test_whoever_only_asks_never_keeps_a_scheduler_out(bench: Bench, project: Project) -> None:
    project.lock_path.touch()
    bench.start(ASK)
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        lock = SchedulerLock(project)
        lock.acquire()
        lock.release()


def test_a_lost_story_is_no_trouble(bench: Bench, project: Project) -> None:
    process, _ = bench.start(HOLD)
    story = next(path for path in project.outputs_dir.iterdir() if path.suffix == ".json")
    story.write_text('{"pid": ')
    found = holder(project)
    assert found is not None
    assert found.pid == 0
    with pytest.raises(SchedulerRunning):
        SchedulerLock(project).acquire()
    process.communicate("\n", timeout=60)
    assert not story.exists()


def test_a_full_disk_costs_the_story_and_not_the_lock(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(wire, "write_json", full)
    lock = SchedulerLock(project)
    lock.acquire()
    assert holder(project) is not None
    lock.release()
    assert holder(project) is None


def test_a_place_that_cannot_be_locked_is_told(project: Project) -> None:
    project.outputs_dir.rmdir()
    project.outputs_dir.write_text("in the way")
    with pytest.raises(NotWritable, match="permissions"):
        SchedulerLock(project).acquire()
