"""Slurm with control groups: the kernel ends what goes beyond its memory, and that is told as what it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.slurm_cluster import Cluster
from tests.integration.conftest import Workshop

_CONFIG = "on_oom = fail\nexecutor = slurm\n[SLURM]\npoll_seconds = 0.3\nlease_seconds = 7\nmemory = 200 MiB\n"


@pytest.fixture
def shop(groups: Cluster, tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path.resolve() / "project")
    made.config(_CONFIG)
    yield made
    made.close()


def _last(shop: Workshop) -> tuple[str, str, str]:
    (row,) = shop.history()
    return row["state"], str(row["cause"]), row["message"]


def test_what_the_kernel_kills_at_its_jobs_limit_is_told_as_that(groups: Cluster, shop: Workshop) -> None:
    # At once far beyond the limit, while nobody watches: only the kernel sees it.
    body = "os.kill(os.getppid(), 19)\nos.system(f'(sleep 1; kill -CONT {os.getppid()}) &')\nheld = b'x' * 600_000_000"
    shop.model("big.py", body)
    shop.list("big.py")
    assert shop.run("-r", "-u")[0] == 1
    state, cause, message = _last(shop)
    assert (state, cause) == ("failed", "memory_limit"), message
    assert "the kernel killed it at the memory limit of its job in Slurm, 200 MiB" in message
    assert "raise `memory` in [SLURM]" in message


def test_what_the_watch_sees_first_has_its_figure(groups: Cluster, shop: Workshop) -> None:
    shop.model("big.py", "held = b'x' * 175_000_000\ntime.sleep(30)")
    shop.list("big.py")
    assert shop.run("-r", "-u")[0] == 1
    state, cause, message = _last(shop)
    assert (state, cause) == ("failed", "memory_limit"), message
    assert "memory_limit = 168 MiB" in message


def test_a_supervisor_that_the_kernel_kills_leaves_it_to_slurms_word(groups: Cluster, shop: Workshop) -> None:
    # The kernel takes whom it likes: here the supervisor is made the likeliest, and cannot look itself.
    body = "Path(f'/proc/{os.getppid()}/oom_score_adj').write_text('1000')\nos.kill(os.getppid(), 19)"
    shop.model("big.py", f"{body}\nheld = b'x' * 600_000_000\ntime.sleep(30)")
    shop.list("big.py")
    assert shop.run("-r", "-u")[0] == 1
    state, cause, message = _last(shop)
    assert (state, cause) == ("failed", "memory_limit"), message
    assert "used more memory than Slurm gave it" in message
