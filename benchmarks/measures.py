"""What is measured, one function each."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import loops, workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    what: str
    figure: str
    aim: str
    peer: str = ""


def machine() -> str:
    """Names the machine as far as figures depend on it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def empty_run() -> Row:
    """The whole cost of a run that does nothing, all records durable: the difference of two queues, per run."""
    bare = workshop.median(lambda: workshop.seconds([sys.executable, "-c", "pass"]), 20)
    warm, cold = _per_run("auto"), _per_run("none")
    return Row(
        what="a run that does nothing, all records durable: forked from the warm process / started cold",
        figure=f"{warm * 1000:.1f} ms / {cold * 1000:.1f} ms",
        aim="<= 10 / <= 40 ms",
        peer=f"bare `python -c pass` {bare * 1000:.1f} ms in this run: {warm / bare:.1f} x / {cold / bare:.1f} x; "
        "ml-pipeline 57-63 ms (published), growing with its history",
    )


def _per_run(preload: str) -> float:
    costs = []
    for _ in range(3):
        config = f"preload = {preload}\n"
        with workshop.project(1, config) as few, workshop.project(51, config) as many:
            base = workshop.seconds(workshop.command("-r", "-u"), few)
            costs.append((workshop.seconds(workshop.command("-r", "-u"), many) - base) / 50)
    return statistics.median(costs)


def edit_to_effect() -> Row:
    """From the rename of models.config to the log line that says what it changed, on an idle scheduler."""
    with workshop.project(1) as root:
        process = subprocess.Popen(
            workshop.command("-r", "-u", "--watch"),
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=workshop.environment(),
        )
        try:
            log = root / "models" / "outputs" / "log-bench"
            _until(lambda: log.exists() and "succeeded" in log.read_text())
            delays = [_one_edit(root, log, number) for number in range(15)]
        finally:
            process.terminate()
            process.wait()
    return Row(
        what="edit of models.config saved -> in force and logged, idle scheduler",
        figure=f"{statistics.median(delays) * 1000:.1f} ms (longest {max(delays) * 1000:.1f})",
        aim="<= 50 ms",
        peer="an inotify event alone 0.6 ms",
    )


def _one_edit(root: Path, log: Path, number: int) -> float:
    time.sleep(0.2)
    before = log.stat().st_size
    workshop.listed(root, f"nothing.py = priority={number + 1}")
    start = time.perf_counter()
    _until(lambda: log.stat().st_size > before)
    return time.perf_counter() - start


def _until(condition: Callable[[], bool], limit: float = 60.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("what is measured never happened")
        time.sleep(0.0005)


def planning_turn() -> Row:
    """A planning turn with 10,000 versions wanted over a ledger of 1,000,000 runs."""
    from benchmarks.ledger_fill import fill, wanted_of
    from mlpipeline.ledger import Ledger
    from mlpipeline.queue import plan

    with workshop.project(1) as root:
        path = root / "ledger.db"
        fill(path, 1_000_000)
        ledger = Ledger.open(path)
        wanted = wanted_of(10_000)
        keys = [each.key for each in wanted]

        def look_up() -> float:
            start = time.perf_counter()
            ledger.standings(keys)
            return time.perf_counter() - start

        standings = ledger.standings(keys)

        def turn() -> float:
            start = time.perf_counter()
            plan.plan(
                wanted,
                standings,
                slots=2,
                now=datetime.now(UTC),
                local_minute=0,
                defaults=plan.PlanDefaults(max_attempts=3),
                busy=frozenset(),
                describing={},
                faulty=frozenset(),
            )
            return time.perf_counter() - start

        first, later = workshop.median(look_up, 5), workshop.median(turn, 15)
        ledger.close()
    return Row(
        what="planning turn, 10,000 versions wanted, 1,000,000 runs in the ledger",
        figure=f"{later * 1000:.1f} ms; look-up of all standings, once after a change, {first * 1000:.0f} ms",
        aim="<= 50 ms",
    )


def status_of_many() -> Row:
    """`mlpipeline status` as a whole process, over 100,000 runs."""
    from benchmarks.ledger_fill import fill

    with workshop.project(1) as root:
        workshop.seconds(workshop.command("-r", "-u"), root)
        fill(root / "models" / "outputs" / "ledger-bench.db", 100_000)
        took = workshop.median(lambda: workshop.seconds(workshop.command("status"), root), 15)
        page = workshop.median(lambda: workshop.seconds(workshop.command("history"), root), 7)
    return Row(
        what="`mlpipeline status` with 100,000 runs, whole process",
        figure=f"{took * 1000:.0f} ms (`history` {page * 1000:.0f} ms)",
        aim="<= 150 ms",
    )


def idle_scheduler() -> Row:
    """Memory and processor time of a scheduler that waits for edits."""
    import psutil

    with workshop.project(1) as root:
        process = subprocess.Popen(
            workshop.command("-r", "-u", "--watch"),
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=workshop.environment(),
        )
        try:
            log = root / "models" / "outputs" / "log-bench"
            _until(lambda: log.exists() and "succeeded" in log.read_text())
            time.sleep(2)
            seen = psutil.Process(process.pid)
            start, spent = time.monotonic(), sum(seen.cpu_times()[:2])
            time.sleep(60)
            share = (sum(seen.cpu_times()[:2]) - spent) / (time.monotonic() - start)
            memory = seen.memory_info().rss
        finally:
            process.terminate()
            process.wait()
    return Row(
        what="idle scheduler, watching",
        figure=f"{memory / 1e6:.1f} MB, {share * 100:.3f} % of a core over 60 s",
        aim="<= 45 MB, <= 0.1 %",
    )


def imports() -> Row:
    """`import mlpipeline` beyond a bare interpreter, and `mlpipeline --help` as a whole process."""
    bare = workshop.median(lambda: workshop.seconds([sys.executable, "-c", "pass"]), 21)
    own = workshop.median(lambda: workshop.seconds([sys.executable, "-c", "import mlpipeline"]), 21)
    shown = workshop.median(lambda: workshop.seconds(workshop.command("--help")), 21)
    return Row(
        what="`import mlpipeline` beyond a bare interpreter / `mlpipeline --help`",
        figure=f"{(own - bare) * 1000:.1f} ms / {shown * 1000:.0f} ms",
        aim="<= 30 / <= 120 ms",
        peer=f"bare interpreter {bare * 1000:.1f} ms in this run",
    )


def recording() -> Row:
    """`run.record()` and `run.steps()` in a training loop."""
    share, more = loops.share_of_loop()
    cost = {name: f"{seconds * 1e6:.2f}" for name, seconds in loops.costs().items()}
    return Row(
        what="`run.record(loss=...)`, flushes included / `run.steps()` and `record` in a worker's loop of 1 ms steps",
        figure=f"{cost['float']} us (numpy's scalar {cost['numpy']}, a tensor {cost['tensor']}), `steps` alone "
        f"{cost['steps']} us / {share:.2%} longer, {more * 1e6:.1f} us a step",
        aim="<= 3 us / <= 1 %",
    )


ALL = (imports, recording, empty_run, edit_to_effect, planning_turn, status_of_many, idle_scheduler)
