"""Hundreds of tiny runs, and something is killed every few moments; then one scheduler that is not, for long."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from mlpipeline import wire
from mlpipeline.execution.local import lock_holder

from .checker import violations
from .conftest import Workshop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

RUNS = int(os.environ.get("MLP_CHAOS_SOAK", "150"))
SEED = int(os.environ.get("MLP_CHAOS_SEED", "20261121"))
TINY = "time.sleep(0.02 + 0.18 * (self.run.seed % 1000) / 1000)"
LEDGER_BYTES = (200_000, 4_000)
"""Of an empty one and for each run, all indexes included."""
GROWTH_BYTES = 5_000_000


def living(workshop: Workshop) -> Iterator[tuple[int, int]]:
    """Yields supervisor and worker of every attempt that goes on."""
    for path in workshop.outputs.glob("runs/*/*/started.json"):
        if not path.with_name(wire.OUTCOME).exists():
            started = wire.read_json(path) or {}
            if started and lock_holder(path.with_name(wire.LOCK)) == started["pid"]:
                yield started["pid"], started["worker_pid"]


class Nemesis:
    """Kills one process or another, now and then."""

    def __init__(self, workshop: Workshop, chance: random.Random) -> None:
        self.workshop = workshop
        self.chance = chance
        self.killed: dict[str, int] = {"scheduler": 0, "supervisor": 0, "worker": 0}
        self.next = 0.0

    def strike(self, scheduler: subprocess.Popen[str], victims: list[str]) -> None:
        """Kills a victim of a kind chosen by chance, if its moment has come and there is one."""
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + self.chance.uniform(0.5, 2.5)
        victim = self.chance.choice(victims)
        pairs = list(living(self.workshop))
        if victim == "scheduler":
            scheduler.kill()
            scheduler.wait()
        elif pairs:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pairs[0][0 if victim == "supervisor" else 1], signal.SIGKILL)
        else:
            return
        self.killed[victim] += 1


def wanted(workshop: Workshop, name: str, count: int) -> int:
    """Lists a model with about so many runs, and returns how many they are."""
    workshop.model(name, TINY, 'Versions(0.1, Loader(), 2, 1).add("a").add("b").add("c")')
    workshop.list(f"{name} = replicates={count // 3}")
    return count // 3 * 3


def done(workshop: Workshop) -> int:
    """How many wishes are fulfilled, as the scheduler sees it."""
    status = wire.read_json(workshop.outputs / "status-here.json") or {}
    return int(status.get("counts", {}).get("done", 0))


def sample(pid: int) -> dict[str, Any]:
    process = psutil.Process(pid)
    return {
        "descriptors": process.num_fds(),
        "threads": process.num_threads(),
        "children": len(process.children()),
        "bytes": process.memory_full_info().uss,
    }


def test_hundreds_of_runs_survive_every_kill(workshop: Workshop) -> None:
    workshop.config("max_attempts = 50\n")
    count = wanted(workshop, "m.py", RUNS // 2)
    nemesis = Nemesis(workshop, random.Random(SEED))
    process = workshop.start("-r", "-u", "-j", "2")
    while process.poll() != 0:
        if process.poll() is not None:
            assert process.returncode == -signal.SIGKILL, process.communicate()[0]
            process = workshop.start("-r", "-u", "-j", "2")
        nemesis.strike(process, ["scheduler", "supervisor", "worker"])
        time.sleep(0.01)
    print(f"{count} runs; killed: {nemesis.killed}")
    assert [row["state"] for row in workshop.history()] == ["succeeded"] * count
    assert sum(nemesis.killed.values()) > count / 75, "not enough was killed to prove anything"
    attempts = sum(len(row["attempts"]) for row in workshop.history())
    # A scheduler's death costs what it had submitted, but not yet handed over: at most a run for each slot.
    killed = nemesis.killed
    assert attempts <= count + killed["supervisor"] + killed["worker"] + 2 * killed["scheduler"]
    assert (workshop.outputs / "ledger-here.db").stat().st_size < LEDGER_BYTES[0] + LEDGER_BYTES[1] * count
    assert violations(workshop) == []


def test_a_scheduler_does_not_grow(workshop: Workshop) -> None:
    workshop.config("max_attempts = 50\n")
    count = wanted(workshop, "n.py", RUNS // 2)
    nemesis = Nemesis(workshop, random.Random(SEED))
    process = workshop.start("-r", "-u", "-j", "2", "--watch")
    early: dict[str, Any] = {}
    while (number := done(workshop)) < count:
        if not early and number >= count // 4:
            early = sample(process.pid)
        nemesis.strike(process, ["supervisor", "worker"])
        assert process.poll() is None
        time.sleep(0.02)
    late = sample(process.pid)
    print(f"{count} runs; killed: {nemesis.killed}; after a quarter of them {early}, at the end {late}")
    assert late["descriptors"] <= early["descriptors"]
    assert late["threads"] <= early["threads"]
    assert late["children"] <= early["children"]
    assert late["bytes"] < early["bytes"] + GROWTH_BYTES
    process.terminate()
    assert process.wait(60) == 130
    assert [row["state"] for row in workshop.history()] == ["succeeded"] * count
    assert violations(workshop) == []
