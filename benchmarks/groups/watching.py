"""What it costs to look on: `status --watch` on a terminal, while very many runs tell every second how far they are."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks import ledger_fill, processes, workshop
from benchmarks.bench import Bench, Reading
from benchmarks.figures import Series
from mlpipeline import events, metrics, wire
from mlpipeline.ledger import Ledger
from mlpipeline.lock import SchedulerLock
from mlpipeline.project import Project
from mlpipeline.run import Attempt, Cause, Run, State

RUNS, OPEN, PAST, ROWS = 200, 300, 2000, 300
WATCHED = f"{RUNS} live runs, told and shown every second -> `status --watch`, share of a core"
_WIDTH, _HEIGHT = 120, 50
_TOTAL = 9000


def measure(bench: Bench) -> Iterator[Series]:
    """Measures it."""
    seconds, settling = bench.settings.count(60, 5), bench.settings.count(5, 2)
    jobs: dict[str, Callable[[], Iterator[Reading]]] = {WATCHED: lambda: watched(seconds, settling)}
    return bench.ours("watching", jobs)


def watched(seconds: int, settling: int) -> Iterator[Reading]:
    """A queue with many runs and many versions to come; this process plays all of them and their scheduler."""
    with workshop.project(1, "") as root, contextlib.ExitStack() as stack:
        project = Project.load(root)
        project.outputs_dir.mkdir(parents=True)
        directories = _fill(project)
        for each in directories:
            file = stack.enter_context((each / wire.LOCK).open("wb"))
            fcntl.lockf(file, fcntl.LOCK_EX)
        lock = SchedulerLock(project)
        lock.acquire()
        stack.callback(lock.release)
        _publish(project)
        over = threading.Event()
        telling = threading.Thread(target=_tell, args=(directories, over))
        telling.start()
        stack.callback(telling.join)
        stack.callback(over.set)
        yield Reading(
            measure=WATCHED, values=(_share(root, seconds, settling) * 100,), unit="%", note=f"over {seconds} s"
        )


def _share(root: Path, seconds: int, settling: int) -> float:
    """Returns which part of a core the command takes, once it has shown for so many seconds."""
    terminal, other = os.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", _HEIGHT, _WIDTH, 0, 0))
    variables = processes.environment() | {"TERM": "xterm-256color"}
    process = subprocess.Popen(workshop.command("status", "--watch"), cwd=root, stdout=other, env=variables)
    os.close(other)
    written: list[int] = []
    reading = threading.Thread(target=_drain, args=(terminal, written))
    reading.start()
    try:
        processes.until(lambda: written)
        time.sleep(settling)
        watched, begin = psutil.Process(process.pid), time.monotonic()
        before, shown = watched.cpu_times(), len(written)
        time.sleep(seconds)
        after = watched.cpu_times()
        assert len(written) - shown > seconds / 2, "it does not show every second"
        return (after.user + after.system - before.user - before.system) / (time.monotonic() - begin)
    finally:
        process.terminate()
        process.wait()
        reading.join()
        os.close(terminal)


def _drain(descriptor: int, written: list[int]) -> None:
    with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
        while more := os.read(descriptor, 1 << 16):
            written.append(len(more))


def _tell(directories: list[Path], over: threading.Event) -> None:
    """Writes down every second how far each run is."""
    step = 0
    while not over.wait(1.0):
        step += 1
        for number, each in enumerate(directories):
            rate = number % 7 + 1
            told = {"step": step * rate, "total": _TOTAL, "rate": float(rate), "updated_at": wire.utc_now()}
            wire.write_json(each / wire.PROGRESS, told)


def _publish(project: Project) -> None:
    coming = [{"model": key.model, "version": key.version, "count": 1} for key in map(ledger_fill.key_of, range(OPEN))]
    told = {"state": "running", "slots": RUNS, "updated_at": wire.utc_now(), "open": coming, "next": []}
    wire.write_json(project.status_path, told | {"counts": {"running": RUNS, "waiting": OPEN}})


def _fill(project: Project) -> list[Path]:
    """Records past runs and live ones, and returns the live ones' directories with what they have written so far."""
    ledger_fill.fill(project.ledger_path, PAST)
    rows = metrics.lines((1.0, step, {"loss": 1 / step, "accuracy": 0.5}) for step in range(1, ROWS))
    ledger = Ledger.open(project.ledger_path)
    directories = []
    for number in range(RUNS):
        run = _live(number)
        ledger.record(events.Submitted(run=run))
        at, token = datetime.now(UTC), run.last.token
        ledger.record(events.Started(run_id=run.id, number=1, token=token, at=at, pid=os.getpid()))
        directory = project.root / run.last.directory
        directory.mkdir(parents=True)
        (directory / wire.OUTPUT).write_text("a line\n" * ROWS)
        (directory / wire.METRICS).write_text(rows)
        directories.append(directory)
    ledger.close()
    return directories


def _live(number: int) -> Run:
    key, now = ledger_fill.key_of(number), datetime.now(UTC)
    letters = "".join("abcdefghij"[int(digit)] for digit in f"{number:06d}")
    run_id = f"{now:%Y%m%d-%H%M%S}-{letters}"
    attempt = Attempt(
        run_id=run_id,
        number=1,
        token=f"{number:032x}",
        state=State.SUBMITTED,
        executor="local",
        directory=f"models/outputs/runs/{run_id}/1",
        submitted_at=now,
        started_at=None,
        ended_at=None,
        cause=Cause.NONE,
        message="",
        exit_code=None,
        signal=None,
        peak_memory_bytes=None,
        cpu_seconds=None,
        steps=None,
        metrics={},
        reported=False,
    )
    return Run(
        id=run_id,
        model=key.model,
        version=key.version,
        replicate=0,
        seed=number,
        sources="5" * 64,
        code_digest=key.code_digest,
        params_digest=f"{number:016x}",
        params={"epoc_count": 3},
        invocation="live",
        model_dir=f"live-{number}",
        created_at=now,
        retry_asked=False,
        attempts=(attempt,),
    )
