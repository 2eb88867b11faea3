"""A process id proves nothing: it may belong to another process by now, and after a reboot all of them do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlpipeline import wire
from mlpipeline.execution.limits import boot_id, start_ticks

from . import reuse
from .checker import violations
from .conftest import Workshop

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def canary() -> Iterator[subprocess.Popen[bytes]]:
    """A process that any signal would end."""
    process = subprocess.Popen(["sleep", "600"], cwd="/")
    yield process
    process.kill()
    process.wait()


def abandoned(workshop: Workshop, **changes: Any) -> Path:
    """Leaves a run whose scheduler and supervisor were killed, with another `started.json`. Returns its directory."""
    process, started = reuse.begin(workshop)
    process.kill()
    process.wait()
    os.kill(started["pid"], signal.SIGKILL)
    workshop.until(lambda: not workshop.left_behind(), "everything is gone")
    path = next(workshop.outputs.glob("runs/*/1/started.json"))
    wire.write_json(path, started | changes)
    return path.parent


def test_a_record_that_names_a_living_stranger_is_no_sign_of_life(
    workshop: Workshop, canary: subprocess.Popen[bytes]
) -> None:
    ticks = start_ticks(canary.pid)
    directory = abandoned(workshop, pid=canary.pid, worker_pid=canary.pid, start_ticks=ticks)
    assert (directory / wire.LOCK).exists(), "the file of the lock is there; nobody holds it"
    story = {"pid": canary.pid, "host": "here", "since": "2026-11-21 04:05:06+00:00", "command": "mlpipeline"}
    story_path = next(workshop.outputs.glob("*.lock")).with_suffix(".json")
    story_path.write_text(json.dumps(story))
    assert not workshop.json("status")["scheduler"]["running"]
    assert "No scheduler runs" in workshop.run("stop")[1]
    (workshop.root / "go").touch()
    status, text = workshop.run("-r", "-u")
    assert status == 0, text
    assert canary.poll() is None
    attempts = workshop.history()[0]["attempts"]
    assert [each["cause"] for each in attempts] == ["lost_supervisor", "none"]
    assert violations(workshop) == []


def test_a_stranger_is_not_cancelled(workshop: Workshop, canary: subprocess.Popen[bytes]) -> None:
    abandoned(workshop, pid=canary.pid, worker_pid=canary.pid)
    assert workshop.run("cancel", workshop.history()[0]["id"])[0] == 0
    status, text = workshop.run("-r", "-u")
    assert status == 1, text
    assert canary.poll() is None
    assert [row["state"] for row in workshop.history()] == ["cancelled"]
    assert len(workshop.truth("train")) == 1
    assert violations(workshop) == []


def test_after_a_reboot_the_cause_is_the_reboot(workshop: Workshop, canary: subprocess.Popen[bytes]) -> None:
    abandoned(workshop, boot_id="0e1b2c3d-0000-4000-8000-000000000000", pid=canary.pid)
    (workshop.root / "go").touch()
    assert boot_id()
    status, text = workshop.run("-r", "-u")
    assert status == 0, text
    attempts = workshop.history()[0]["attempts"]
    assert [(each["state"], each["cause"]) for each in attempts] == [("lost", "reboot"), ("succeeded", "none")]
    assert "the machine was restarted" in attempts[0]["message"]
    assert canary.poll() is None
    assert violations(workshop) == []


def namespace() -> list[str]:
    """Returns the command that starts another one as the first process of a namespace, where that can be had."""
    command = ["unshare", "--map-root-user", "--user", "--pid", "--fork", "--kill-child", "--mount-proc"]
    reason = "there is no command unshare"
    if shutil.which("unshare") is not None:
        if os.geteuid() == 0:
            command = [word for word in command if word not in ("--map-root-user", "--user")]
        trial = [*command, "sh", "-c", f"echo 500 > {reuse.LAST_PID}"]
        done = subprocess.run(trial, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return command
        reason = f"no process namespace with ids of our choice can be had: {done.stderr.strip()}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


# A supervisor that the scheduler started cold stays a zombie of the scheduler's: its id cannot be used meanwhile.
@pytest.mark.parametrize(
    ("scenario", "preload"),
    [("everything_died", "auto"), ("everything_died", "none"), ("cancelled_meanwhile", "auto")],
)
def test_ids_that_the_kernel_has_given_to_others(tmp_path: Path, scenario: str, preload: str) -> None:
    command = [*namespace(), sys.executable, "-m", "tests.chaos.reuse", scenario, str(tmp_path.resolve() / "project")]
    python_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": python_path, "COLD": "1" if preload == "none" else ""}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
