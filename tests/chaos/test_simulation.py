"""A hundred thousand short schedules of all that can happen to a queue, against what must hold in every one."""

from __future__ import annotations

import multiprocessing
import os

import pytest

from .mutants import MUTANTS
from .simulation import REAL, run_schedule, violations

SCHEDULES = int(os.environ.get("MLP_CHAOS_SCHEDULES", "100000"))
FIRST = int(os.environ.get("MLP_CHAOS_FIRST", "0"))
_CHUNK = 500
_SECONDS_EACH = 0.01


@pytest.mark.timeout(300 + SCHEDULES * _SECONDS_EACH)
def test_the_invariants_hold_in_every_schedule() -> None:
    end = FIRST + SCHEDULES
    chunks = [range(seed, min(seed + _CHUNK, end)) for seed in range(FIRST, end, _CHUNK)]
    done = 0
    with multiprocessing.get_context("spawn").Pool(len(os.sched_getaffinity(0))) as pool:
        for seeds, found in pool.imap_unordered(_chunk, chunks):
            assert not found, "\n".join(what for _, what in found)
            done += len(seeds)
    assert done == SCHEDULES


def _chunk(seeds: range) -> tuple[range, list[tuple[int, str]]]:
    return seeds, violations(seeds)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_faulty_core_is_caught(name: str) -> None:
    found = violations(range(5000), MUTANTS[name])
    assert found, f"nobody noticed a core that {name}"
    seed, what = found[0]
    assert f"python -m tests.chaos.simulation {seed}" in what
    # It is the fault that was caught: the real core passes the same schedule.
    run_schedule(seed, REAL)


def test_a_seed_tells_the_same_story_every_time() -> None:
    first: list[str] = []
    second: list[str] = []
    run_schedule(7, tell=first.append)
    run_schedule(7, tell=second.append)
    assert len(first) > 20
    assert first == second
