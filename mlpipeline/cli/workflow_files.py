"""Commands that look at workflow files: validate, show-config."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.setup import Setup, draw, say, shared

if TYPE_CHECKING:
    from mlpipeline.workflow.document import Document
    from mlpipeline.workflow.planned import Plan
    from mlpipeline.workflow.runner import Runner

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--set", "settings", multiple=True, metavar="PART.KEY=VALUE", help="Change a value; may be given again.")
@shared
@click.pass_obj
def validate(setup: Setup, files: tuple[Path, ...], settings: tuple[str, ...]) -> None:
    """Check a workflow file with all its versions; several files lie over one another. Nothing is built or run.

    \b
    mlpipeline validate models/churn.yaml
    mlpipeline validate base.yaml dev.yaml --set train.epochs=3
    """
    from mlpipeline.errors import ConfigurationError
    from mlpipeline.observe import text
    from mlpipeline.workflow import runner as runners

    try:
        found = runners.load(document(setup, files, settings), lazy=True)
        found.verify_versions()
        _check_that_it_runs(found)
    except ConfigurationError as error:
        if not setup.json:
            raise
        faults = [
            {"file": each.file, "line": each.line, "column": each.column, "message": each.message}
            for each in error.faults
        ]
        setup.emit({"format": 1, "good": False, "faults": faults})
        raise click.exceptions.Exit(error.exit_status) from error
    parts = list(found.plan.root.walk())
    if setup.json:
        setup.emit(
            {"format": 1, "good": True, "faults": [], "parts": len(parts), "versions": list(found.versions.versions)}
        )
        return
    counts = f"{text.many(len(parts), 'part')}, {text.many(len(found.versions), 'version')}"
    say(f"{type(found).__name__}: {counts}, no fault.")


def _check_that_it_runs(runner: Runner) -> None:
    """Raises ConfigurationError where there is neither a class of the user's own nor any part: nothing would run."""
    from mlpipeline.config_text import Fault
    from mlpipeline.errors import ConfigurationError
    from mlpipeline.workflow.runner import Runner as Plain

    if type(runner) is Plain and not runner.plan.root.children and runner.plan.root.steps is None:
        message = "names nothing to run: name a runner under `runner:`, or pipelines under `pipeline:`"
        raise ConfigurationError(faults=[Fault(runner.document.files[0], 1, message)])


@click.command("show-config")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--origins", is_flag=True, help="Say where each value comes from.")
@click.option("--set", "settings", multiple=True, metavar="PART.KEY=VALUE", help="Change a value; may be given again.")
@click.option("--version", metavar="NAME", help="Use the parameters of one of its versions.")
@shared
@click.pass_obj
def show_config(
    setup: Setup, files: tuple[Path, ...], origins: bool, settings: tuple[str, ...], version: str | None
) -> None:
    """Show every part of a workflow with the values that it will have. Secrets are shown as stars.

    \b
    mlpipeline show-config dev.yaml --origins
    mlpipeline show-config base.yaml dev.yaml --version deep
    """
    from mlpipeline.observe.table import Table
    from mlpipeline.workflow import runner as runners

    found = runners.load(document(setup, files, settings), version=version, lazy=True)
    rows = list(_values(found.plan))
    if setup.json:
        keys = ("address", "value", "origin")
        setup.emit({"format": 1, "values": [dict(zip(keys, row, strict=True)) for row in rows]})
        return
    columns = ("value of", "is", "from") if origins else ("value of", "is")
    shown = tuple((address, str(value), *([origin] if origins else [])) for address, value, origin in rows)
    draw(Table(columns=columns, rows=shown))


def _values(plan: Plan) -> Iterator[tuple[str, Any, str]]:
    for part in plan.root.walk():
        address = ".".join(part.address)
        if part.kind is not None:
            yield address or part.level.name, part.kind.__name__, part.origin or str(part.place)
        for key, found in part.values.items():
            for path, value, origin in found.leaves():
                yield ".".join((*part.address, key, *path)), value, origin


def document(setup: Setup, files: tuple[Path, ...], settings: tuple[str, ...], runner: str | None = None) -> Document:
    """Reads files that lie over one another, with the runner's class on top where it is named."""
    from mlpipeline.workflow import document as documents
    from mlpipeline.workflow.sources import Sources

    sources = Sources(Path(setup.project_dir)) if setup.project_dir else None
    layers: list[Any] = [*files, *([{"runner": runner}] if runner not in (None, "Runner") else [])]
    if sources is None and not files:
        sources = Sources.beside(None)
    return documents.load(layers, settings=settings, sources=sources)
