"""The command that shows the queue in a browser."""

from __future__ import annotations

import sys

import click

from mlpipeline.cli.setup import Setup, say, shared


@click.command()
@click.option("--address", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where it listens.")
@click.option("--port", default=8320, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option("--public", is_flag=True, help="Others than this machine may reach it. Nothing is encrypted.")
@click.option("--read-only", is_flag=True, help="Pages only show: nothing can be cancelled, held or moved.")
@click.option(
    "--token",
    envvar="MLPIPELINE_TOKEN",
    metavar="TOKEN",
    help="With it programs may look (/metrics); better MLPIPELINE_TOKEN in the environment, which no `ps` shows.",
)
@shared
@click.pass_obj
def dashboard(setup: Setup, address: str, port: int, public: bool, read_only: bool, token: str | None) -> None:
    """Show the queue in a browser: live, with curves, logs and comparisons, and buttons for what can be asked.

    It prints a link that works once, for one browser; kill -HUP prints another one. It works without a scheduler,
    and ending it ends no run.

    \b
    mlpipeline dashboard
    mlpipeline dashboard --read-only --port 8000
    """
    from mlpipeline.cli.serve import set_up_log
    from mlpipeline.errors import require

    for module in ("starlette", "uvicorn", "jinja2", "prometheus_client"):
        require(module, extra="dashboard")
    from mlpipeline.dashboard import server

    options = server.Options(address=address, port=port, is_public=public, is_read_only=read_only, bearer=token or None)
    set_up_log(access_log=False)

    def ready(link: str) -> None:
        if setup.json:
            setup.emit({"format": 1, "link": link})
        else:
            say(f"The dashboard is open at {link} (the link works once; Ctrl-C ends the dashboard, and no run)")
        sys.stdout.flush()

    server.serve(setup.project(), options, ready)
