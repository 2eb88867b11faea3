"""HTTP as uvicorn speaks it, with limits for those who connect and say nothing, too much, or too slowly."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mlpipeline.learning.serving.limits import Limits
from mlpipeline.learning.serving.refusal import Refusal


class LimitedProtocol(HttpToolsProtocol):
    """One connection.

    uvicorn ends connections that are idle between two requests, and waits for ever for the head of a request; this does
    not.

    Attributes:
        limits: of the server; set on a class derived from this one, see `limited`.
    """

    limits = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins to wait for the first request; one connection too many is closed."""
        super().connection_made(transport)  # type: ignore[arg-type]
        if len(self.connections) > self.limits.connections:
            self._refuse(Refusal(503, "too_many_connections", "too many connections: ask again later"))
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what comes before a head is complete."""
        if self._head_timer is None and self._is_between():
            self._await_head()
        if self._head_timer is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_timer is not None and self._head_bytes > self.limits.header_bytes:
            self._refuse(Refusal(431, "head_too_large", f"the head has more than {self.limits.header_bytes:,} bytes"))

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._stop_waiting()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP in the shape of all errors."""
        self._refuse(Refusal(400, "not_http", msg))

    def _is_between(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(self.limits.header_seconds, self._end_waiting)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_waiting(self) -> None:
        self._head_timer = None
        self._refuse(Refusal(408, "too_slow", f"no request within {self.limits.header_seconds:g} s"))

    def _refuse(self, refusal: Refusal) -> None:
        self._stop_waiting()
        if self.transport.is_closing():
            return
        body = refusal.body()
        head = (
            f"HTTP/1.1 {refusal.status} \r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def limited(limits: Limits) -> type[LimitedProtocol]:
    """Returns the protocol with limits of a server."""
    return type("LimitedProtocol", (LimitedProtocol,), {"limits": limits})
