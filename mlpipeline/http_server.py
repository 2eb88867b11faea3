"""An HTTP server that says when it answers, whose end by a signal is no failure, and that SIGHUP asks for something."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import uvicorn


def config(application: Any, **options: Any) -> uvicorn.Config:
    """Returns how an application is served: what it says and logs is its own matter, and no proxy is believed.

    Args:
        application: by ASGI.
        options: of uvicorn.
    """
    return uvicorn.Config(
        application,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        **options,
    )


class Server(uvicorn.Server):
    """Serves until SIGTERM or SIGINT, a second one ends it at once.

    Args:
        config: what is served, and how.
        ready: is called once requests are answered.
        hang_up: is called on SIGHUP.
        leave: is called when the end begins: streams that go on for ever would be waited for.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        ready: Callable[[], None],
        hang_up: Callable[[], None],
        leave: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._ready, self._hang_up, self._leave = ready, hang_up, leave

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Says when requests are answered."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets the application leave first."""
        self._leave()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listens to signals meanwhile."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        former = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            for number, action in former.items():
                signal.signal(number, action)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begins the end; the second time it is now."""
        if self.should_exit:
            os._exit(128 + sig)
        self.should_exit = True
