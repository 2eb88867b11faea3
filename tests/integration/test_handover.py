"""A supervisor that was forked from a process full of libraries becomes a light one while its run goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest

from mlpipeline import wire

from .conftest import Workshop

AT_ONCE = {"MLP_HANDOVER_SECONDS": "0"}
WAIT = """
print("before", flush=True)
while not (ROOT / "go").exists(): time.sleep(0.01)
print("after")
"""


@pytest.fixture
def heavy(workshop: Workshop) -> Workshop:
    """A project whose warm process holds something."""
    workshop.config("preload = numpy\n")
    workshop.list("m.py")
    return workshop


def attempt(workshop: Workshop) -> Path:
    return next(workshop.outputs.glob("runs/*/1"))


def light(workshop: Workshop) -> psutil.Process:
    """Waits until the supervisor has become a light process."""

    def found() -> psutil.Process | None:
        started = wire.read_json(attempt(workshop) / wire.STARTED)
        process = psutil.Process(started["pid"]) if started else None
        return process if process is not None and "handover" in " ".join(process.cmdline()) else None

    workshop.until(lambda: workshop.truth("train"), "training")
    process = workshop.until(found, "the supervisor is light")
    assert isinstance(process, psutil.Process)
    return process


def ended(workshop: Workshop) -> dict[str, Any]:
    return workshop.history()[0]


def test_it_goes_on_with_the_same_attempt(heavy: Workshop) -> None:
    heavy.model("m.py", WAIT)
    process = heavy.start("-r", "-u", variables=AT_ONCE)
    supervisor = light(heavy)
    assert "-S" in supervisor.cmdline()
    assert not any("numpy" in each.path for each in supervisor.memory_maps())
    assert supervisor.children()[0].pid == heavy.truth("train")[0]["pid"]
    (heavy.root / "go").touch()
    assert process.wait(60) == 0
    assert ended(heavy)["state"] == "succeeded"
    assert ended(heavy)["exit_code"] == 0
    assert ended(heavy)["peak_memory_bytes"] > 1 << 20
    assert (attempt(heavy) / wire.OUTPUT).read_text().splitlines()[:2] == ["before", "after"]


def test_no_line_is_lost_while_it_changes(heavy: Workshop) -> None:
    heavy.model("m.py", 'for n in range(200_000): print(n)\nprint("no end of line", end="")')
    assert heavy.run("-r", "-u", variables=AT_ONCE)[0] == 0
    lines = (attempt(heavy) / wire.OUTPUT).read_text().splitlines()
    assert lines[:200_000] == [str(number) for number in range(200_000)]
    assert lines[200_000].startswith("no end of line")


def test_a_short_run_never_pays_for_it(heavy: Workshop) -> None:
    heavy.model("m.py", "truth('parent', '', cmdline=open(f'/proc/{os.getppid()}/cmdline').read())")
    assert heavy.run("-r", "-u")[0] == 0
    assert "handover" not in heavy.truth("parent")[0]["cmdline"]


def test_a_cancel_still_ends_the_whole_tree(heavy: Workshop) -> None:
    body = 'import subprocess\nsubprocess.Popen(["sleep", "600"], start_new_session=True)\n'
    heavy.model("m.py", body + WAIT.replace("go", "never"))
    process = heavy.start("-r", "-u", variables=AT_ONCE)
    tree = light(heavy).children(recursive=True)
    heavy.until(lambda: len(light(heavy).children(recursive=True)) == 2, "the child sleeps")
    tree = light(heavy).children(recursive=True)
    assert heavy.run("cancel", "m.py", "--wait")[0] == 0
    assert not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in tree)
    process.wait(60)
    assert ended(heavy)["state"] == "cancelled"


def test_a_time_limit_still_holds(heavy: Workshop) -> None:
    heavy.config("preload = numpy\ntimeout_seconds = 2\n")
    heavy.model("m.py", WAIT.replace("go", "never"))
    process = heavy.start("-r", "-u", variables=AT_ONCE)
    light(heavy)
    assert process.wait(60) == 1
    assert ended(heavy)["cause"] == "time_limit"


def test_how_its_worker_died_is_still_known(heavy: Workshop) -> None:
    heavy.model("m.py", WAIT + "os._exit(7)")
    process = heavy.start("-r", "-u", variables=AT_ONCE)
    light(heavy)
    (heavy.root / "go").touch()
    assert process.wait(60) == 1
    assert ended(heavy)["exit_code"] == 7


def test_a_killed_one_takes_its_worker_along_and_is_tried_again(heavy: Workshop) -> None:
    heavy.model("m.py", WAIT)
    process = heavy.start("-r", "-u", variables=AT_ONCE)
    supervisor = light(heavy)
    worker = supervisor.children()[0]
    supervisor.kill()
    heavy.until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, "its worker is gone")
    (heavy.root / "go").touch()
    assert process.wait(60) == 0
    assert [each["state"] for each in ended(heavy)["attempts"]] == ["lost", "succeeded"]


def test_the_scheduler_may_be_killed_and_another_one_adopts_it(heavy: Workshop) -> None:
    heavy.model("m.py", WAIT)
    process = heavy.start("-r", "-u", variables=AT_ONCE)
    light(heavy)
    process.kill()
    process.wait()
    again = heavy.start("-r", "-u")
    heavy.until(lambda: "adopted" in heavy.output(), "it is adopted")
    (heavy.root / "go").touch()
    assert again.wait(60) == 0
    assert len(heavy.truth("train")) == 1
