"""Stalled runs: silent for longer than is usual for them, and nothing less."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mlpipeline.observe.progress import Progress
from mlpipeline.observe.stalled import Signs, is_busy, patience, silence
from tests.unit.sample_runs import NOW

FAST = Progress(step=10, rate=50.0, updated_at=NOW - timedelta(seconds=300))
SLOW = Progress(step=10, rate=0.05, updated_at=NOW - timedelta(seconds=300))
BEGUN = Signs(started_at=NOW - timedelta(hours=1))


def test_a_fast_run_without_a_step_for_minutes_is_silent() -> None:
    assert silence(BEGUN, FAST, NOW) == 300


def test_a_run_whose_steps_take_long_may_be_silent_as_long_as_many_of_them() -> None:
    assert patience(SLOW) == 400
    assert silence(BEGUN, SLOW, NOW) is None


@pytest.mark.parametrize("seconds", [0, 119])
def test_whatever_was_written_lately_counts(seconds: int) -> None:
    signs = Signs(started_at=BEGUN.started_at, written_at=[None, NOW - timedelta(seconds=seconds)])
    assert silence(signs, FAST, NOW) is None


def test_a_run_that_has_told_no_step_has_longer_to_begin() -> None:
    assert silence(Signs(started_at=NOW - timedelta(seconds=500)), Progress(), NOW) is None
    assert silence(Signs(started_at=NOW - timedelta(seconds=700)), Progress(), NOW) == 700


def test_of_a_run_that_has_not_started_nothing_is_said() -> None:
    assert silence(Signs(started_at=None), Progress(), NOW) is None


def test_a_clock_that_was_set_back_makes_nothing_silent() -> None:
    assert silence(Signs(started_at=NOW + timedelta(hours=1)), FAST, NOW) is None


@pytest.mark.parametrize(
    ("used", "elapsed", "told"),
    [(0.0, 1.0, False), (0.01, 1.0, False), (0.1, 1.0, True), (None, 1.0, True), (0, 0, True)],
)
def test_processor_time_tells_who_works_and_the_unknown_counts_as_work(
    used: float | None, elapsed: float, told: bool
) -> None:
    assert is_busy(used, elapsed) is told
