"""How soon the truth is told after a kill, how soon a scheduler is back, how soon a cancelled run is gone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import ledger_fill, workshop
from benchmarks.bench import Bench, Reading
from benchmarks.figures import Series
from benchmarks.processes import environment, until
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
LIVE, GRACE = 50, 2.0
TRUTH = "kill -9 of scheduler, supervisor, worker, all -> `status` says so, whole command"
RECOVERY = f"start of a scheduler with many runs recorded and {LIVE} alive -> all adopted and in the status"
CANCELLATION = f"cancel of a run of 10 processes that ignore SIGTERM, grace {GRACE:g} s -> none is left"


def measure(bench: Bench) -> Iterator[Series]:
    """Measures all of it."""
    settings = bench.settings
    jobs: dict[str, Callable[[], Iterator[Reading]]] = {
        TRUTH: truth_after_a_kill,
        RECOVERY: lambda: recovery(settings.count(100_000, 10_000)),
        CANCELLATION: lambda: cancellation(settings.times(3, 1)),
    }
    return bench.ours("reliability", jobs)


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
            subprocess.run(workshop.command("stop", "--now"), cwd=root, env=environment(), capture_output=True)
            until(lambda: not supervisors(root) and not told(root)["scheduler"]["running"])  # type: ignore[index]


def start(root: Path) -> subprocess.Popen[bytes]:
    """Starts a scheduler that stays."""
    command = workshop.command("-r", "-u", "--watch")
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=root, env=environment(), stdout=quiet, stderr=quiet)


def supervisors(root: Path) -> list[int]:
    """Returns the supervisors that live."""
    found = (lock_holder(path) for path in root.glob("models/outputs/runs/*/*/supervisor.lock"))
    return [pid for pid in found if pid is not None]


def told(root: Path) -> dict[str, object]:
    """Returns what `status --json` says."""
    done = subprocess.run(
        workshop.command("status", "--json"), cwd=root, env=environment(), capture_output=True, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def truth_after_a_kill() -> Iterator[Reading]:
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
    yield Reading(measure=TRUTH, values=tuple(each * 1000 for each in times))


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


def recovery(runs: int) -> Iterator[Reading]:
    """A scheduler is killed over 50 live runs, its ledger holds 100,000 others: when has its successor adopted all?"""
    with sleeping(LIVE) as (root, queue):
        queue.kill()
        queue.wait()
        ledger_fill.fill(root / "models" / "outputs" / "ledger-bench.db", runs)
        log = root / "models" / "outputs" / "log-bench"
        begin = time.perf_counter()
        start(root)
        until(lambda: log.read_text().count("adopted ") == LIVE)
        status = root / "models" / "outputs" / "status-bench.json"
        until(lambda: len(json.loads(status.read_text())["running"]) == LIVE)
        spent = time.perf_counter() - begin
    yield Reading(measure=RECOVERY, values=(spent * 1000,), note=f"{runs:,} runs in the ledger")


def cancellation(times: int) -> Iterator[Reading]:
    """From `cancel` to no process left, for a run of 10 processes that all ignore SIGTERM."""
    taken = []
    for _ in range(times):
        with sleeping(1, children=9) as (root, _queue):
            (supervisor,) = supervisors(root)
            tree = [supervisor, *descendants(supervisor)]
            assert len(tree) == 11
            run = told(root)["running"][0]["run"]["run"]  # type: ignore[index]
            spent = workshop.seconds(workshop.command("cancel", run), root)
            taken.append(spent + until(lambda tree=tree: not any(os.path.exists(f"/proc/{pid}") for pid in tree)))
    yield Reading(measure=CANCELLATION, unit="s", values=tuple(taken))
