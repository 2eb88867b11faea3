"""How soon the truth is told after a kill, how soon a scheduler is back, how soon a cancelled run is gone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import ledger_fill, workshop
from benchmarks.measures import Row
from mlpipeline.execution.limits import descendants
from mlpipeline.execution.local import lock_holder

SLEEPER = """
import os, signal, subprocess, sys, time
from mlpipeline.helper import Model
from mlpipeline.utils import Versions
versions = Versions()
for number in range({count}):
    versions.add(f"v{{number}}")
IGNORE = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)"
STUBBORN = IGNORE + "; time.sleep(3600)"
class Sleeper(Model):
    def train_model(self, input_fn, steps):
        if {children}:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        command = [sys.executable, "-c", STUBBORN]
        children = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range({children})]
        for each in children:
            each.stdout.readline()
        open(f"ready-{{self.run.version}}", "w").close()
        while not os.path.exists("finish"):
            time.sleep(0.05)
MODEL = Sleeper(versions)
"""
RUNS, LIVE, GRACE = 100_000, 50, 2.0


@contextlib.contextmanager
def sleeping(count: int, children: int = 0) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """Yields a project and its scheduler while `count` runs train; ends them all afterwards."""
    with workshop.project(1, f"slots = {count}\ngrace_seconds = {GRACE:g}\n") as root:
        (root / "models" / "nothing.py").write_text(SLEEPER.format(count=count, children=children))
        queue = start(root)
        until(lambda: len(list(root.glob("ready-*"))) == count)
        try:
            yield root, queue
        finally:
            (root / "finish").touch()
            subprocess.run(workshop.command("stop", "--now"), cwd=root, env=workshop.environment(), capture_output=True)
            until(lambda: not supervisors(root) and not told(root)["scheduler"]["running"])  # type: ignore[index]


def start(root: Path) -> subprocess.Popen[bytes]:
    """Starts a scheduler that stays."""
    command = workshop.command("-r", "-u", "--watch")
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=root, env=workshop.environment(), stdout=quiet, stderr=quiet)


def until(condition: Callable[[], object], seconds: float = 120.0) -> float:
    """Waits for a condition and returns how long that took.

    Raises:
        TimeoutError: it never came true.
    """
    begin = time.perf_counter()
    while not condition():
        if time.perf_counter() - begin > seconds:
            raise TimeoutError("a condition of a measurement never came true")
        time.sleep(0.002)
    return time.perf_counter() - begin


def supervisors(root: Path) -> list[int]:
    """Returns the supervisors that live."""
    found = (lock_holder(path) for path in root.glob("models/outputs/runs/*/*/supervisor.lock"))
    return [pid for pid in found if pid is not None]


def told(root: Path) -> dict[str, object]:
    """Returns what `status --json` says."""
    done = subprocess.run(
        workshop.command("status", "--json"), cwd=root, env=workshop.environment(), capture_output=True, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def truth_after_a_kill() -> Row:
    """From a SIGKILL to a status that says so, for each kind of process."""
    times = []
    for who in ("scheduler", "supervisor", "worker", "all"):
        with sleeping(1) as (root, queue):
            (supervisor,) = supervisors(root)
            victims = {"scheduler": [queue.pid], "supervisor": [supervisor], "worker": descendants(supervisor)}
            chosen = victims.get(who) or [queue.pid, supervisor, *victims["worker"]]
            for pid in chosen:
                os.kill(pid, signal.SIGKILL)
            if queue.pid in chosen:
                queue.wait()
            times.append(until(lambda who=who, root=root: _is_true(told(root), who)))
            if queue.pid in chosen:
                queue = start(root)
                until(lambda root=root: told(root)["scheduler"]["running"])  # type: ignore[index]
    listed = ", ".join(f"{each * 1000:.0f}" for each in times)
    return Row(
        what="kill -9 of scheduler, supervisor, worker, all → `status` says so (whole command)",
        figure=f"{listed} ms",
        aim="<= 2,000 ms",
        peer="DVC: `Running` for ever; Guild, Optuna: while the process id is taken, or for ever (published)",
    )


def _is_true(status: dict[str, object], who: str) -> bool:
    scheduler, running = status["scheduler"], status["running"]
    assert isinstance(scheduler, dict)
    assert isinstance(running, list)
    if who == "scheduler":
        return not scheduler["running"] and [each["now"] for each in running] == ["alive"]
    if who == "all":
        return not scheduler["running"] and [each["now"] for each in running] == ["gone"]
    # The scheduler has recorded the loss: the run pauses, or its next attempt is under way.
    return not running or running[0]["run"]["attempt"] == 2


def recovery() -> Row:
    """A scheduler is killed over 50 live runs, its ledger holds 100,000 others: when has its successor adopted all?"""
    with sleeping(LIVE) as (root, queue):
        queue.kill()
        queue.wait()
        ledger_fill.fill(root / "models" / "outputs" / "ledger-bench.db", RUNS)
        log = root / "models" / "outputs" / "log-bench"
        begin = time.perf_counter()
        start(root)
        until(lambda: log.read_text().count("adopted ") == LIVE)
        status = root / "models" / "outputs" / "status-bench.json"
        until(lambda: len(json.loads(status.read_text())["running"]) == LIVE)
        spent = time.perf_counter() - begin
    return Row(
        what=f"start of a scheduler with {RUNS:,} runs recorded and {LIVE} alive → all adopted and in the status",
        figure=f"{spent * 1000:.0f} ms",
        aim="<= 1,000 ms",
        peer="Slurm: a controller killed within 5 s of an acknowledgement forgets it (published)",
    )


def cancellation() -> Row:
    """From `cancel` to no process left, for a run of 10 processes that all ignore SIGTERM."""
    times = []
    for _ in range(3):
        with sleeping(1, children=9) as (root, _queue):
            (supervisor,) = supervisors(root)
            tree = [supervisor, *descendants(supervisor)]
            assert len(tree) == 11
            run = told(root)["running"][0]["run"]["run"]  # type: ignore[index]
            spent = workshop.seconds(workshop.command("cancel", run), root)
            times.append(spent + until(lambda tree=tree: not any(os.path.exists(f"/proc/{pid}") for pid in tree)))
    return Row(
        what=f"cancel of a run of 10 processes that ignore SIGTERM, grace {GRACE:g} s → none is left",
        figure=f"{statistics.median(times):.2f} s",
        aim=f"<= {GRACE + 1:g} s",
        peer="DVC: `queue kill --force` leaves the training alive (published)",
    )


ALL = (truth_after_a_kill, recovery, cancellation)
