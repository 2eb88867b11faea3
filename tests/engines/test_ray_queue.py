"""The whole queue on a real Ray: one word in mlp.config, and everything that can happen to it."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlpipeline import wire
from mlpipeline.execution.limits import parent_of
from tests.engines.ray_cluster import GPUS, Cluster
from tests.integration.conftest import Workshop

SLOW = """
for step in self.run.steps(total=100000):
    self.run.checkpoint(lambda path: path.write_text(str(step)), name="state.txt")
    if (ROOT / "finish").exists():
        break
    time.sleep(0.01)
"""
LONG = 'Versions(0.1, Loader(), 2, 10**6).add("one")'
SECONDS = 240.0


@pytest.fixture
def shop(ray: Cluster, tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path.resolve() / "project")
    made.config(f"executor = ray\n{ray.config}")
    yield made
    made.close()


def finish(shop: Workshop) -> None:
    (shop.root / "finish").touch()


def place(shop: Workshop, version: str) -> dict[str, str]:
    """Returns who supervises a version's last attempt."""
    (directory,) = {row["directory"] for row in shop.history() if row["version"] == version}
    return wire.read_json(shop.root / directory / wire.NODE) or {}


def sound(shop: Workshop, *versions: str) -> bool:
    """Whether every version was trained to its end once, by an attempt that counts, and the ledger is right.

    What leaves its loop because it was asked to, as by an engine that wants its place back, has not come to its end.
    """
    assert all(row["beside"] == [] for row in shop.truth("train")), "two attempts of a run trained at the same time"
    states = {(row["id"], each["number"]): each["state"] for row in shop.history() for each in row["attempts"]}
    good = {each for each, state in states.items() if state == "succeeded"}
    trained = [row for row in shop.truth("trained") if not row["asked"] or (row["run"], row["attempt"]) in good]
    assert Counter(row["version"] for row in trained) == Counter(versions)
    assert {(row["run"], row["attempt"]) for row in trained} == good, "what counts is not what was trained"
    assert {row["state"] for row in shop.history()} == {"succeeded"}, shop.output()
    return shop.run("fsck")[0] == 0


def test_a_scheduler_that_is_killed_loses_nothing(shop: Workshop) -> None:
    shop.model("slow.py", SLOW, LONG + '.add("two").add("three")')
    shop.list("slow.py")
    first = shop.start("-r", "-u")
    shop.until(lambda: len(shop.truth("train")) == 3, "all train")
    first.kill()
    first.wait()
    second = shop.start("-r", "-u")
    shop.until(lambda: shop.json("status")["running"], "they are taken up")
    finish(shop)
    assert second.wait(SECONDS) == 0
    assert len(shop.truth("train")) == 3
    assert sound(shop, "one", "two", "three")


@pytest.mark.parametrize("point", ["scheduler.recorded", "scheduler.started"])
def test_a_scheduler_killed_while_it_submits_trains_once(shop: Workshop, point: str) -> None:
    shop.model("a.py", "pass")
    shop.list("a.py")
    first = shop.start("-r", "-u", failpoint=f"{point}=kill")
    assert first.wait(SECONDS) == -signal.SIGKILL
    code, told = shop.run("-r", "-u")
    assert code == 0, told
    assert sound(shop, "one")


def test_what_dies_on_a_node_costs_an_attempt(ray: Cluster, shop: Workshop) -> None:
    shop.config(f"executor = ray\n{ray.config}resources = second=0.1\n")
    shop.model("slow.py", SLOW, LONG + '.add("two")')
    shop.list("slow.py")
    queue = shop.start("-r", "-u")
    shop.until(lambda: len(shop.truth("train")) == 2, "both train")
    holder = parent_of(int(place(shop, "one")["pid"]))
    assert holder is not None
    os.kill(holder, signal.SIGKILL)
    shop.until(lambda: len(shop.truth("train")) == 3, "another attempt trains")
    (raylet,) = ray.processes("second", "raylet")
    os.kill(raylet, signal.SIGKILL)
    ray.until(lambda: ray.nodes["second"].poll() is not None, "the node is gone")
    shop.until(lambda: {row["attempts"][-1]["state"] for row in shop.history()} == {"submitted"}, "both wait again")
    shop.until(lambda: "none has any second" in shop.run("why", "slow.py:one")[1], "it is said that no node can")
    ray.start()
    shop.until(lambda: len(shop.truth("train")) == 5, "both train again")
    finish(shop)
    assert queue.wait(SECONDS) == 0, shop.output()
    assert sound(shop, "one", "two")


def test_a_head_that_dies_costs_attempts_and_no_history(ray: Cluster, shop: Workshop) -> None:
    shop.model("slow.py", SLOW, LONG + "".join(f'.add("v{n}")' for n in range(5)))
    shop.list("slow.py")
    queue = shop.start("-r", "-u")
    shop.until(lambda: len(shop.truth("train")) == 4, "as many train as there are CPUs; two wait in Ray")
    (gcs,) = ray.processes("head", "gcs_server")
    os.kill(gcs, signal.SIGKILL)
    ray.until(lambda: ray.nodes["head"].poll() is not None, "the head is gone")
    ray.until(lambda: ray.nodes["second"].poll() is not None, "the other node gives up")
    ray.start()
    shop.until(lambda: len(shop.truth("train")) == 8, "all that trained train again")
    finish(shop)
    assert queue.wait(SECONDS) == 0, shop.output()
    assert sound(shop, "one", *(f"v{n}" for n in range(5)))


def test_what_can_never_start_says_why_and_can_be_cancelled(shop: Workshop) -> None:
    shop.model("a.py", "pass")
    shop.list("a.py = gpus=4")
    queue = shop.start("-r", "-u")
    told = f"the most that one has is {GPUS} GPU: change gpus in [RAY]"
    shop.until(lambda: told in shop.run("why", "a.py:one")[1], "it is said")
    assert told in shop.run("status")[1]
    assert shop.run("cancel", "a.py:one")[0] == 0
    assert queue.wait(SECONDS) == 1
    assert [row["state"] for row in shop.history()] == ["cancelled"]
    assert shop.truth("train") == []


def test_a_run_has_what_it_asked_for_and_waits_where_it_is_taken(ray: Cluster, shop: Workshop) -> None:
    shop.config(f"""executor = ray
env = A=1
{ray.config}gpus = 1
cpus = 0.5
resources = licence=1
runtime_env = {{"env_vars": {{"B": "2"}}}}
""")
    body = """
names = ("CUDA_VISIBLE_DEVICES", "A", "B")
truth("given", self.run.version, cwd=os.getcwd(), given={name: os.environ.get(name) for name in names})
while not (ROOT / "finish").exists():
    time.sleep(0.05)
"""
    shop.model("a.py", body, 'Versions(0.1, Loader(), 2, 1).add("one").add("two").add("three")')
    shop.model("b.py", body)
    shop.list("a.py", "b.py = gpus=0")
    queue = shop.start("-r", "-u")
    shop.until(lambda: len(shop.truth("given")) == GPUS + 1, "as many train as there are GPUs and licences")
    waiting = "waits in Ray for 0.5 CPU and 1 GPU and 1 licence: free is 0 GPU of 2 GPU, 0 licence of 3 licence"
    shop.until(lambda: waiting in _reasons(shop), "the third says what it waits for")
    finish(shop)
    assert queue.wait(SECONDS) == 0, shop.output()
    rows = {row["id"]: row for row in shop.history()}
    found = shop.truth("given")
    assert {row["given"]["CUDA_VISIBLE_DEVICES"] for row in found[: GPUS + 1]} == {"0", "1", None}
    devices = {"a.py": {"0", "1"}, "b.py": {None}}
    for row in found:
        cuda = row["given"].pop("CUDA_VISIBLE_DEVICES")
        assert cuda in devices[rows[row["run"]]["model"]]
        assert row["given"] == {"A": "1", "B": "2"}
        assert shop.json("show", row["run"])["files"]["node"]["devices"] == cuda
    assert sound(shop, "one", "two", "three", "one")


def _reasons(shop: Workshop) -> str:
    return "\n".join(row["reason"] for row in shop.json("status")["running"])


def test_a_cluster_that_refuses_is_told_and_the_queue_can_be_stopped(ray: Cluster, shop: Workshop) -> None:
    (shop.root / "wrong").write_text("0" * 64)
    shop.config(f"executor = ray\n{ray.config}".replace(str(ray.token), "wrong"))
    shop.model("a.py", "pass")
    shop.list("a.py")
    queue = shop.start("-r", "-u")
    shop.until(lambda: "token_file in [RAY]" in shop.output(), "it is said")
    queue.send_signal(signal.SIGINT)
    assert queue.wait(SECONDS) == 130, shop.output()
    shop.config(f"executor = ray\n{ray.config}")
    assert shop.run("-r", "-u")[0] == 0
    assert sound(shop, "one")


def test_doctor_asks_every_node(ray: Cluster, shop: Workshop) -> None:
    told = shop.json("doctor", "--no-imports", "--executor", "ray")["findings"]
    found = [(each["weight"], each["text"]) for each in told if each["area"] == "Engine"]
    assert [weight for weight, _ in found] == ["ok", "ok", "ok"], found
    assert "2 nodes with 4 CPU" in found[0][1]
    assert "sees the project" in found[1][1]
    shop.config(f"executor = ray\n{ray.config}python = /nowhere/python\nresources = tape=1\n")
    told = shop.run("doctor", "--no-imports", "--executor", "ray")[1]
    assert "none has any tape" in told
    assert "/nowhere/python cannot be used there" in told


def test_a_node_without_the_interpreter_is_named(ray: Cluster, shop: Workshop) -> None:
    shop.config(f"executor = ray\n{ray.config}python = /nowhere/python\n")
    shop.model("a.py", "pass")
    shop.list("a.py")
    assert shop.run("-r", "-u")[0] == 1
    (row,) = shop.history()
    assert (row["state"], row["cause"]) == ("failed", "refused")
    assert "no interpreter /nowhere/python: set python in [RAY]" in row["message"]
