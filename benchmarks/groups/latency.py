"""From a submission to the first line of the user's code once TensorFlow is imported; and what one more run weighs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import psutil

from benchmarks import peers, processes
from benchmarks.bench import Bench, Reading
from benchmarks.figures import Series
from benchmarks.groups.reliability import supervisors
from benchmarks.groups.training import MISSING, tensorflow
from benchmarks.peers import ours
from benchmarks.peers.ours import Mlpipeline
from benchmarks.peers.tool import Tool
from benchmarks.work import KERAS, KERAS_IMPORTS, Work, stamps_of

READY = "submitted -> first line with TensorFlow imported"
CROWDED = "submitted -> first line with TensorFlow imported, right behind another"
MEMORY = "private memory of one more TensorFlow run"
_AT_ONCE_MS = 100.0
# Runs end together on the second, so that the next two are submitted at once: the spare can serve only the first.
_TOGETHER = Work(name="pairs", preamble=KERAS_IMPORTS, body="time.sleep(1 - time.time() % 1)")
_WAITING = """with open({pid!r}, "w") as file:
    file.write(str(os.getpid()))
while not os.path.exists({finish!r}):
    time.sleep(0.05)"""


def measure(bench: Bench) -> Iterator[Series]:
    """Measures warm and cold workers in turn; in a quick run the warm ones, for each cold one imports TensorFlow."""
    if not tensorflow():
        yield Series(group="latency", measure=READY, tool=peers.WARM.name, skipped=MISSING)
        return
    counts = {peers.WARM.name: bench.settings.count(16, 4), peers.COLD.name: 4}

    def once(tool: Tool) -> Iterator[Reading]:
        assert isinstance(tool, Mlpipeline)
        warm = tool is peers.WARM
        alone, behind = delays(tool, counts[tool.name], slots=2 if warm else 1)
        yield Reading(measure=READY, values=alone, note="a spare process is ready" if warm else "")
        if warm:
            yield Reading(measure=CROWDED, values=behind, note="its spare is still being forked")
        yield Reading(measure=MEMORY, unit="MB", values=(memory(tool),), note="worker and supervisor")

    tools = [peers.WARM] if bench.settings.quick else list(peers.OURS)
    yield from bench.alternate("latency", READY, tools, bench.settings.times(2, 1), once)


def delays(tool: Mlpipeline, count: int, slots: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns milliseconds from submissions to first lines: of those alone, and of those right behind another.

    The first run of each slot is left out: the warm process may still be importing.
    """
    with processes.directory() as root:
        config = f"preload = {tool.preload}\nslots = {slots}\n"
        ours.write_project(root, _TOGETHER.model(root / "stamps", count), config)
        processes.run(ours.queue(), root, processes.environment())
        submitted = _submitted(root)
        firsts = {stamp.label: stamp.first / 1e6 for stamp in stamps_of(root / "stamps")}
    alone: list[float] = []
    behind: list[float] = []
    order = sorted(submitted, key=lambda version: submitted[version])
    for before, version in list(pairwise(order))[slots - 1 :]:
        at_once = submitted[version] - submitted[before] < _AT_ONCE_MS
        (behind if at_once else alone).append(firsts[version] - submitted[version])
    return tuple(alone), tuple(behind)


def _submitted(root: Path) -> dict[str, float]:
    """Returns when each version was submitted, in milliseconds, as its spec says."""
    specs = (json.loads(path.read_text("utf-8")) for path in root.glob("models/outputs/runs/*/*/spec.json"))
    return {spec["version"]: datetime.fromisoformat(spec["submitted_at"]).timestamp() * 1000 for spec in specs}


def memory(tool: Mlpipeline) -> float:
    """Returns the megabytes that a run has for itself when it has trained: of its worker and its supervisor."""
    with processes.directory() as root:
        pid, finish = root / "pid", root / "finish"
        waiting = _WAITING.format(pid=str(pid), finish=str(finish))
        work = Work(name="waiting", imports=KERAS_IMPORTS, body=f"{KERAS}\n{waiting}")
        ours.write_project(root, work.model(root / "stamps", 1), f"preload = {tool.preload}\n")
        with processes.running(ours.queue(), root, processes.environment()) as queue:
            processes.until(lambda: pid.exists() and pid.read_text(), limit=120)
            processes.until(lambda: not _settling(supervisors(root)), limit=30, pause=0.1)
            pids = {int(pid.read_text()), *supervisors(root)}
            private = sum(psutil.Process(each).memory_full_info().uss for each in pids)
            finish.touch()
            queue.wait(60)
    return private / 1e6


def _settling(found: list[int]) -> bool:
    """Says whether a supervisor is still to become the light process that it turns into."""
    return not found or any(psutil.Process(each).create_time() > time.time() - 3 for each in found)
