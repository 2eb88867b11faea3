"""What a queue costs that has nothing to do: all idle at the same time, each with everything that it started."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from benchmarks import peers, processes
from benchmarks.bench import Bench, say
from benchmarks.environments import Environment
from benchmarks.figures import Series
from benchmarks.peers import dvc, guild, ours, spooler
from benchmarks.peers.in_process import DRIVERS, RAY, SMALL
from benchmarks.peers.tool import Tool
from benchmarks.work import NOTHING, Work

SHARE = "idle: share of a core"
MEMORY = "idle: memory"
SCHEDULER, TREE = "mlpipeline, scheduler alone", "mlpipeline with its warm process"
Members = Callable[[], list[psutil.Process]]
_SETTLE = 10.0


@contextlib.contextmanager
def of_mlpipeline(root: Path, preload: str) -> Iterator[Members]:
    """A scheduler that watches after its one run; with everything that it keeps, where it preloads."""
    ours.write_project(root, NOTHING.model(root / "stamps", 1), f"preload = {preload}\n")
    with processes.running(ours.queue("--watch"), root, processes.environment()) as queue:
        log = root / "models" / "outputs" / "log-bench"
        processes.until(lambda: log.exists() and "succeeded" in log.read_text("utf-8"))
        yield lambda: tree(queue.pid) if preload == "auto" else [psutil.Process(queue.pid)]


@contextlib.contextmanager
def of_driver(root: Path, environment: Environment, driver: str) -> Iterator[Members]:
    """A driver that says when it is ready."""
    command = [environment.python, str(DRIVERS / driver), str(root)]
    with processes.running(command, root, processes.environment(root)) as started:
        processes.until((root / "ready").exists)
        yield lambda: tree(started.pid)


@contextlib.contextmanager
def of_guild(root: Path) -> Iterator[Members]:
    """Guild's queue, which looks for staged runs every ten seconds."""
    variables = guild.project(NOTHING, root)
    with processes.running([guild.GUILD, "run", "queue", "-y"], root, variables) as queue:
        processes.until(lambda: "Waiting for staged runs" in (root / "said").read_text("utf-8", "replace"), limit=60)
        yield lambda: tree(queue.pid)


@contextlib.contextmanager
def of_dvc(root: Path) -> Iterator[Members]:
    """DVC's worker while the one run of its queue sleeps; without work, it ends after ten seconds."""
    sleeping = Work(name="sleeping", body=f"open({str(root / 'ready')!r}, 'w').close()\ntime.sleep(600)")
    variables = dvc.project(sleeping, root)
    processes.run([dvc.DVC, "exp", "run", "--queue", "-S", "number=1"], root, variables)
    processes.run([dvc.DVC, "queue", "start"], root, variables)
    processes.until((root / "ready").exists, limit=60)
    yield lambda: [each for each in processes.carriers(root) if "queue-worker" in " ".join(each.cmdline())]


@contextlib.contextmanager
def of_spooler(root: Path) -> Iterator[Members]:
    """task-spooler's server after one command."""
    variables = spooler.variables(root)
    processes.run(["tsp", "-n", "true"], root, variables)
    processes.run(["tsp", "-w"], root, variables)
    try:
        yield lambda: processes.carriers(root)
    finally:
        processes.run(["tsp", "-K"], root, variables)


def tree(pid: int) -> list[psutil.Process]:
    """Returns a process and what descends from it."""
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


def candidates(bench: Bench) -> list[tuple[Tool, str, Callable[[Path], contextlib.AbstractContextManager[Members]]]]:
    """Returns whom to start, under which name, and how."""
    by_key = {each.key: each for each in bench.peers()}
    found = [
        (peers.COLD, SCHEDULER, lambda root: of_mlpipeline(root, "none")),
        (peers.WARM, TREE, lambda root: of_mlpipeline(root, "auto")),
    ]
    starters = {
        "task-spooler": ("task-spooler", of_spooler),
        "huey": ("huey", lambda root: of_driver(root, SMALL, "idle_huey.py")),
        "guild": ("Guild queue", of_guild),
        "dvc": ("DVC worker", of_dvc),
        "ray": ("Ray", lambda root: of_driver(root, RAY, "idle_ray.py")),
    }
    return [*found, *((by_key[key], *how) for key, how in starters.items() if key in by_key)]


def measure(bench: Bench) -> Iterator[Series]:
    """Starts them all, waits, and looks twice."""
    quick = bench.settings.quick
    seconds = bench.settings.count(60, 2)
    started: dict[str, Members] = {}
    with contextlib.ExitStack() as stack:
        for tool, name, start in candidates(bench):
            if reason := bench.why_not(tool):
                yield Series(group="idle", measure=SHARE, tool=name, skipped=reason, quick=quick)
                continue
            try:
                root = stack.enter_context(processes.directory())
                started[name] = stack.enter_context(start(root))
            # Whatever a tool raises is its result; the others are measured all the same.
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
                yield Series(group="idle", measure=SHARE, tool=name, failed=said, quick=quick)
            say(f"  {name} is up")
        time.sleep(bench.settings.count(int(_SETTLE), 1))
        yield from _looks(started, seconds, quick=quick)


def _looks(started: dict[str, Members], seconds: float, *, quick: bool) -> Iterator[Series]:
    before = {name: (members := find(), _spent(members)) for name, find in started.items()}
    begin = time.monotonic()
    time.sleep(seconds)
    note = f"over {seconds:g} s"
    for name, (members, spent) in before.items():
        share = (_spent(members) - spent) / (time.monotonic() - begin) * 100
        held, said = _memory(members)
        yield Series(group="idle", measure=SHARE, tool=name, unit="%", values=(share,), note=note, quick=quick)
        yield Series(group="idle", measure=MEMORY, tool=name, unit="MB", values=(held,), note=said, quick=quick)


def _spent(members: list[psutil.Process]) -> float:
    return float(sum(sum(each.cpu_times()[:2]) for each in members))


def _memory(members: list[psutil.Process]) -> tuple[float, str]:
    """Returns megabytes, and how they are counted: pages that several share are divided among them."""
    if len(members) == 1:
        return members[0].memory_info().rss / 1e6, "RSS"
    return sum(each.memory_full_info().pss for each in members) / 1e6, f"PSS of {len(members)} processes"
