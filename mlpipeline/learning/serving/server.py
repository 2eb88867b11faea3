"""Runs the server: its socket, the models that are there at the start, and its end."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import uvicorn

from mlpipeline import http_server
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
    config = http_server.config(
        application,
        http=limited(options.limits),
        timeout_keep_alive=round(options.limits.idle_seconds),
        timeout_graceful_shutdown=round(options.limits.stop_seconds),
    )
    server = http_server.Server(config, ready=lambda: ready(url_of(listener), lineup), hang_up=lineup.wake)
    watching = asyncio.create_task(lineup.watch(options.poll_seconds))
    try:
        await server.serve(sockets=[listener])
    finally:
        watching.cancel()
        lineup.stop()
