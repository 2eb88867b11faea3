"""Commands that write for other tools: `export workflow`."""

from __future__ import annotations

from pathlib import Path

import click

from mlpipeline.cli.setup import Setup, say, shared
from mlpipeline.cli.workflow_files import FILE

_TARGETS = ("prefect", "metaflow", "airflow", "dockerfile", "kubernetes")


@click.group()
@shared
def export() -> None:
    """Write what is here for other tools.

    \b
    mlpipeline export workflow prefect models/churn.yaml
    """


@export.command()
@click.argument("target", type=click.Choice(_TARGETS))
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Default: exports/NAME/TARGET/ of the project.",
)
@click.option("--set", "settings", multiple=True, metavar="PART.KEY=VALUE", help="Change a value; may be given again.")
@click.option("--version", metavar="NAME", help="Use the parameters of one of its versions.")
@click.option("--retries", default=2, show_default=True, help="How often a task that failed is run again.")
@click.option("--retry-seconds", default=10, show_default=True, help="How long it waits before that.")
@click.option("--schedule", metavar="CRON", help="When it runs by itself: '0 3 * * *', or @daily.")
@click.option("--image", metavar="NAME", help="The container image. Default: the workflow's name.")
@click.option("--force", is_flag=True, help="Replace files that say something else.")
@shared
@click.pass_obj
def workflow(
    setup: Setup,
    target: str,
    files: tuple[Path, ...],
    output: Path | None,
    settings: tuple[str, ...],
    version: str | None,
    retries: int,
    retry_seconds: int,
    schedule: str | None,
    image: str | None,
    force: bool,
) -> None:
    """Write files that run a workflow in another tool; several files lie over one another.

    Each step is a task there; a runner with code of its own is one. No secret is ever written: variables of the
    environment stay what they are.

    \b
    mlpipeline export workflow prefect models/churn.yaml
    mlpipeline export workflow kubernetes base.yaml prod.yaml --schedule '0 3 * * *' --image registry/churn:1
    """
    from mlpipeline.workflow import exports
    from mlpipeline.workflow.exports.options import Options

    paths = exports.export(
        target,
        files,
        output=output,
        settings=settings,
        version=version,
        options=Options(retries=retries, retry_seconds=retry_seconds, schedule=schedule, image=image),
        root=Path(setup.project_dir) if setup.project_dir else None,
        overwrite=force,
    )
    if setup.json:
        setup.emit({"format": 1, "files": [str(path) for path in paths]})
    else:
        for path in paths:
            say(str(path))
