"""Under a fake engine of many nodes every run is done once, whatever fails and is forgotten."""

from __future__ import annotations

import pytest

from tests.engines.scale import Queue


@pytest.mark.parametrize("seed", range(5))
def test_every_run_is_done_once(seed: int) -> None:
    queue = Queue(runs=600, nodes=40, slots=90, seed=seed)
    figures = queue.run()
    assert set(queue.done.values()) == {1}
    assert len(queue.done) == 600
    assert not queue.live
    assert figures.attempts - queue.engine.forgotten == sum(queue.engine.started.values())
    # One call of squeue a turn, and an array wherever places became free.
    assert figures.polls == figures.turns
    assert figures.arrays <= figures.turns


def test_what_the_controller_forgets_is_submitted_again() -> None:
    queue = Queue(runs=50, nodes=10, slots=20, seed=3)
    queue.turn()
    queue.engine.waiting.clear()  # it was killed, and knows only what it had written
    queue.run()
    assert set(queue.done.values()) == {1}
    assert max(queue.engine.started.values()) <= 2
