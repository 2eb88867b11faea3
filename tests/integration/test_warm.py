"""A forked worker is what a started one would be, and where nothing can be forked, one is started."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import psutil

from .conftest import Workshop, warm_process

LOOK = """
import random, sys
import numpy
seen = {
    "random": random.random(),
    "numpy": float(numpy.random.random()),
    "hash": hash("text"),
    "variables": {k: v for k, v in os.environ.items() if k not in ("MLP_TOKEN", "MLP_SUPERVISOR", "PYTHONPATH")},
    "cwd": os.getcwd(),
    "descriptors": len(os.listdir("/proc/self/fd")),
    "threads": len(os.listdir("/proc/self/task")),
    "group": os.getpgid(0) == os.getpid(),
    "session": os.getsid(0) == os.getppid(),
    "signals": [str(signal.getsignal(n)) for n in (2, 15, 17, 1, signal.SIGPIPE, signal.SIGXFSZ)],
    "stdout": [sys.stdout.encoding, sys.stdout.line_buffering, sys.stdout.fileno(), sys.stdin.read()],
    "model": __file__,
    "main": "mlpipeline.execution.worker" in sys.modules,
}
(ROOT / f"seen-{(ROOT / 'mode').read_text()}.json").write_text(json.dumps(seen))
"""


def looked(workshop: Workshop, preload: str) -> dict[str, Any]:
    workshop.config(f"preload = {preload}\nenv = OWN=value, OTHER=2\nthreads = 1\n")
    (workshop.root / "mode").write_text(preload)
    status, text = workshop.run("-r")
    assert status == 0, text
    return dict(json.loads((workshop.root / f"seen-{preload}.json").read_text()))


def test_a_forked_worker_sees_what_a_started_one_sees(workshop: Workshop) -> None:
    workshop.model("m.py", LOOK.strip().replace("import random, sys", "import random, signal, sys"))
    workshop.list("m.py")
    warm, cold = looked(workshop, "auto"), looked(workshop, "none")
    assert warm == cold
    assert warm["variables"]["OWN"] == "value"
    assert warm["variables"]["OMP_NUM_THREADS"] == "1"


def test_where_the_warm_process_is_gone_workers_are_started(workshop: Workshop) -> None:
    wait = """while not (ROOT / "go").exists(): time.sleep(0.01)"""
    workshop.model("m.py", wait, 'Versions(0.1, Loader(), 2, 1).add("a").add("b")')
    workshop.list("m.py")
    process = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "training")
    warm = warm_process(process.pid)
    assert warm.num_threads() == 1
    os.kill(warm.pid, signal.SIGKILL)
    (workshop.root / "go").touch()
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0, text
    assert [row["version"] for row in workshop.truth("trained")] == ["a", "b"]


def test_the_warm_process_ends_with_its_scheduler(workshop: Workshop) -> None:
    workshop.model("m.py", 'while not (ROOT / "go").exists(): time.sleep(0.01)')
    workshop.list("m.py")
    process = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "training")
    children = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    warm = [each for each in children if each.pid != workshop.truth("train")[0]["pid"]]
    workshop.until(lambda: not any(each.is_running() and each.status() != "zombie" for each in warm), "it ends")
    (workshop.root / "go").touch()
    assert workshop.run("-r", "-u")[0] == 0
    assert len(workshop.truth("train")) == 1
