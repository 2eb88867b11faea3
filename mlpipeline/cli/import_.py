"""The command that brings in runs of other tools: import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlpipeline.cli.setup import Setup, say, shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlpipeline.observe.exchange.importing import Report
    from mlpipeline.observe.exchange.portable import Portable
    from mlpipeline.observe.exchange.staging import Standin
    from mlpipeline.project import Project

_READERS = {
    "jsonl": "json_lines",
    "mlflow": "mlflow_runs",
    "guild": "guild",
    "sacred": "sacred",
    "ml-pipeline": "ml_pipeline",
}


@click.command(name="import")
@click.argument("tool", metavar="TOOL", type=click.Choice(list(_READERS)))
@click.argument("place", metavar="PLACE")
@click.option("--model", metavar="NAME", help="Import all of them as runs of this model.")
@click.option(
    "--done", is_flag=True, help="Runs that succeeded count as done for the queue, as what is trained here does."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be imported.")
@shared
@click.pass_obj
def import_(setup: Setup, tool: str, place: str, model: str | None, done: bool, dry_run: bool) -> None:
    """Bring in the runs that TOOL has at PLACE; a second time, only what is new.

    They stand in history, show and compare as imported. They are nothing to the queue, unless you say --done: then each
    that succeeded counts for the version of its name, with today's code and parameters.

    \b
    mlpipeline import jsonl runs.jsonl                   what export runs jsonl wrote
    mlpipeline import mlflow http://127.0.0.1:5000       or a database: mlruns.db
    mlpipeline import guild ~/.guild                     GUILD_HOME
    mlpipeline import sacred runs                        of FileStorageObserver
    mlpipeline import ml-pipeline models/outputs --done
    """
    from dataclasses import replace
    from importlib import import_module

    from mlpipeline.observe.exchange import importing
    from mlpipeline.observe.exchange.portable import safe

    project = setup.project()
    complaints: list[str] = []
    runs = import_module(f"mlpipeline.observe.exchange.{_READERS[tool]}").runs(place, complaints.append)
    if model:
        runs = (replace(run, model=safe(model)) for run in runs)
    standins = None
    if done:
        runs = list(runs)
        standins = _standins(project, runs)
    report = importing.bring_in(project, runs, done=standins, dry=dry_run)
    for complaint in complaints:
        click.echo(f"mlpipeline: warning: {complaint}", err=True)
    if setup.json:
        setup.emit({"format": 1, "new": report.new, "known": report.known, "open": report.open,
                    "waiting": report.waiting, "done": report.done, "left_out": complaints})  # fmt: skip
        return
    for line in _sentences(report, dry=dry_run, done=done):
        say(line)


def _sentences(report: Report, *, dry: bool, done: bool) -> list[str]:
    from mlpipeline.observe.text import many

    new = len(report.new)
    lines = [
        f"{many(new, 'run')} {'would be ' if dry else ''}imported"
        + (f", {report.known} known." if report.known else ".")
    ]
    if report.open:
        lines.append(f"{report.open} have not ended there, and were left out: import again when they have.")
    if report.waiting:
        lines.append(f"{report.waiting} are recorded by the scheduler when it looks next.")
    if done:
        lines.append(f"{report.done} count as done; the others failed, or there is no version of their name.")
    if new and not dry:
        lines.append("See them: mlpipeline history, mlpipeline compare")
    return lines


def _standins(project: Project, runs: Sequence[Portable]) -> dict[tuple[str, str], Standin]:
    """Describes the models that the runs are of, and returns their versions."""
    from mlpipeline.observe.exchange.staging import Standin
    from mlpipeline.queue import wishes
    from mlpipeline.queue.by_hand import target

    found = {}
    for model in dict.fromkeys(run.model for run in runs):
        if not (project.models_dir / model).is_file():
            continue
        described = target(project, model)
        name = described.description.model
        for each in wishes.wanted(described.selection, {name: described.description}, testing=True):
            found[model, each.version] = Standin(
                params=each.params,
                params_digest=each.key.params_digest,
                sources=described.description.sources,
                code_digest=each.key.code_digest,
                seed=each.seed,
            )
    return found
