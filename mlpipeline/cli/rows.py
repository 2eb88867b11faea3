"""Commands that make rows: `seed` loads local files into a connector, `datagen` makes rows that look like others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli import workflow_files
from mlpipeline.cli.setup import Setup, draw, say, shared

if TYPE_CHECKING:
    import pandas as pd

_SHOWN_ROWS = 5

_files = click.option(
    "--config-file",
    "files",
    multiple=True,
    type=workflow_files.FILE,
    help="A workflow file; may be given again: each lies over those before it.",
)
_settings = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a value; may be given again."
)


@click.group()
@shared
def seed() -> None:
    """Load local files into a connector.

    \b
    mlpipeline seed file data/train.csv train -c DuckDBDataConnector --set duckdb_path=data.duckdb
    """


@seed.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
@click.argument("target")
@click.option("-c", "--connector", default="LocalDataConnector", show_default=True, metavar="CLASS", help="Where to.")
@_files
@_settings
@shared
@click.pass_obj
def file(
    setup: Setup, source: str, target: str, connector: str, files: tuple[Path, ...], settings: tuple[str, ...]
) -> None:
    """Load the rows of SOURCE (CSV, TSV, JSON, JSON lines, Parquet, ORC) into TARGET, a table or file of the connector.

    The configuration of the connector is what --config-file has under `config`, or under its name where the file
    declares it, and what --set says. Rows are added to a table that is there already.

    \b
    mlpipeline seed file train.csv train -c DuckDBDataConnector --set duckdb_path=data.duckdb
    mlpipeline seed file train.csv public.train -c PostgresDataConnector --config-file dev.yaml
    """
    from mlpipeline.data import table_files
    from mlpipeline.workflow.types.data import DataConnector

    made = component(setup, connector, DataConnector, files, settings)
    rows = table_files.read(source)
    place = made.save_data(rows, target)
    if setup.json:
        setup.emit({"format": 1, "rows": len(rows), "columns": list(map(str, rows.columns)), "place": place})
        return
    say(f"{len(rows)} rows with {rows.shape[1]} columns: {place}")


@click.group()
@shared
def datagen() -> None:
    """Make synthetic rows that look like those of a file.

    \b
    mlpipeline datagen create data/train.csv -n 1000 --evaluate
    """


@datagen.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
@click.option("-n", "--rows", type=click.IntRange(min=1), metavar="ROWS", help="How many. Default: as the file has.")
@click.option("-o", "--output", metavar="PATH", help="The file to write. Default: SOURCE with _synthetic in its name.")
@click.option(
    "--synthesizer-class",
    "synthesizer",
    default="LocalDataSynthesizer",
    show_default=True,
    metavar="CLASS",
    help="What makes them.",
)
@click.option("--evaluate", is_flag=True, help="Say how alike they are, column by column.")
@_files
@_settings
@shared
@click.pass_obj
def create(
    setup: Setup,
    source: str,
    rows: int | None,
    output: str | None,
    synthesizer: str,
    evaluate: bool,
    files: tuple[Path, ...],
    settings: tuple[str, ...],
) -> None:
    """Make rows that look like those of SOURCE, which nobody has lived. This is no proof of privacy.

    \b
    mlpipeline datagen create data/train.csv
    mlpipeline datagen create data/train.parquet -n 10000 -o data/more.csv --evaluate --set seed=1
    """
    from mlpipeline.data import table_files
    from mlpipeline.workflow.types.data import DataSynthesizer

    target = output or _beside(source)
    table_files.kind_of(target)
    made = component(setup, synthesizer, DataSynthesizer, files, settings)
    real = table_files.read(source)
    synthetic = made.fit(real).sample(len(real) if rows is None else rows)
    place = table_files.write(synthetic, target)
    report = made.evaluate(real, synthetic) if evaluate else None
    if setup.json:
        setup.emit({"format": 1, "rows": len(synthetic), "place": place, "report": _told(report)})
        return
    _show(synthetic)
    say(f"{len(synthetic)} rows: {place}")
    if report is not None:
        _draw(report)


def component(setup: Setup, name: str, basis: Any, files: tuple[Path, ...], settings: tuple[str, ...]) -> Any:
    """Makes one component, with the values that files and --set have for it."""
    from mlpipeline.workflow import alone
    from mlpipeline.workflow.sources import Sources

    sources = Sources(Path(setup.project_dir)) if setup.project_dir else None
    return alone.component(name, basis, files, settings=settings, sources=sources)


def _beside(source: str) -> str:
    path = Path(source)
    stem, dot, endings = path.name.partition(".")
    return str(path.with_name(f"{stem}_synthetic{dot}{endings}"))


def _show(frame: pd.DataFrame) -> None:
    from mlpipeline.cli import extract

    extract.show(frame.head(_SHOWN_ROWS))


def _told(report: Any) -> Any:
    if report is None:
        return None
    keys = ("name", "status", "value", "message")
    return {
        "status": report.status,
        "findings": [{key: getattr(each, key) for key in keys} for each in report.findings],
    }


def _draw(report: Any) -> None:
    from mlpipeline.observe.table import Table

    rows = tuple((each.name, each.status, str(each.value), each.message) for each in report.findings)
    draw(Table(columns=("of", "is", "value", "that means"), rows=rows))
