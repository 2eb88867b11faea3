"""Processes that a benchmark starts: timed, watched, and ended by their ids, with whatever they left behind.

Everything carries a token in its environment. What is ended at the close is what carries this process's own, so that
nothing else on the machine is ever touched.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from benchmarks.work import Stamp, stamps_of

_NAME, _ROOT = "MLP_BENCH_TOKEN", "MLP_BENCH_ROOT"
_TOKEN = secrets.token_hex(16)
_GRACE = 5.0
_LIMIT = 600.0
NULL = subprocess.DEVNULL


def environment(root: Path | None = None, **more: str) -> dict[str, str]:
    """Returns variables for a child; with a root, its home lies there, and with it every trace that it leaves.

    Byte code is used, as it is after an installation.
    """
    values = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    values |= {"PYTHONPATH": str(Path(__file__).parents[1]), _NAME: _TOKEN}
    if root is not None:
        values |= {"HOME": str(root), "XDG_CACHE_HOME": str(root / ".cache"), "XDG_CONFIG_HOME": str(root / ".config")}
        values |= {"TMPDIR": str(root / "tmp"), "PYTHONPATH": ""}
        (root / "tmp").mkdir(exist_ok=True)
    return values | more


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """Yields a fresh directory. In the end, what was started and still runs is ended, and the directory removed."""
    root = Path(tempfile.mkdtemp(prefix="mlpipeline-bench-")).resolve()
    try:
        yield root
    finally:
        end_leftovers(root)
        shutil.rmtree(root, ignore_errors=True)


def run(command: Sequence[str], root: Path, variables: Mapping[str, str]) -> float:
    """Runs a command to its end and returns the seconds it took.

    Raises:
        RuntimeError: it failed; the message holds the end of what it said.
    """
    start = time.perf_counter()
    with open(root / "said", "wb") as said:
        done = subprocess.run(
            command, cwd=root, env=_marked(variables, root), stdin=NULL, stdout=said, stderr=said, timeout=_LIMIT
        )
    took = time.perf_counter() - start
    if done.returncode != 0:
        lines = (root / "said").read_text("utf-8", "replace").strip().splitlines()
        raise RuntimeError(f"{Path(command[0]).name} ended with {done.returncode}: {' / '.join(lines[-3:])}")
    return took


@contextlib.contextmanager
def running(command: Sequence[str], root: Path, variables: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Yields a process that stays; it and what it started are ended afterwards."""
    with open(root / "said", "ab") as said:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=_marked(variables, root),
            stdin=NULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        tree = _tree(process.pid)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        _end(tree)
        process.wait()


def _marked(variables: Mapping[str, str], root: Path) -> dict[str, str]:
    return {**variables, _NAME: _TOKEN, _ROOT: str(root)}


def _tree(pid: int) -> list[psutil.Process]:
    try:
        seen = psutil.Process(pid)
        return [seen, *seen.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _end(processes: list[psutil.Process]) -> None:
    """Ends processes; psutil compares their start times, so that an id that was taken again is not met."""
    for action in (psutil.Process.terminate, psutil.Process.kill):
        for each in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                action(each)
        _, processes = psutil.wait_procs(processes, timeout=_GRACE)


def carriers(root: Path | None = None) -> list[psutil.Process]:
    """Returns the processes with this benchmark's token; with a root, those that were started in it."""
    marks = {f"{_NAME}={_TOKEN}".encode()} | ({f"{_ROOT}={root}".encode()} if root else set())
    found = []
    for each in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if marks <= set(Path(f"/proc/{each.pid}/environ").read_bytes().split(b"\0")):
                found.append(each)
    return found


def end_leftovers(root: Path | None = None) -> None:
    """Ends what this benchmark started and still runs; with a root, only what was started for it."""
    _end(carriers(root))


def until(condition: Callable[[], object], limit: float = 120.0, pause: float = 0.002) -> float:
    """Waits for a condition and returns the seconds that took.

    Raises:
        TimeoutError: it never came true.
    """
    begin = time.perf_counter()
    while not condition():
        if time.perf_counter() - begin > limit:
            raise TimeoutError("what is measured never happened")
        time.sleep(pause)
    return time.perf_counter() - begin


def stamped(path: Path, count: int) -> list[Stamp]:
    """Returns the trace of `count` runs.

    Raises:
        RuntimeError: not so many ran.
    """
    found = stamps_of(path)
    if len(found) != count:
        raise RuntimeError(f"{len(found)} of {count} runs left a trace")
    return found
