"""What happens in a process namespace of its own, in which the ids of dead processes are given to canaries.

Run as `python -m tests.chaos.reuse SCENARIO DIRECTORY`, as the first process of the namespace.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from mlpipeline import wire
from tests.chaos.checker import violations
from tests.integration.conftest import Workshop

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
BEATS = """
truth("beat", self.run.version)
while not (ROOT / "go").exists(): time.sleep(0.01)
"""


def is_gone(pid: int) -> bool:
    """Whether a killed process has left nothing. An orphan is ours to collect: we are the namespace's first process."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return not Path(f"/proc/{pid}").exists()


def take(workshop: Workshop, pid: int) -> subprocess.Popen[bytes]:
    """Starts a canary under the id of a process that is gone."""

    def started() -> subprocess.Popen[bytes] | None:
        LAST_PID.write_text(str(pid - 1))
        canary = subprocess.Popen(["sleep", "600"], cwd="/")
        if canary.pid == pid:
            return canary
        canary.kill()
        canary.wait()
        return None

    return workshop.until(started, f"a canary gets the id {pid}")


def begin(workshop: Workshop) -> tuple[subprocess.Popen[str], dict[str, int]]:
    """Starts a scheduler, and returns it with `started.json` once a training goes on."""
    workshop.config("preload = none\n" if os.environ.get("COLD") else "")
    workshop.model("m.py", BEATS)
    workshop.list("m.py")
    process = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("beat"), "training")
    path = workshop.until(lambda: list(workshop.outputs.glob("runs/*/1/started.json")), "its supervisor says so")[0]
    workshop.until(lambda: workshop.history()[0]["state"] == "running", "the ledger says so")
    return process, wire.read_json(path) or {}


def everything_died(workshop: Workshop) -> None:
    """Scheduler, supervisor and worker are gone, and all their ids belong to others."""
    process, started = begin(workshop)
    process.kill()
    process.wait()
    os.kill(started["pid"], signal.SIGKILL)
    ids = (process.pid, started["pid"], started["worker_pid"])
    workshop.until(lambda: sum(is_gone(pid) for pid in ids) == len(ids), "all of them are gone")
    canaries = [take(workshop, pid) for pid in ids]
    (workshop.root / "go").touch()
    status, text = workshop.run("-r", "-u")
    assert status == 0, text
    assert [each.poll() for each in canaries] == [None] * 3, "a canary was signalled"
    attempts = workshop.history()[0]["attempts"]
    assert [each["cause"] for each in attempts] == ["lost_supervisor", "none"]
    end(canaries)


def cancelled_meanwhile(workshop: Workshop) -> None:
    """The supervisor dies and its id is another's before the scheduler carries out a cancellation."""
    process, started = begin(workshop)
    os.kill(process.pid, signal.SIGSTOP)
    status, text = workshop.run("cancel", workshop.history()[0]["id"])
    assert status == 0, text
    os.kill(started["pid"], signal.SIGKILL)
    # A worker that is not collected yet belongs to the supervisor's session, and so keeps that id from being used.
    ids = (started["worker_pid"], started["pid"])
    workshop.until(lambda: sum(is_gone(pid) for pid in ids) == len(ids), "both are gone")
    canary = take(workshop, started["pid"])
    os.kill(process.pid, signal.SIGCONT)
    text, _ = process.communicate(timeout=60)
    assert "is being ended" in workshop.output(), text
    assert canary.poll() is None, "the canary was signalled"
    assert workshop.history()[0]["state"] == "cancelled"
    assert len(workshop.truth("train")) == 1
    end([canary])


def end(canaries: list[subprocess.Popen[bytes]]) -> None:
    for canary in canaries:
        canary.kill()
        canary.wait()


def main(scenario: str, directory: str) -> None:
    workshop = Workshop(Path(directory))
    try:
        {"everything_died": everything_died, "cancelled_meanwhile": cancelled_meanwhile}[scenario](workshop)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue
        assert violations(workshop) == []
    finally:
        workshop.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
