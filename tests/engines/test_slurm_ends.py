"""How Slurm ends jobs, each told apart: for memory, for time, for other jobs, by hand."""

from __future__ import annotations

from pathlib import Path

from tests.engines.slurm_cluster import Cluster
from tests.engines.test_slurm_queue import LONG, SLOW, shop
from tests.integration.conftest import Workshop

__all__ = ["shop"]

STUBBORN = "import time\nwhile True: time.sleep(0.1)"
_BASE = "executor = slurm\n[SLURM]\npoll_seconds = 0.3\nunknown_seconds = 3\nlease_seconds = 7\n"


def _last(shop: Workshop, version: str = "one") -> tuple[str, str, str]:
    (row,) = (each for each in shop.history() if each["version"] == version)
    return row["state"], str(row["cause"]), row["message"]


def test_memory_is_watched_below_the_limit_of_the_job(slurm: Cluster, shop: Workshop) -> None:
    shop.config(f"on_oom = fail\n{_BASE}memory = 200 MiB\n")
    shop.model("big.py", "held = b'x' * 170_000_000\ntime.sleep(30)")
    shop.list("big.py")
    assert shop.run("-r", "-u")[0] == 1
    state, cause, message = _last(shop)
    assert (state, cause) == ("failed", "memory_limit")
    assert "168 MiB" in message


def test_a_job_that_slurm_kills_for_its_memory(slurm: Cluster, shop: Workshop) -> None:
    # At once far beyond the limit: Slurm may be the first to see it.
    shop.config(f"on_oom = fail\n{_BASE}memory = 200 MiB\n")
    shop.model("big.py", "os.kill(os.getppid(), 19)\nheld = b'x' * 600_000_000\ntime.sleep(30)")
    shop.list("big.py")
    assert shop.run("-r", "-u")[0] == 1
    state, cause, message = _last(shop)
    assert (state, cause) == ("failed", "memory_limit")
    assert "memory limit" in message


def test_a_job_that_is_cancelled_in_slurm_is_tried_again(slurm: Cluster, shop: Workshop) -> None:
    shop.model("slow.py", STUBBORN.replace("True", "self.run.attempt == 1"))
    shop.list("slow.py")
    queue = shop.start("-r", "-u")
    shop.until(lambda: shop.truth("train"), "it trains")
    (line,) = slurm.jobs()
    slurm.run("scancel", line.split()[0])
    assert queue.wait(120) == 0
    (row,) = shop.history()
    assert [each["state"] for each in row["attempts"]] == ["lost", "succeeded"]
    assert row["attempts"][0]["cause"] == "killed"
    assert "cancelled in Slurm" in row["attempts"][0]["message"]


def test_a_preempted_run_makes_a_checkpoint_and_goes_on(slurm: Cluster, shop: Workshop) -> None:
    shop.model("slow.py", SLOW, LONG)
    shop.list("slow.py")
    queue = shop.start("-r", "-u")
    shop.until(lambda: shop.truth("train"), "it trains")
    urgent = ["sbatch", "-p", "urgent", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 3"]
    slurm.run(*urgent)
    shop.until(lambda: len(shop.truth("train")) == 2, "it goes on")
    (shop.root / "finish").touch()
    assert queue.wait(120) == 0
    (row,) = shop.history()
    assert [each["state"] for each in row["attempts"]] == ["yielded", "succeeded"], row["attempts"][0]["message"]
    assert row["attempts"][0]["cause"] == "preempted"
    assert "checkpoint" in row["attempts"][0]["message"]


def test_the_time_limit_is_told_from_everything_else(slurm: Cluster, shop: Workshop) -> None:
    shop.config(_BASE + "time = 1:00\nnotice_seconds = 15\n")
    shop.model("slow.py", SLOW, LONG)
    shop.model("stubborn.py", STUBBORN)
    shop.list("slow.py", "stubborn.py")
    queue = shop.start("-r", "-u")
    shop.until(lambda: len(shop.truth("train")) >= 3, "what makes checkpoints goes on")
    (shop.root / "finish").touch()
    assert queue.wait(180) == 1
    rows = {row["model"]: row for row in shop.history()}
    assert [each["state"] for each in rows["slow.py"]["attempts"]] == ["yielded", "succeeded"]
    (attempt,) = rows["stubborn.py"]["attempts"]
    assert (attempt["state"], attempt["cause"]) == ("failed", "time_limit"), attempt
    assert "`time` in [SLURM]" in attempt["message"]


def test_a_run_that_waits_says_why_and_can_be_cancelled(slurm: Cluster, shop: Workshop) -> None:
    for name in ("n1", "n2"):
        slurm.run("scontrol", "update", f"NodeName={name}", "State=DRAIN", "Reason=test")
    shop.model("a.py", "pass")
    shop.list("a.py")
    queue = shop.start("-r", "-u")
    shop.until(lambda: "Slurm:" in (shop.json("status")["running"] or [{"reason": ""}])[0]["reason"], "it says why")
    (row,) = shop.history()
    shop.until(lambda: "1 of 1 in line for main" in shop.run("why", row["id"])[1], "it says where it stands in line")
    code, told = shop.run("cancel", row["id"])
    assert code == 0, told
    assert queue.wait(60) == 1
    assert _last(shop)[0] == "cancelled"
    assert shop.truth() == []
    assert slurm.jobs() == []


def test_stopping_takes_what_waits_out_of_slurms_queue(slurm: Cluster, shop: Workshop) -> None:
    for name in ("n1", "n2"):
        slurm.run("scontrol", "update", f"NodeName={name}", "State=DRAIN", "Reason=test")
    shop.model("a.py", "pass")
    shop.list("a.py")
    queue = shop.start("-r", "-u")
    shop.until(slurm.jobs, "it waits")
    shop.until(lambda: "Slurm:" in (shop.json("status")["running"] or [{"reason": ""}])[0]["reason"], "it is known")
    queue.terminate()
    assert queue.wait(60) == 130
    assert slurm.jobs() == []
    slurm.resume()
    assert shop.run("-r", "-u")[0] == 0
    assert len(shop.truth("trained")) == 1
    (directory,) = {Path(row["directory"]) for row in shop.history()}
    assert directory.name == "2"
