"""The scheduler is killed again and again, at any moment; the models' own record says what came of it."""

from __future__ import annotations

import collections
import contextlib
import random
import signal
import subprocess
import time

import pytest

from .conftest import Workshop

VERSIONS = 12


@pytest.mark.parametrize("preload", ["auto", "none"])
def test_killing_the_scheduler_at_any_moment_loses_nothing_and_repeats_nothing(
    workshop: Workshop, preload: str
) -> None:
    workshop.config(f"preload = {preload}\n")
    listed = "".join(f'.add("v{number:02d}")' for number in range(VERSIONS))
    workshop.model("m.py", "time.sleep(0.05)", f"Versions(0.1, Loader(), 2, 1){listed}")
    workshop.list("m.py")
    chance = random.Random(20261121)
    for _ in range(20):
        process = workshop.start("-r", "-u")
        with contextlib.suppress(subprocess.TimeoutExpired):  # the usual case: it still works, and is killed
            process.wait(chance.uniform(0.05, 0.8))
        process.kill()
        process.wait()
    status, text = workshop.run("-r", "-u")
    assert status == 0, text
    wanted = [f"v{number:02d}" for number in range(VERSIONS)]
    assert collections.Counter(row["version"] for row in workshop.truth("train")) == dict.fromkeys(wanted, 1)
    assert sorted(row["version"] for row in workshop.truth("trained")) == wanted
    assert {row["state"] for row in workshop.history()} == {"succeeded"}
    assert len(workshop.history()) == VERSIONS
    blocks = [line for line in workshop.output("output").splitlines() if line.startswith("run ")]
    assert len(blocks) == len(set(blocks))
    assert {line.split()[1].partition(".")[0] for line in blocks} == {row["id"] for row in workshop.history()}
    status, text = workshop.run("fsck")
    assert status == 0, text
    assert not workshop.left_behind()


def test_the_daemon_starts_serves_requests_and_stops(workshop: Workshop) -> None:
    workshop.model("long.py", "truth('runs', self.run.version)\nwhile True: time.sleep(0.01)")
    workshop.model("fails.py", "assert (ROOT / 'mended').exists(), 'not mended'")
    workshop.list("fails.py", "long.py")
    status, text = workshop.run("start")
    assert status == 0, text
    workshop.until(lambda: workshop.truth("runs"), "the daemon trains")
    assert "running" in workshop.run("status")[1]
    run = next(row for row in workshop.history() if row["model"] == "long.py")
    (workshop.root / "mended").touch()
    assert workshop.run("retry", "--failed")[0] == 0
    assert workshop.run("cancel", run["id"])[0] == 0
    workshop.until(lambda: len(workshop.truth("trained")) == 1, "the failed one is tried again")
    states = {row["model"]: row["state"] for row in workshop.history()}
    assert states["long.py"] == "cancelled"
    workshop.until(
        lambda: {row["model"]: row["state"] for row in workshop.history()}["fails.py"] == "succeeded", "done"
    )
    assert workshop.run("stop")[0] == 0
    workshop.until(lambda: not workshop.left_behind(), "everything ends")


def test_a_terminal_that_closes_leaves_the_run_to_be_adopted(workshop: Workshop) -> None:
    workshop.model("m.py", 'while not (ROOT / "go").exists(): time.sleep(0.01)')
    workshop.list("m.py")
    process = workshop.start("-r", "-u")
    workshop.until(lambda: workshop.truth("train"), "training")
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 130
    assert workshop.history()[0]["state"] in ("submitted", "running")
    (workshop.root / "go").touch()
    assert workshop.run("-r", "-u")[0] == 0
    assert len(workshop.truth("train")) == 1


def test_two_slots_train_side_by_side(workshop: Workshop) -> None:
    body = """
name = self.run.version
(ROOT / name).touch()
other = {"a": "b", "b": "a"}[name]
end = time.monotonic() + 60
while not (ROOT / other).exists() and time.monotonic() < end: time.sleep(0.01)
assert (ROOT / other).exists(), "the other one never came"
"""
    workshop.model("m.py", body, 'Versions(0.1, Loader(), 2, 1).add("a").add("b")')
    workshop.list("m.py")
    assert workshop.run("-r", "-u", "-j", "2")[0] == 0


@pytest.mark.alone
def test_an_idle_scheduler_sleeps(workshop: Workshop) -> None:
    import psutil

    workshop.model("m.py", "pass")
    workshop.list("m.py")
    process = workshop.start("-r", "-u", "--watch")
    workshop.until(lambda: "succeeded" in workshop.output(), "the run is done")
    seen = psutil.Process(process.pid)
    before = sum(seen.num_ctx_switches())
    time.sleep(3)  # what is asserted is how often it woke meanwhile, not how long anything took
    assert sum(seen.num_ctx_switches()) - before < 60
    process.terminate()
    assert process.wait(60) == 130
