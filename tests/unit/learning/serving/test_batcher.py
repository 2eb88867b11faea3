"""One prediction at a time: what waits goes together, a fault hits its own request alone, and the queue has an end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from mlpipeline.errors import DataFault
from mlpipeline.learning.serving.batcher import Batcher
from mlpipeline.learning.serving.limits import Limits
from mlpipeline.learning.serving.refusal import Refusal
from mlpipeline.learning.serving.served import PREDICTIONS, PROBA, Answers


class Held:
    """A model that answers when it is let go, and refuses negative numbers."""

    name = "held"

    def __init__(self) -> None:
        self.go, self.begun = threading.Event(), threading.Event()
        self.batches: list[list[Any]] = []

    def answer(self, values: list[list[Any]], output: str) -> Answers:
        self.begun.set()
        assert self.go.wait(60)
        self.batches.append(values[0])
        if min(values[0]) < 0:
            raise DataFault("a negative number")
        return Answers([each * 10 for each in values[0]], ["a"] if output == PROBA else None)


def run(work: Callable[[Held, Batcher], Coroutine[Any, Any, None]], limits: Limits | None = None) -> Held:
    """Runs a test beside a batcher, and ends its thread."""
    held = Held()

    async def inside() -> None:
        batcher = Batcher("held", limits or Limits(), lambda requests, rows: None)
        try:
            await work(held, batcher)
        finally:
            held.go.set()
            batcher.stop()

    asyncio.run(inside())
    return held


async def first_in(held: Held, batcher: Batcher) -> asyncio.Task[Answers]:
    """Returns a request whose prediction runs."""
    task = asyncio.create_task(batcher.answer(held, [[1]], PREDICTIONS))  # type: ignore[arg-type]
    assert await asyncio.to_thread(held.begun.wait, 60)
    return task


def asked(held: Held, batcher: Batcher, *rows: int, output: str = PREDICTIONS) -> asyncio.Task[Answers]:
    return asyncio.create_task(batcher.answer(held, [list(rows)], output))  # type: ignore[arg-type]


def test_what_waits_is_predicted_together_and_each_gets_its_own() -> None:
    async def work(held: Held, batcher: Batcher) -> None:
        tasks = [await first_in(held, batcher), asked(held, batcher, 2, 3), asked(held, batcher, 4)]
        tasks.append(asked(held, batcher, 5, output=PROBA))
        await asyncio.sleep(0)
        held.go.set()
        found = await asyncio.gather(*tasks)
        assert [each.rows for each in found] == [[10], [20, 30], [40], [50]]
        assert [each.classes for each in found] == [None, None, None, ["a"]]
        assert batcher.waiting_rows == 0

    assert run(work).batches == [[1], [2, 3, 4], [5]]


def test_one_alone_does_not_wait_for_others() -> None:
    async def work(held: Held, batcher: Batcher) -> None:
        held.go.set()
        assert (await asked(held, batcher, 7)).rows == [70]
        assert (await asked(held, batcher, 8)).rows == [80]

    assert run(work).batches == [[7], [8]]


def test_a_fault_hits_its_own_request_alone() -> None:
    async def work(held: Held, batcher: Batcher) -> None:
        tasks = [await first_in(held, batcher), asked(held, batcher, 2), asked(held, batcher, -1)]
        tasks.append(asked(held, batcher, 3))
        await asyncio.sleep(0)
        held.go.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found[2], DataFault)
        assert [each.rows for each in found if isinstance(each, Answers)] == [[10], [20], [30]]

    assert run(work).batches == [[1], [2, -1, 3], [2], [-1], [3]]


def test_a_batch_has_an_end() -> None:
    async def work(held: Held, batcher: Batcher) -> None:
        tasks = [await first_in(held, batcher), *(asked(held, batcher, row) for row in (2, 3, 4))]
        await asyncio.sleep(0)
        held.go.set()
        await asyncio.gather(*tasks)

    assert run(work, Limits(batch_rows=2)).batches == [[1], [2, 3], [4]]


def test_too_many_waiting_rows_are_refused_with_when_to_come_back() -> None:
    async def work(held: Held, batcher: Batcher) -> None:
        tasks = [await first_in(held, batcher), asked(held, batcher, 2, 3)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal, match="3 rows wait for model 'held'") as found:
            await asked(held, batcher, 4)
        assert (found.value.status, found.value.headers) == (503, {"Retry-After": "1"})
        held.go.set()
        await asyncio.gather(*tasks)
        assert (await asked(held, batcher, 5)).rows == [50]

    run(work, Limits(waiting_rows=3))


def test_who_waits_too_long_is_told_and_not_predicted() -> None:
    async def work(held: Held, batcher: Batcher) -> None:
        tasks = [await first_in(held, batcher), asked(held, batcher, 2)]
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [each.status for each in found if isinstance(each, Refusal)] == [503, 503]
        held.go.set()
        assert (await asked(held, batcher, 3)).rows == [30]
        assert batcher.waiting_rows == 0

    assert run(work, Limits(answer_seconds=0.05)).batches == [[1], [3]]


def test_what_was_taken_is_answered_before_the_end() -> None:
    async def work(held: Held, batcher: Batcher) -> None:
        tasks = [await first_in(held, batcher), asked(held, batcher, 2)]
        await asyncio.sleep(0)
        batcher.stop()
        held.go.set()
        assert [each.rows for each in await asyncio.gather(*tasks)] == [[10], [20]]

    run(work)
