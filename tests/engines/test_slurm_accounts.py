"""Limits of Slurm's accounts: what Slurm refuses, and what waits for ever, is said with the key to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlpipeline.execution import slurm_examination
from mlpipeline.project import Project
from tests.engines.slurm_accounting import Accounts
from tests.integration.conftest import Workshop

_BASE = "executor = slurm\n[SLURM]\npoll_seconds = 0.3\nlease_seconds = 7\n"
_HELD = "while not (ROOT / 'finish').exists(): time.sleep(0.05)"


@pytest.fixture
def shop(accounts: Accounts, tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path.resolve() / "project")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("lines", "words", "key"),
    [
        ("account = nobody", "Invalid account", "`account`"),
        ("account = lab\nqos = none", "Invalid qos", "`qos`"),
        ("qos = strict\ncpus = 2", "QOSMaxCpuPerJobLimit", "lower `cpus`"),
        ("memory = 900 GB", "Memory specification", "`memory`"),
    ],
)
def test_what_is_refused_names_the_key(accounts: Accounts, shop: Workshop, lines: str, words: str, key: str) -> None:
    shop.config(f"{_BASE}{lines}\n")
    shop.model("a.py", "pass")
    shop.list("a.py")
    assert shop.run("-r", "-u")[0] == 1
    (row,) = shop.history()
    assert (row["state"], row["cause"]) == ("failed", "refused")
    assert words in row["message"]
    assert key in row["message"], row["message"]
    assert " in [SLURM]" in row["message"]


@pytest.mark.parametrize(
    ("lines", "reason", "key"),
    [
        ("account = lab\npartition = closed", "not permitted", "change `account` or `partition` in [SLURM]"),
        ("qos = narrow\ncpus = 2", "QOSMaxCpuPerJobLimit", "lower `cpus` in [SLURM]"),
        ("qos = brief\ntime = 10:00", "QOSMaxWallDurationPerJobLimit", "lower `time` in [SLURM]"),
        ("account = cores\ncpus = 2", "AssocGrpCpuLimit", "lower `cpus` in [SLURM]"),
    ],
)
def test_what_waits_for_ever_says_why(accounts: Accounts, shop: Workshop, lines: str, reason: str, key: str) -> None:
    shop.config(f"{_BASE}{lines}\n")
    shop.model("a.py", "pass")
    shop.list("a.py")
    queue = shop.start("-r", "-u")
    shop.until(lambda: reason in shop.run("why", "a.py:one")[1], "it says why")
    (told,) = (row["reason"] for row in shop.json("status")["running"])
    assert reason in told
    assert key in told
    assert shop.run("cancel", "a.py:one")[0] == 0
    assert queue.wait(60) == 1
    assert shop.truth() == []
    assert accounts.jobs() == []


def test_what_waits_for_a_limit_starts_when_another_ends(accounts: Accounts, shop: Workshop) -> None:
    shop.config(f"{_BASE}qos = one\n")
    shop.model("a.py", _HELD, 'Versions(0.1, Loader(), 2, 1).add("one").add("two")')
    shop.list("a.py")
    queue = shop.start("-r", "-u")
    told = "it starts when one ends (QOSMaxJobsPerUserLimit)"
    shop.until(lambda: any(told in row["reason"] for row in shop.json("status")["running"]), "it says why")
    assert len(shop.truth("train")) == 1
    (shop.root / "finish").touch()
    assert queue.wait(60) == 0
    assert Counter(row["version"] for row in shop.truth("trained")) == Counter(["one", "two"])


def test_more_than_an_account_may_submit_is_handed_over_by_and_by(accounts: Accounts, shop: Workshop) -> None:
    """Slurm takes an array whole or not at all, and would never take this one."""
    shop.config(f"{_BASE}account = small\n")
    shop.model("a.py", _HELD, "Versions(0.1, Loader(), 2, 1)" + "".join(f'.add("v{n}")' for n in range(5)))
    shop.list("a.py")
    queue = shop.start("-r", "-u")
    shop.until(lambda: len(shop.truth("train")) == 3, "as many train as may")
    told = "as many jobs are in the queue as its account may have (`account` in [SLURM])"
    shop.until(lambda: any(told in row["reason"] for row in shop.json("status")["running"]), "it says why others wait")
    (shop.root / "finish").touch()
    assert queue.wait(60) == 0
    assert Counter(row["version"] for row in shop.truth("trained")) == Counter(f"v{n}" for n in range(5))
    assert shop.run("fsck")[0] == 0


def test_doctor_says_why_its_jobs_wait(accounts: Accounts, shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.config(f"{_BASE}qos = narrow\ncpus = 2\n")
    monkeypatch.setattr(slurm_examination, "PATIENCE_SECONDS", 3.0)
    found = list(slurm_examination.examine(Project.load(shop.root)))
    assert any("limits of accounts hold" in text for _, text in found), found
    waiting = [text for _, text in found if "has not come to a short job" in text]
    assert len(waiting) == 2
    assert all("lower `cpus` in [SLURM], or change `qos` (QOSMaxCpuPerJobLimit)" in text for text in waiting), waiting
    accounts.until(lambda: not accounts.jobs(), "they were taken back")
