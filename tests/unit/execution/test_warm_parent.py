"""One warm process answers hundreds of orders and leaves nothing; what it cannot hold is told once, and left out."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mlpipeline import wire
from mlpipeline.execution import threads
from mlpipeline.execution.errand import Errand
from mlpipeline.execution.orders import DESCRIBE
from mlpipeline.execution.warm_parent import Answer, WarmParent

MODEL = """
from mlpipeline.helper import Model
from mlpipeline.utils import Versions
MODEL = Model(Versions(0.1, None, 2, 1).add("one"))
"""
WAIT_SECONDS = 60.0

Make = Callable[..., WarmParent]


def until(condition: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"never happened: {what}")


def own_sessions(warm: WarmParent) -> bool:
    """Whether each child of the process leads a session of its own, as what is forked for an order does."""
    assert warm.process is not None
    try:
        return all(os.getsid(each.pid) == each.pid for each in psutil.Process(warm.process.pid).children())
    except ProcessLookupError:
        return False


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes warm parents whose processes find the modules in a directory; none is left afterwards."""
    made = []

    def one(preload: str, **more: Any) -> WarmParent:
        warm = WarmParent(
            {**os.environ, "PYTHONPATH": str(tmp_path), **more.pop("variables", {})}, preload=preload, **more
        )
        warm.want(())
        made.append(warm)
        return warm

    yield one
    for warm in made:
        warm.close()


def request(directory: Path, number: int) -> Path:
    """Writes what a describing process reads."""
    path = directory / f"request{number}" / "request.json"
    path.parent.mkdir()
    main = directory / "models" / "m.py"
    told = {"root": str(directory), "models_dir": str(main.parent), "main": str(main), "sources_dir": None}
    told |= {"answer": str(path.parent / "answer.json"), "parent": None, "environment": dict(os.environ)}
    path.write_text(json.dumps(told))
    return path


def describe(warm: WarmParent, path: Path) -> Errand:
    def submitted() -> int | Answer | None:
        answer = warm.submit(DESCRIBE, str(path), heavy=True)
        return None if answer is Answer.LATER else answer

    pid = until(submitted, "the warm process is ready")
    assert isinstance(pid, int), warm.reports
    return Errand(pid, path)


def described(warm: WarmParent, directory: Path, number: int) -> dict[str, Any]:
    """Has a model described, and returns the answer."""
    path = request(directory, number)
    errand = describe(warm, path)
    until(lambda: errand.poll() is not None, "it is described")
    assert errand.poll() == 0
    assert not errand.vanished()
    os.close(errand.descriptor)
    answer = wire.read_json(path.parent / "answer.json")
    assert answer is not None
    shutil.rmtree(path.parent)
    return answer


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.py").write_text(MODEL)
    return tmp_path


def test_two_hundred_orders_leave_nothing(make: Make, models: Path) -> None:
    warm = make("json")
    assert described(warm, models, 0)["fault"] is None
    assert warm.process is not None
    process = psutil.Process(warm.process.pid)
    own = len(os.listdir("/proc/self/fd"))

    def held() -> tuple[int, int, int]:
        return process.num_fds(), process.num_threads(), len(process.children(recursive=True))

    until(lambda: held()[2] == 2, "a spare pair waits")
    before, memory = held(), process.memory_info().rss
    for number in range(200):
        assert [each["name"] for each in described(warm, models, number)["versions"]] == ["one"]
    until(lambda: held() == before, f"it holds what it held: {before}, now {held()}")
    assert len(os.listdir("/proc/self/fd")) == own
    assert process.memory_info().rss < memory + (4 << 20)
    assert warm.process.pid == process.pid
    family = [process, *process.children(recursive=True)]
    warm.close()
    assert not any(each.is_running() for each in family)


def kept(warm: WarmParent, names: set[str]) -> list[str]:
    """Waits until a warm process is ready with these names alone. Returns what was told."""
    told = []

    def ready() -> bool:
        told.extend(text for text, _ in warm.news())
        if warm.process is None:
            warm.submit(DESCRIBE, "/nonexistent/request.json", heavy=True)
        return warm.process is not None and not warm.is_loading

    until(ready, "it is ready")
    assert set(warm.loaded) == names
    return told


BAD = {
    "": ("mlptest_bad", "cannot be imported: ModuleNotFoundError: No module named 'mlptest_bad'"),
    "raise ValueError('no\\nway')": ("mlptest_bad", "cannot be imported: ValueError: no way"),
    "raise SystemExit(3)": ("mlptest_bad", "cannot be imported: SystemExit: 3"),
    "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()": (
        "mlptest_bad",
        "no process can be forked after its import: it has 2 threads",
    ),
    "import time\ntime.sleep(600)": (
        "mlptest_bad",
        "is still being imported after 1 s (describe_timeout_seconds)",
    ),
    "import os\nos._exit(5)": ("mlptest_bad", "ended with exit status 5"),
    "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)": ("mlptest_bad", "was ended by SIGKILL"),
    "import subprocess\nsubprocess.Popen(['sleep', '600'])": (
        "mlptest_bad",
        "no process can be forked after its import: it has started a process that goes on",
    ),
    "import os, time\nif os.fork() == 0: time.sleep(600)": (
        "mlptest_bad",
        "no process can be forked after its import: it has started a process that goes on",
    ),
    "import os\nif pid := os.fork(): os.waitpid(pid, 0)": ("", ""),
    "import subprocess\nsubprocess.run(['true'])\nsubprocess.Popen(['true']).wait()": ("", ""),
    "import sys\nassert sys.stdin.read() == ''": ("", ""),
    "import sys\nprint('ready 1.0')\nsys.stdout.flush()": ("", ""),
}


@pytest.mark.parametrize("text", BAD)
def test_what_cannot_be_held_is_told_once_and_left_out(make: Make, models: Path, text: str) -> None:
    bad, why = BAD[text]
    if text:
        (models / "mlptest_bad.py").write_text(text)
    # Only the one that hangs may be given up for its time: others are slow where the machine is.
    warm = make("json, mlptest_bad, decimal", load_seconds=1.0 if "after 1 s" in why else WAIT_SECONDS)
    told = kept(warm, {"json", "decimal"} | ({"mlptest_bad"} - {bad}))
    assert [each for each in told if "left out" in each] == ([f"preload: {bad}: left out: {why}"] if bad else [])
    assert described(warm, models, 1)["fault"] is None
    until(lambda: own_sessions(warm), "what a package has forked forks nothing itself")
    told += [each for each, _ in warm.news()]
    assert len(told) == 2 if bad else 1
    assert told[-1].startswith(f"preload: decimal, json{'' if bad else ', mlptest_bad'} in ")


def test_where_every_process_ends_nothing_is_forked_any_more(make: Make, tmp_path: Path) -> None:
    (tmp_path / "mlpipeline.py").write_text("raise SystemExit(1)")
    warm = make("json")
    until(lambda: warm.submit(DESCRIBE, "/x", heavy=True) is Answer.COLD, "it is given up")
    assert [each for each, _ in warm.news()][-1] == (
        "preload: the warm process ends again and again: runs are started cold"
    )


def test_a_package_that_changes_is_imported_again(make: Make, models: Path) -> None:
    (models / "mlptest_old.py").write_text("")
    warm = make("mlptest_old")
    described(warm, models, 1)
    first = warm.process
    assert first is not None
    (models / "mlptest_old.py").write_text("NEW = 1")
    described(warm, models, 2)
    assert warm.process is not None
    assert warm.process.pid != first.pid
    told = [each for each, _ in warm.news()]
    assert told[1] == f"preload: {models / 'mlptest_old.py'} has changed: importing again"
    assert len(told) == 3


def test_an_idle_process_goes_and_the_next_order_has_another(make: Make, models: Path) -> None:
    warm = make("json", release_seconds=0.5)
    described(warm, models, 1)
    assert warm.process is not None
    family = [psutil.Process(warm.process.pid), *psutil.Process(warm.process.pid).children(recursive=True)]
    until(lambda: warm.look() or warm.process is None, "it goes")
    assert not any(each.is_running() for each in family)
    described(warm, models, 2)


@pytest.mark.parametrize(("preload", "level"), [("auto", "INFO"), ("json", "WARNING")])
def test_only_who_asked_for_packages_is_warned_where_their_threads_cannot_be_counted(
    make: Make, monkeypatch: pytest.MonkeyPatch, preload: str, level: str
) -> None:
    monkeypatch.setattr(threads, "NEEDED", "no_such_package")
    warm = make(preload)
    warm.want(["numpy", "pandas"])
    (told,) = warm.news()
    assert told[1] == level
    assert ": left out: no_such_package is not installed" in told[0]
    assert told[0].endswith("pip install no_such_package")


def test_numpy_alone_is_imported_by_each_run_without_a_word(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "NEEDED", "no_such_package")
    warm = make("auto")
    warm.want(["numpy"])
    assert (warm.wanted, warm.news()) == ((), [])
    warm.want(["numpy", "pandas"])
    assert [text.partition(": left out")[0] for text, _ in warm.news()] == ["preload: pandas"]
    stated = make("numpy")
    stated.want([])
    assert [text.partition(": left out")[0] for text, _ in stated.news()] == ["preload: numpy"]
