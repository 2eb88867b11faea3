"""Who connects and says nothing, or says it drop by drop, is told so and let go; others are answered meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

uvicorn = pytest.importorskip("uvicorn", reason="the extra `serve` is missing")

from mlpipeline.learning import serializers  # noqa: E402 - needs what is looked for above
from mlpipeline.learning.serving.access import Access  # noqa: E402
from mlpipeline.learning.serving.app import Application  # noqa: E402
from mlpipeline.learning.serving.catalog import Catalog  # noqa: E402
from mlpipeline.learning.serving.limits import Limits  # noqa: E402
from mlpipeline.learning.serving.lineup import Lineup  # noqa: E402
from mlpipeline.learning.serving.measures import Measures  # noqa: E402
from mlpipeline.learning.serving.protocol import limited  # noqa: E402
from mlpipeline.project import Project  # noqa: E402
from tests.integration.serving.conftest import GENEROUS_SECONDS, head, save  # noqa: E402

LIMITS = Limits(header_seconds=0.3, body_seconds=0.3, idle_seconds=1, connections=5)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def serving(root: Path) -> AsyncIterator[int]:
    """Serves in this process, with little patience."""
    save(root / "a", "yes")
    measures = Measures()
    places = {"votes": str(root / "a")}
    lineup = Lineup(Catalog(Project.load(root), places=places), serializers.load, LIMITS, measures)
    await lineup.renew()
    application = Application(lineup, Access(None), LIMITS, measures)
    config = uvicorn.Config(application, port=0, http=limited(LIMITS), lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running
        lineup.stop()


def run(root: Path, work: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    async def inside() -> None:
        async with asyncio.timeout(GENEROUS_SECONDS), serving(root) as port:
            await work(port)

    asyncio.run(inside())


async def said(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Returns all that a server says to what is sent part by part, until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)

    sending = asyncio.create_task(send())
    answer = await reader.read()
    sending.cancel()
    writer.close()
    return answer


@pytest.mark.parametrize("parts", [(), (b"POST /votes/pre",), tuple(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100)])
def test_a_head_that_does_not_come_ends_by_a_timeout(tmp_path: Path, parts: tuple[Any, ...]) -> None:
    dripping = [bytes([part]) if isinstance(part, int) else part for part in parts]

    async def work(port: int) -> None:
        answer = await said(port, *dripping, pause=0.05)
        assert answer.startswith(b"HTTP/1.1 408"), answer
        assert b'"reason": "too_slow"' in answer

    run(tmp_path, work)


def test_a_body_that_does_not_come_ends_by_a_timeout(tmp_path: Path) -> None:
    async def work(port: int) -> None:
        answer = await said(port, head(1000), *[b" "] * 500, pause=0.05)
        assert answer.startswith(b"HTTP/1.1 408"), answer

    run(tmp_path, work)


def test_a_second_request_that_stops_half_way_ends_too(tmp_path: Path) -> None:
    async def work(port: int) -> None:
        answer = await said(port, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET /hea", pause=0.2)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"HTTP/1.1 408" in answer

    run(tmp_path, work)


def test_one_connection_too_many_is_told_so(tmp_path: Path) -> None:
    async def work(port: int) -> None:
        held: list[Streams] = [await asyncio.open_connection("127.0.0.1", port) for _ in range(LIMITS.connections)]
        for _, writer in held:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        for reader, _ in held:
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        answer = await said(port)
        assert answer.startswith(b"HTTP/1.1 503"), answer
        assert b"too_many_connections" in answer
        for _, writer in held:
            writer.close()

    run(tmp_path, work)
