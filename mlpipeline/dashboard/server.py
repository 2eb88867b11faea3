"""Runs the server of the dashboard: its socket, who may reach it, and its end."""

from __future__ import annotations

import asyncio
import platform
import socket
from collections.abc import Callable
from dataclasses import dataclass

from mlpipeline import http_server
from mlpipeline.dashboard.access import Access
from mlpipeline.dashboard.app import Application
from mlpipeline.dashboard.live import INTERVAL_SECONDS, Live
from mlpipeline.dashboard.machine import Machine
from mlpipeline.dashboard.sessions import key_of
from mlpipeline.errors import UsageError
from mlpipeline.listening import bound, is_loopback, url_of
from mlpipeline.project import Project

PORT = 8320
_STOP_SECONDS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a dashboard is started.

    Attributes:
        address: on which it listens.
        port: 0 takes a free one.
        is_public: others than this machine may reach it.
        is_read_only: nothing may be asked.
        bearer: what programs may send to look, instead of a session.
        interval_seconds: how often open pages are made anew.
    """

    address: str = "127.0.0.1"
    port: int = PORT
    is_public: bool = False
    is_read_only: bool = False
    bearer: str | None = None
    interval_seconds: float = INTERVAL_SECONDS


def serve(project: Project, options: Options, ready: Callable[[str], None]) -> None:
    """Serves a project's pages until it is told to stop: by SIGTERM or SIGINT, a second one ends it at once.

    Args:
        project: what is shown.
        options: how.
        ready: is called with a link for one browser once requests are answered, and with another one on SIGHUP.

    Raises:
        UsageError: the address cannot be used, or others can reach it and nobody said that they may.
    """
    if not is_loopback(options.address) and not options.is_public:
        raise UsageError(
            f"others can reach {options.address}, and what is sent there is not encrypted: say --public if that is "
            f"meant, or listen on 127.0.0.1 and come by ssh -L {options.port}:127.0.0.1:{options.port} HOST"
        )
    with bound(options.address, options.port) as listener:
        asyncio.run(_serve(project, options, listener, ready))


async def _serve(project: Project, options: Options, listener: socket.socket, ready: Callable[[str], None]) -> None:
    names = frozenset({platform.node().lower(), options.address}) if options.is_public else frozenset()
    access = Access(
        port=listener.getsockname()[1],
        names=names,
        bearer=options.bearer,
        is_read_only=options.is_read_only,
        key=key_of(project.dashboard_path.with_suffix(".key")),
    )
    live, machine = Live(options.interval_seconds), Machine()
    application = Application(project, access, live, machine)

    def link() -> None:
        ready(f"{url_of(listener)}/#token={access.new_link()}")

    config = http_server.config(application, timeout_graceful_shutdown=_STOP_SECONDS)
    server = http_server.Server(config, ready=link, hang_up=link, leave=live.stop)
    watching = asyncio.create_task(machine.watch())
    try:
        await server.serve(sockets=[listener])
    finally:
        watching.cancel()
        live.stop()
