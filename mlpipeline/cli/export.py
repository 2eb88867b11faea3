"""Commands that write for other tools: `export workflow`, `export runs`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpipeline.cli.queue import complete_model
from mlpipeline.cli.setup import Setup, say, shared
from mlpipeline.cli.workflow_files import FILE

if TYPE_CHECKING:
    from mlpipeline.project import Project

_TARGETS = ("prefect", "metaflow", "airflow", "dockerfile", "kubernetes")


@click.group()
@shared
def export() -> None:
    """Write what is here for other tools.

    \b
    mlpipeline export workflow prefect models/churn.yaml
    mlpipeline export runs csv -o runs.csv
    """


_FORMS = ("jsonl", "csv", "tensorboard", "mlflow")


@export.command()
@click.argument("form", metavar="FORMAT", type=click.Choice(_FORMS))
@click.argument("what", metavar="[MODEL[:VERSION]|RUN]...", nargs=-1, shell_complete=complete_model)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only runs that have it; may be given again.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A file; for tensorboard a directory. Default: the terminal; exports/tensorboard of the project.",
)
@click.option(
    "--uri", metavar="URI", help="Of MLflow's server or database. Default: [TRACKING] mlflow, MLFLOW_TRACKING_URI."
)
@click.option(
    "--experiment", metavar="NAME", help="Of MLflow. Default: [TRACKING] mlflow_experiment, the project's name."
)
@shared
@click.pass_obj
def runs(
    setup: Setup,
    form: str,
    what: tuple[str, ...],
    tags: tuple[str, ...],
    output: Path | None,
    uri: str | None,
    experiment: str | None,
) -> None:
    """Write runs as FORMAT: jsonl, csv, tensorboard or mlflow; those of the named models, or all.

    A file or directory appears whole, or not at all. In MLflow each run is once, however often it is sent.

    \b
    mlpipeline export runs jsonl > runs.jsonl
    mlpipeline export runs csv digits.py --tag paper -o paper.csv
    mlpipeline export runs mlflow --uri sqlite:///mlflow.db
    """
    import sys

    from mlpipeline.cli.choosing import Choice, choose
    from mlpipeline.observe.exchange import exporting

    project = setup.project()
    found = [group[0] for group in choose(project, Choice(what=what, each_run=True, tags=tags)).groups]
    found = sorted(found, key=lambda run: (run.created_at, run.id))
    travellers = exporting.Travellers(project, found, curves=form != "csv")
    if form == "mlflow":
        where, called = _mlflow(project, uri, experiment)
        count, place = exporting.mlflow(travellers, where, called), f"experiment {called} of MLflow"
    elif form == "tensorboard":
        directory = output or project.root / "exports" / "tensorboard"
        count, place = exporting.event_directories(travellers, directory), str(directory)
    else:
        write = exporting.json_lines if form == "jsonl" else exporting.table
        if output is None:
            count, place = exporting.to_stream(sys.stdout, lambda file: write(travellers, file)), ""
        else:
            count, place = exporting.to_file(output, lambda file: write(travellers, file)), str(output)
    _tell_runs(setup, count, place, travellers.bare)


def _mlflow(project: Project, uri: str | None, experiment: str | None) -> tuple[str, str]:
    import os

    from mlpipeline.errors import UsageError
    from mlpipeline.tracking import read

    settings = read(project)
    where = uri or settings.mlflow or os.environ.get("MLFLOW_TRACKING_URI")
    if not where:
        raise UsageError("which MLflow? Name it: --uri sqlite:///mlflow.db, or [TRACKING] mlflow in mlp.config")
    return where, experiment or settings.experiment


def _tell_runs(setup: Setup, count: int, place: str, bare: int) -> None:
    if bare:
        gone = f"{bare} run directories are gone: of these only what the ledger has was written"
        click.echo(f"mlpipeline: warning: {gone}", err=True)
    if place and setup.json:
        setup.emit({"format": 1, "runs": count, "place": place, "bare": bare})
    elif place:
        say(f"{count} runs: {place}")


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
@click.option("--retry-seconds", default=10, show_default=True, help="How long it waits before that, in seconds.")
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
