"""Asks a server over HTTP: one request after another, from many connections, or at a steady rate."""

from __future__ import annotations

import asyncio
import time
from collections import deque


class _Connection(asyncio.Protocol):
    """A connection that stays; it reads answers whose length is stated."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.answer: asyncio.Future[bytes] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0 or self.answer is None:
            return
        head = bytes(self.buffer[:end]).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(self.buffer) < end + 4 + length:
            return
        status, body = head[9:12], bytes(self.buffer[end + 4 :])
        self.buffer.clear()
        answer, self.answer = self.answer, None
        if status == b"200":
            answer.set_result(body)
        else:
            answer.set_exception(RuntimeError(f"it answered {status.decode()}: {body[:200]!r}"))

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(RuntimeError("the server closed the connection"))

    async def ask(self, request: bytes) -> bytes:
        """Returns the body of an answer."""
        assert self.transport is not None
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answer


class Load:
    """Asks for one thing, again and again.

    Args:
        port: on loopback.
        path: what is asked.
        body: JSON.
    """

    def __init__(self, port: int, path: str, body: bytes) -> None:
        self._port = port
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self._request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def one_by_one(self, count: int) -> list[float]:
        """Returns the milliseconds of each of so many requests of one connection."""

        async def ask() -> list[float]:
            connection = await self._connected()
            return [await self._timed(connection, time.perf_counter()) for _ in range(count)]

        return asyncio.run(ask())

    def together(self, connections: int, count: int) -> float:
        """Returns the milliseconds that a request takes up, where so many connections ask at a time."""

        async def ask() -> float:
            made = [await self._connected() for _ in range(connections)]
            remaining = count

            async def go_on(connection: _Connection) -> None:
                nonlocal remaining
                while remaining > 0:
                    remaining -= 1
                    await connection.ask(self._request)

            begun = time.perf_counter()
            await asyncio.gather(*map(go_on, made))
            return (time.perf_counter() - begun) * 1000 / count

        return asyncio.run(ask())

    def steadily(self, per_second: int, count: int) -> list[float]:
        """Returns the milliseconds of each request, from when it was due: a server that is late cannot slow them."""

        async def ask() -> list[float]:
            free: deque[_Connection] = deque()
            found: list[float] = []

            async def one(due: float) -> None:
                connection = free.popleft() if free else await self._connected()
                found.append(await self._timed(connection, due))
                free.append(connection)

            begun, tasks = time.perf_counter(), []
            for number in range(count):
                due = begun + number / per_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                tasks.append(asyncio.create_task(one(due)))
            await asyncio.gather(*tasks)
            return found

        return asyncio.run(ask())

    async def _connected(self) -> _Connection:
        _, connection = await asyncio.get_running_loop().create_connection(_Connection, "127.0.0.1", self._port)
        return connection

    async def _timed(self, connection: _Connection, since: float) -> float:
        await connection.ask(self._request)
        return (time.perf_counter() - since) * 1000
