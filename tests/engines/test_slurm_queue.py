"""The whole queue on a real Slurm: one word in mlp.config, and everything that can happen to it."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlpipeline import wire
from tests.engines.slurm_cluster import Cluster
from tests.integration.conftest import Workshop

SLURM = "executor = slurm\n[SLURM]\npoll_seconds = 0.3\nunknown_seconds = 3\nlease_seconds = 7\nmemory = 300 MiB\n"
SLOW = """
for step in self.run.steps(total=steps):
    self.run.checkpoint(lambda path: path.write_text(str(step)), name="state.txt")
    if (ROOT / "finish").exists():
        break
    time.sleep(0.01)
"""
LONG = 'Versions(0.1, Loader(), 2, 10**6).add("one")'


@pytest.fixture
def shop(slurm: Cluster, tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path.resolve() / "project")
    made.config(SLURM)
    yield made
    made.close()


def test_a_queue_trains_on_slurm(slurm: Cluster, shop: Workshop) -> None:
    shop.model("a.py", "pass", "Versions(0.1, Loader(), 2, 1)" + "".join(f'.add("v{n}")' for n in range(8)))
    shop.list("a.py")
    code, told = shop.run("-r", "-u")
    assert code == 0, told
    assert Counter(row["version"] for row in shop.truth("trained")) == Counter(f"v{n}" for n in range(8))
    assert {row["state"] for row in shop.history()} == {"succeeded"}
    assert {row["executor"] for row in shop.history()} == {"slurm"}
    assert shop.run("-r", "-u")[0] == 0
    assert len(shop.truth("trained")) == 8
    assert shop.run("fsck")[0] == 0
    assert slurm.jobs() == []
    assert not any((shop.outputs / "slurm").iterdir())


def test_a_scheduler_that_is_killed_loses_nothing(slurm: Cluster, shop: Workshop) -> None:
    shop.model("slow.py", SLOW, LONG + '.add("two").add("three")')
    shop.list("slow.py")
    first = shop.start("-r", "-u")
    shop.until(lambda: len(shop.truth("train")) == 3, "all train")
    first.kill()
    first.wait()
    second = shop.start("-r", "-u")
    shop.until(lambda: shop.json("status")["running"], "they are taken up")
    (shop.root / "finish").touch()
    assert second.wait(120) == 0
    assert Counter(row["version"] for row in shop.truth("trained")) == Counter(["one", "two", "three"])
    assert len(shop.truth("train")) == 3
    assert shop.run("fsck")[0] == 0


@pytest.mark.parametrize("place", ["scheduler.recorded", "scheduler.started"])
def test_a_scheduler_killed_while_it_submits_trains_once(slurm: Cluster, shop: Workshop, place: str) -> None:
    shop.model("a.py", "pass")
    shop.list("a.py")
    first = shop.start("-r", "-u", failpoint=f"{place}=kill")
    assert first.wait(60) == -signal.SIGKILL
    code, told = shop.run("-r", "-u")
    assert code == 0, told
    assert len(shop.truth("trained")) == 1
    assert len(shop.history()) == 1


def test_a_controller_that_forgets_what_it_acknowledged(slurm: Cluster, shop: Workshop) -> None:
    shop.model("a.py", "pass", "Versions(0.1, Loader(), 2, 1)" + "".join(f'.add("v{n}")' for n in range(6)))
    shop.list("a.py")
    for name in ("n1", "n2"):
        slurm.run("scontrol", "update", f"NodeName={name}", "State=DRAIN", "Reason=test")
    queue = shop.start("-r", "-u")
    shop.until(lambda: len(slurm.jobs()) == 6, "Slurm has acknowledged them")
    state = slurm.directory / "state"
    slurm.kill("slurmctld")
    for path in state.glob("job_state*"):  # as within the first five seconds, in which Slurm writes nothing
        path.unlink()
    slurm.controller()
    slurm.until(slurm.answers, "the controller answers")
    slurm.resume()
    assert queue.wait(120) == 0, shop.output()
    assert Counter(row["version"] for row in shop.truth("trained")) == Counter(f"v{n}" for n in range(6))
    assert {len(row["attempts"]) for row in shop.history()} == {2}
    assert {row["state"] for row in shop.history()} == {"succeeded"}
    assert shop.run("fsck")[0] == 0


def test_a_controller_that_is_away_for_a_while_is_waited_for(slurm: Cluster, shop: Workshop) -> None:
    shop.model("slow.py", SLOW, LONG)
    shop.list("slow.py")
    queue = shop.start("-r", "-u")
    shop.until(lambda: shop.truth("train"), "it trains")
    slurm.kill("slurmctld")
    shop.until(lambda: "does not say how jobs are" in shop.output(), "it is said")
    (shop.root / "finish").touch()
    # The outcome is in the run's directory: nobody needs the controller for it.
    assert queue.wait(120) == 0
    assert len(shop.truth("train")) == 1


@pytest.mark.parametrize("how", ["declared_down", "daemon_killed"])
def test_nodes_that_die_cost_an_attempt_each(slurm: Cluster, shop: Workshop, how: str) -> None:
    """With its daemon gone, a node's jobs live on, and Slurm gives them up: then two could train at a time."""
    shop.model("slow.py", SLOW, LONG + '.add("two")')
    shop.list("slow.py")
    queue = shop.start("-r", "-u")
    shop.until(lambda: len(shop.truth("train")) == 2, "both train")
    (directory,) = {Path(row["directory"]) for row in shop.history() if row["version"] == "one"}
    node = (wire.read_json(shop.root / directory / wire.NODE) or {})["node"]
    if how == "daemon_killed":
        slurm.kill(node)
    else:
        slurm.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
    shop.until(lambda: len(shop.truth("train")) > 2, "another attempt trains")
    (shop.root / "finish").touch()
    assert queue.wait(120) == 0
    assert all(row["beside"] == [] for row in shop.truth("train")), "two attempts of a run trained at the same time"
    # One that Slurm warned in time has made room, and counts as trained by its own word.
    for row in shop.history():
        assert [each["state"] for each in row["attempts"]].count("succeeded") == 1
    assert shop.run("fsck")[0] == 0


def test_a_worker_that_is_killed_is_tried_again(slurm: Cluster, shop: Workshop) -> None:
    shop.model("a.py", "import signal\nif self.run.attempt == 1: os.kill(os.getpid(), signal.SIGKILL)")
    shop.list("a.py")
    assert shop.run("-r", "-u")[0] == 0
    (row,) = shop.history()
    assert [each["state"] for each in row["attempts"]] == ["lost", "succeeded"]
    assert row["attempts"][0]["cause"] == "killed"
