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
@click.option("--link", "is_link", is_flag=True, help="Print another link to the dashboard that runs.")
@click.option("--beside", is_flag=True, hidden=True)
@shared
@click.pass_obj
def dashboard(
    setup: Setup,
    address: str,
    port: int,
    public: bool,
    read_only: bool,
    token: str | None,
    is_link: bool,
    beside: bool,
) -> None:
    """Show the queue in a browser: live, with curves, logs and comparisons, and buttons for what can be asked.

    It prints a link that works once, for one browser; --link prints another one. It works without a scheduler, and
    ending it ends no run. With [DASHBOARD] port = 8320 in mlp.config one runs beside each scheduler.

    \b
    mlpipeline dashboard
    mlpipeline dashboard --read-only --port 8000
    mlpipeline dashboard --link
    """
    from mlpipeline.cli.serve import set_up_log
    from mlpipeline.errors import require
    from mlpipeline.queue.companion import Registration, new_link

    project = setup.project()
    if is_link:
        _tell(setup, new_link(project))
        return
    for module in ("starlette", "uvicorn", "jinja2", "prometheus_client"):
        require(module, extra="dashboard")
    from mlpipeline.dashboard import server

    options = server.Options(address=address, port=port, is_public=public, is_read_only=read_only, bearer=token or None)
    registration = Registration(project)
    if not registration.take() and beside:
        say("A dashboard of this project runs already.")
        return
    set_up_log(access_log=False)

    def ready(link: str) -> None:
        registration.tell(link, is_beside=beside)
        _tell(setup, link)

    try:
        server.serve(project, options, ready)
    finally:
        registration.release()


def _tell(setup: Setup, link: str) -> None:
    if setup.json:
        setup.emit({"format": 1, "link": link})
    else:
        say(f"The dashboard is open at {link} (the link works once; ending the dashboard ends no run)")
    sys.stdout.flush()
