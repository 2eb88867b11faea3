"""The clock of the day jumps: by a day ahead, by two days back, under everything that runs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mlpipeline import wire

from .checker import violations
from .conftest import Workshop

DAY = 86_400
SOURCE = Path(__file__).with_name("shift_clock.c")
BEATS = """
while not (ROOT / "go").exists():
    truth("beat", self.run.version)
    time.sleep(0.02)
"""


@pytest.fixture
def jump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how many seconds the clock is ahead of the true time, for all processes that are started from now on."""
    if shutil.which("cc") is None:
        if os.environ.get("CI"):
            pytest.fail("there is no C compiler to shift the clock with")
        pytest.skip("there is no C compiler to shift the clock with")
    library, ahead = tmp_path / "shift_clock.so", tmp_path / "ahead"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"], check=True)

    def set_to(seconds: int) -> None:
        beside = ahead.with_suffix(".new")
        beside.write_text(str(seconds))
        beside.rename(ahead)

    set_to(0)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("SHIFT_CLOCK_FILE", str(ahead))
    return set_to


def heard(workshop: Workshop) -> str:
    return str((wire.read_json(workshop.outputs / "status-here.json") or {}).get("updated_at"))


def goes_on(workshop: Workshop) -> None:
    """Waits until the scheduler has looked around twice, and the training has gone on."""
    for _ in range(2):
        before = heard(workshop)
        workshop.until(lambda before=before: heard(workshop) != before, "the scheduler goes on")
    beats = len(workshop.truth("beat"))
    workshop.until(lambda: len(workshop.truth("beat")) > beats + 3, "the training goes on")


def kill(workshop: Workshop, attempt: int) -> None:
    """Kills an attempt at the first version, and waits until that is known."""
    row = next(row for row in workshop.truth("train") if (row["version"], row["attempt"]) == ("a", attempt))
    os.kill(row["pid"], signal.SIGKILL)

    def is_known() -> bool:
        (run,) = (each for each in workshop.history() if each["version"] == "a")
        return bool(run["attempts"][attempt - 1]["state"] == "lost")

    workshop.until(is_known, "it is lost")


def test_nothing_runs_out_of_time_and_nothing_waits_for_days(workshop: Workshop, jump: Callable[[int], None]) -> None:
    workshop.config("timeout_seconds = 600\ndescribe_timeout_seconds = 300\n")
    workshop.model("m.py", BEATS, 'Versions(0.1, Loader(), 2, 1).add("a").add("b")')
    workshop.model("n.py", "pass", 'Versions(0.1, Loader(), 2, 1).add("new")')
    workshop.list("m.py")
    process = workshop.start("-r", "-u", "--watch", "-j", "2")
    workshop.until(lambda: len(workshop.truth("train")) == 2, "both train")
    goes_on(workshop)
    jump(DAY)
    goes_on(workshop)
    kill(workshop, attempt=1)
    workshop.until(lambda: len(workshop.truth("train")) == 3, "it is tried again")
    goes_on(workshop)
    kill(workshop, attempt=2)
    jump(-DAY)
    workshop.until(lambda: len(workshop.truth("train")) == 4, "it is tried again, and not two days later")
    goes_on(workshop)
    workshop.list("m.py", "n.py")
    (workshop.root / "go").touch()
    workshop.until(lambda: len(workshop.truth("trained")) == 3, "an edit counts, and everything is trained")
    status, text = workshop.run("history")
    assert status == 0, text
    assert not re.search(r"-\d+(\.\d+)? (s|min|h|d)\b|in \d+ d", text), text
    assert workshop.json("status")["scheduler"]["running"]
    assert workshop.run("stop", "--wait")[0] == 0
    assert process.wait(60) == 0
    assert {row["state"] for row in workshop.history()} == {"succeeded"}
    assert not re.search(r"(in|duration: +) ?-\d", workshop.output() + workshop.output("output"))
    assert violations(workshop) == []


def test_a_clock_that_was_set_back_repeats_nothing(workshop: Workshop, jump: Callable[[int], None]) -> None:
    workshop.model("m.py", "pass", 'Versions(0.1, Loader(), 2, 1).add("a").add("b")')
    workshop.list("m.py")
    jump(DAY)
    assert workshop.run("-r", "-u")[0] == 0
    jump(0)
    workshop.model("n.py", "pass", 'Versions(0.1, Loader(), 2, 1).add("c")')
    workshop.list("m.py", "n.py")
    assert workshop.run("-r", "-u")[0] == 0
    assert [row["version"] for row in workshop.truth("train")] == ["a", "b", "c"]
    rows = workshop.json("history")["runs"]
    assert [row["version"] for row in rows] == ["c", "b", "a"], "newest first, whatever the clock said"
    assert violations(workshop) == []
