"""Slurm keeps the contract of all executors also where each node's mount shows for seconds what was there before."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from mlpipeline.ledger import Ledger
from tests.engines import test_slurm_contract
from tests.engines.slurm_mounts import CACHED_SECONDS, Mounts
from tests.engines.test_slurm_queue import LONG, SLOW, SLURM
from tests.integration.conftest import Workshop


class TestMounts(test_slurm_contract.TestSlurm):
    seconds = 120.0

    @pytest.fixture(autouse=True)
    def _find_slurm(self, mounts: Mounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        self.slurm = mounts

    def root(self, tmp_path: Path) -> Path:
        return self.slurm.shared / tmp_path.name

    def test_a_mount_shows_what_was_there_before(self) -> None:
        """Else the other tests would show nothing."""
        path = self.slurm.shared / "touched"
        path.touch()
        before = os.stat(path).st_mtime_ns
        os.utime(self.slurm.disk / "touched", ns=(1, 1))
        assert os.stat(path).st_mtime_ns == before
        self.slurm.until(lambda: os.stat(path).st_mtime_ns == 1, f"it is seen after {CACHED_SECONDS} s")


def test_a_queue_trains_and_cancels(mounts: Mounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    shop = Workshop(mounts.shared / f"queue-{tmp_path.name}")
    try:
        shop.config(SLURM)
        shop.model("slow.py", SLOW, LONG + '.add("two")')
        shop.model("quick.py", "pass", "Versions(0.1, Loader(), 2, 1)" + "".join(f'.add("v{n}")' for n in range(6)))
        shop.list("slow.py", "quick.py")
        queue = shop.start("-r", "-u")
        shop.until(lambda: len(shop.truth("train")) == 8, "all train")
        assert shop.run("cancel", "slow.py:one")[0] == 0
        (shop.root / "finish").touch()
        assert queue.wait(120) == 1, shop.output()
        (path,) = (tmp_path / "state").rglob("ledger-here.db")
        with closing(Ledger.open_readonly(path)) as ledger:
            states = Counter((run.model, run.state.value, len(run.attempts)) for run in ledger.runs())
        assert states == {
            ("slow.py", "cancelled", 1): 1,
            ("slow.py", "succeeded", 1): 1,
            ("quick.py", "succeeded", 1): 6,
        }
        assert shop.run("fsck")[0] == 0
    finally:
        shop.close()
