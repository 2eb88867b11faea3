"""The command that answers predictions over HTTP."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import click

from mlpipeline.cli.setup import Setup, say, shared

if TYPE_CHECKING:
    from mlpipeline.learning.serving.lineup import Lineup


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--address", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where it listens.")
@click.option("--port", default=8321, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option(
    "--token",
    envvar="MLPIPELINE_TOKEN",
    metavar="TOKEN",
    help="What requests have to bring; better MLPIPELINE_TOKEN in the environment, which no `ps` shows.",
)
@click.option(
    "--choose",
    default="best",
    show_default=True,
    metavar="WHICH",
    help="Which saved model: best, latest, or a run's id.",
)
@click.option(
    "--poll", default=5.0, show_default=True, metavar="SECONDS", type=click.FloatRange(min=0.05),
    help="How often it looks for newer models.",
)  # fmt: skip
@click.option("--access-log", is_flag=True, help="Write a line of JSON for each request to stderr.")
@shared
@click.pass_obj
def serve(
    setup: Setup,
    models: tuple[str, ...],
    address: str,
    port: int,
    token: str | None,
    choose: str,
    poll: float,
    access_log: bool,
) -> None:
    """Answer predictions of saved models over HTTP, with a page to try them.

    A MODEL is one of the project, by default all that have been saved; or NAME=PLACE, with the directory or URL of a
    saved model. A better one takes the place of the one that answers as soon as it has been saved.

    \b
    mlpipeline serve
    mlpipeline serve subscribers --choose latest --port 8000
    mlpipeline serve churn=s3://bucket/churn
    """
    import os

    from mlpipeline.errors import require

    # Before any library is loaded that reads it: threads that share out a few rows wait for one another longer than
    # one of them takes, by a factor of a hundred where the machine is busy.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for module in ("starlette", "uvicorn", "httptools", "prometheus_client", "jinja2"):
        require(module, extra="serve")
    from mlpipeline.learning.serving import catalog, server

    names, places = catalog.parse(models)
    options = server.Options(address=address, port=port, token=token or None, poll_seconds=poll, is_strict=bool(models))
    set_up_log(access_log)

    def ready(url: str, lineup: Lineup) -> None:
        answering = {served.name: {"run": served.run, "place": served.saved.place} for served in lineup.models}
        if setup.json:
            setup.emit({"format": 1, "url": url, "models": answering})
        else:
            say(f"Serving {', '.join(answering)} on {url} (Ctrl-C ends it)")
        sys.stdout.flush()

    server.serve(catalog.Catalog(setup.project(), names, choose, places), options, ready)


def set_up_log(access_log: bool) -> None:
    """Has messages, and where wanted a line for each request, written to stderr."""
    to_stderr = logging.StreamHandler()
    to_stderr.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.getLogger("mlpipeline")
    log.setLevel(logging.INFO)
    log.addHandler(to_stderr)
    errors = logging.getLogger("uvicorn.error")
    errors.setLevel(logging.ERROR)
    errors.addHandler(to_stderr)
    lines = logging.getLogger("mlpipeline.access")
    lines.propagate = False
    lines.setLevel(logging.INFO if access_log else logging.CRITICAL)
    lines.addHandler(logging.StreamHandler())
