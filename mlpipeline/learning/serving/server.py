"""Runs the server: its socket, its signals, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType

import uvicorn

from mlpipeline.errors import MlpipelineError, UsageError
from mlpipeline.learning import serializers
from mlpipeline.learning.serving.access import Access
from mlpipeline.learning.serving.app import Application
from mlpipeline.learning.serving.catalog import Catalog
from mlpipeline.learning.serving.limits import Limits
from mlpipeline.learning.serving.lineup import Lineup
from mlpipeline.learning.serving.measures import Measures
from mlpipeline.learning.serving.protocol import limited
from mlpipeline.listening import bound, is_loopback, url_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a server is started.

    Attributes:
        address: on which it listens.
        port: 0 takes a free one.
        token: that requests have to bring; needed where others than this machine can reach the address.
        poll_seconds: how often it looks for newer models.
        is_strict: whether it ends where, at the start, a model has nothing saved that can be loaded.
        limits: what it takes on.
    """

    address: str = "127.0.0.1"
    port: int = 8321
    token: str | None = None
    poll_seconds: float = 5.0
    is_strict: bool = False
    limits: Limits = field(default_factory=Limits)


def serve(catalog: Catalog, options: Options, ready: Callable[[str, Lineup], None]) -> None:
    """Serves models until it is told to stop: by SIGTERM or SIGINT, a second one ends it at once; SIGHUP looks anew.

    Args:
        catalog: where saved models are found.
        options: how.
        ready: is called with the URL once requests are answered.

    Raises:
        UsageError: the address cannot be used, or has no token.
        MlpipelineError: there is no model to serve.
    """
    if not is_loopback(options.address) and not options.token:
        raise UsageError(
            f"others can reach {options.address}: give a token that requests have to bring, as MLPIPELINE_TOKEN in the "
            f"environment or with --token, or listen on 127.0.0.1"
        )
    with bound(options.address, options.port) as listener:
        # Predictions and requests take turns; the default of 5 ms is longer than either of them takes.
        sys.setswitchinterval(0.001)
        factory = uvicorn.Config("", log_config=None, access_log=False).get_loop_factory()
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(_serve(catalog, options, listener, ready))


async def _serve(
    catalog: Catalog, options: Options, listener: socket.socket, ready: Callable[[str, Lineup], None]
) -> None:
    measures = Measures()
    lineup = Lineup(catalog, serializers.load, options.limits, measures)
    faults = await lineup.renew()
    if not lineup.models or (options.is_strict and lineup.missing):
        why = "; ".join(faults) or "no run has left one: train, or fit by hand with mlpipeline fit"
        raise MlpipelineError(f"there is no model to serve: {why}")
    lineup.tell(faults)
    # What is there now stays: it need not be looked at whenever garbage is collected, which would hold up answers.
    gc.collect()
    gc.freeze()
    application = Application(lineup, Access(options.token), options.limits, measures)
    config = uvicorn.Config(
        application,
        http=limited(options.limits),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=round(options.limits.idle_seconds),
        timeout_graceful_shutdown=round(options.limits.stop_seconds),
    )
    server = _Server(config, lineup, lambda: ready(url_of(listener), lineup))
    watching = asyncio.create_task(lineup.watch(options.poll_seconds))
    try:
        await server.serve(sockets=[listener])
    finally:
        watching.cancel()
        lineup.stop()


class _Server(uvicorn.Server):
    """A server whose end by a signal is no failure."""

    def __init__(self, config: uvicorn.Config, lineup: Lineup, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._lineup, self._ready = lineup, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Says when requests are answered."""
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listens to signals meanwhile."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        former = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        loop.add_signal_handler(signal.SIGHUP, self._lineup.wake)
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
