"""Pages that are kept true: made once for all who watch, and only what changed is sent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import pytest

from mlpipeline.dashboard.live import Live
from mlpipeline.errors import MlpipelineError


def test_only_what_changed_is_sent_and_each_who_comes_gets_all_first() -> None:
    made: list[int] = []

    def make() -> Mapping[str, str]:
        made.append(1)
        return {"live_a": "same", "live_b": f"turn {len(made)}"}

    async def inside() -> None:
        live = Live(interval=0.01)
        async with contextlib.aclosing(live.changes("page", make)) as first:
            assert (await anext(first)).keys() == {"live_a", "live_b"}
            assert (await anext(first)).keys() == {"live_b"}
            async with contextlib.aclosing(live.changes("page", make)) as second:
                assert (await anext(second)).keys() == {"live_a", "live_b"}
                count = len(made)
                await asyncio.gather(anext(first), anext(second))
                assert len(made) - count <= 2  # once for both

    asyncio.run(inside())


def test_nothing_is_made_when_nobody_watches() -> None:
    made: list[int] = []

    def make() -> Mapping[str, str]:
        made.append(1)
        return {"live_a": str(len(made))}

    async def inside() -> None:
        live = Live(interval=0.01)
        async with contextlib.aclosing(live.changes("page", make)) as changes:
            await anext(changes)
        count = len(made)
        await asyncio.sleep(0.1)
        assert len(made) <= count + 1  # one may have been under way

    asyncio.run(inside())


def test_a_page_that_cannot_be_made_says_so_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    faults: list[Exception | None] = [None, MlpipelineError("the disk is <full>"), ValueError("x"), None]

    def make() -> Mapping[str, str]:
        fault = faults.pop(0) if faults else None
        if fault is not None:
            raise fault
        return {"live_a": str(len(faults))}

    async def inside() -> list[dict[str, str]]:
        live = Live(interval=0.01)
        async with contextlib.aclosing(live.changes("page", make)) as changes:
            return [await anext(changes) for _ in range(4)]

    found = asyncio.run(inside())
    assert found[1] == {"live_trouble": "the disk is &lt;full&gt;"}
    assert "the log says why" in found[2]["live_trouble"]
    assert "live_a" in found[3]
    assert "a page could not be made" in caplog.text
