"""What the queue adds to Slurm and Ray: empty runs beside those of plain scripts, submission of many, and a scheduler
that waits.

Slurm is Debian's, Ray that of this interpreter; each has two nodes on this machine, in a network namespace with only
loopback: root is needed.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks import processes
from benchmarks.bench import Bench
from benchmarks.figures import Series
from benchmarks.peers.in_process import DRIVERS
from tests.engines import ray_cluster, slurm_cluster
from tests.engines.namespace import only_loopback
from tests.engines.slurm_cluster import Cluster

RUNS, SUBMIT, SHARE = "engines: empty runs on Slurm", "engines: runs given to Slurm", "engines: share of a core"
ON_RAY = "engines: empty runs on Ray"
OURS, PLAIN, CALLS = "mlpipeline", "plain sbatch, one array", "plain sbatch, a call for each run"
TASK, PROCESS, ACTOR, TUNE = "Ray: tasks", "Ray: a process for each task", "Ray: an actor for each run", "Ray Tune"
_KINDS = {"task": TASK, "process": PROCESS, "actor": ACTOR, "tune": TUNE}
_CONFIG = "[MLP]\nhost = bench\nexecutor = slurm\n[SLURM]\nmemory = 100 MiB\n"
_RAY_CONFIG = "[MLP]\nhost = bench\nexecutor = ray\n[RAY]\naddress = {address}\ntoken_file = {token}\n"
_LIST = "[MLP]\n[WHITELISTED_MODELS]\nempty.py\n[BLACKLISTED_MODELS]\n"
_MODEL = """
from mlpipeline.helper import Model
from mlpipeline.utils import Versions

class Empty(Model):
    def train_model(self, input_fn, steps): pass
    def evaluate_model(self, input_fn, steps): return 1.0

VERSIONS = Versions()
for number in range({count}):
    VERSIONS.add(f"v{{number}}")
MODEL = Empty(VERSIONS)
"""
_BY_HAND = """
import pathlib, sys
sys.path.insert(0, "models")
from empty import MODEL
MODEL.train_model(None, 1)
MODEL.evaluate_model(None, 1)
pathlib.Path(f"done.{sys.argv[1]}").touch()
"""
"""What a person writes who has the same model run by sbatch."""


def measure(bench: Bench) -> Iterator[Series]:
    """Measures everything, on one Slurm and one Ray."""
    yield from _on_slurm(bench)
    yield from _on_ray(bench)


def _on_slurm(bench: Bench) -> Iterator[Series]:
    quick = bench.settings.quick
    if reason := _missing():
        yield Series(group="engines", measure=RUNS, tool=OURS, skipped=reason, quick=quick)
        return
    with only_loopback(), _cluster() as cluster:
        count, rounds = bench.settings.count(200, 5), bench.settings.times(3, 1)
        took: dict[str, list[float]] = {PLAIN: [], CALLS: [], OURS: []}
        for _ in range(rounds):
            took[PLAIN].append(_by_hand(cluster, count, together=True))
            took[CALLS].append(_by_hand(cluster, count, together=False))
            took[OURS].append(_ours(cluster, count))
        for tool, values in took.items():
            note = f"{count} runs, from the first submission to the last end"
            yield Series(
                group="engines", measure=RUNS, tool=tool, unit="s", values=tuple(values), note=note, quick=quick
            )
        yield from _waiting(cluster, bench.settings.count(1000, 5), bench.settings.count(60, 2), quick=quick)


def _on_ray(bench: Bench) -> Iterator[Series]:
    """Measures whole commands, imports and connection included: a person waits for all of that."""
    quick, count = bench.settings.quick, bench.settings.count(20, 8)
    shared = {"group": "engines", "measure": ON_RAY, "quick": quick}
    absent = ray_cluster.missing()
    if os.geteuid() != 0 or absent:
        reason = f"{absent} is not there" if absent else "a network namespace needs root"
        yield Series(**shared, tool=OURS, skipped=reason)
        return
    took: dict[str, list[float]] = {tool: [] for tool in (*_KINDS.values(), OURS)}
    with only_loopback(), _ray() as cluster:
        for _ in range(bench.settings.times(3, 1)):
            for kind, tool in _KINDS.items():
                took[tool].append(_by_ray(cluster, kind, count))
            took[OURS].append(_ours_on_ray(cluster, count))
    for tool, values in took.items():
        note = f"{count} runs on two nodes with two CPUs each, the whole command"
        yield Series(**shared, tool=tool, unit="s", values=tuple(values), note=note)


@contextlib.contextmanager
def _ray() -> Iterator[ray_cluster.Cluster]:
    with tempfile.TemporaryDirectory(prefix="mlp-") as directory, ray_cluster.running(Path(directory)) as cluster:
        yield cluster


def _by_ray(cluster: ray_cluster.Cluster, kind: str, count: int) -> float:
    with processes.directory() as root:
        _project(root, count)
        command = [sys.executable, "-P", str(DRIVERS / "on_ray.py"), kind, str(count), cluster.address]
        took = processes.run(command, root, dict(cluster.variables) | processes.environment())
        if len(list(root.glob("done.*"))) != count:
            raise RuntimeError(f"a run of {_KINDS[kind]} has left no trace")
        return took


def _ours_on_ray(cluster: ray_cluster.Cluster, count: int) -> float:
    with processes.directory() as root:
        _project(root, count)
        (root / "mlp.config").write_text(_RAY_CONFIG.format(address=cluster.address, token=cluster.token))
        return processes.run(_command(), root, processes.environment())


def _missing() -> str:
    if os.geteuid() != 0:
        return "a network namespace needs root"
    absent = slurm_cluster.missing()
    return f"the program {absent} is not there" if absent else ""


@contextlib.contextmanager
def _cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="mlp-") as directory:
        Path(directory).chmod(0o755)
        cluster = Cluster(Path(directory))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


def _project(root: Path, count: int) -> None:
    (root / "models").mkdir()
    (root / "mlp.config").write_text(_CONFIG)
    (root / "models.config").write_text(_LIST)
    (root / "models" / "empty.py").write_text(_MODEL.format(count=count))
    (root / "by_hand.py").write_text(_BY_HAND)


def _by_hand(cluster: Cluster, count: int, *, together: bool) -> float:
    """Has Slurm run the model as a script. Returns the seconds until nothing is left in its queue."""
    with processes.directory() as root:
        _project(root, count)
        begin = time.perf_counter()
        name = "$SLURM_ARRAY_TASK_ID" if together else "$SLURM_JOB_ID"
        export = f"PYTHONPATH={processes.environment()['PYTHONPATH']}"
        wrap = f"--wrap=export {export}; exec {sys.executable} by_hand.py {name}"
        options = ["--parsable", "--mem=100M", "--output=/dev/null", f"--chdir={root}", wrap]
        if together:
            cluster.run("sbatch", f"--array=0-{count - 1}", *options)
        else:
            for _ in range(count):
                cluster.run("sbatch", *options)
        processes.until(lambda: not cluster.jobs(), limit=600, pause=0.1)
        took = time.perf_counter() - begin
        if len(list(root.glob("done.*"))) != count:
            raise RuntimeError("a run of plain sbatch has left no trace")
        return took


def _command() -> list[str]:
    return [sys.executable, "-m", "mlpipeline", "-r", "-u"]


def _ours(cluster: Cluster, count: int) -> float:
    with processes.directory() as root:
        _project(root, count)
        return processes.run(_command(), root, processes.environment() | dict(cluster.variables))


def _waiting(cluster: Cluster, count: int, seconds: int, *, quick: bool) -> Iterator[Series]:
    """Gives Slurm runs that no node takes, and watches the scheduler wait for them."""
    for node in slurm_cluster.NODES:
        cluster.run("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=measured")
    with processes.directory() as root:
        _project(root, count)
        begin = time.perf_counter()
        with processes.running(_command(), root, processes.environment() | dict(cluster.variables)) as queue:
            processes.until(lambda: len(cluster.jobs()) == count, limit=600, pause=0.1)
            took = time.perf_counter() - begin
            note = f"{count} runs in arrays, from the start of the queue"
            yield Series(group="engines", measure=SUBMIT, tool=OURS, unit="s", values=(took,), note=note, quick=quick)
            time.sleep(1 if quick else 5)
            share = _share(psutil.Process(queue.pid), seconds)
            note = f"{count} runs wait, over {seconds} s, programs of Slurm's included"
            yield Series(group="engines", measure=SHARE, tool=OURS, unit="%", values=(share,), note=note, quick=quick)
    cluster.clear()


def _share(queue: psutil.Process, seconds: float) -> float:
    before = sum(queue.cpu_times()[:4])
    time.sleep(seconds)
    return float(sum(queue.cpu_times()[:4]) - before) / seconds * 100
