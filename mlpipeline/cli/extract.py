"""The command that shows what an extract gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.setup import Setup, draw, say, shared

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@click.argument("name")
@click.option("--limit", default=5, show_default=True, metavar="N", type=click.IntRange(min=1), help="How many rows.")
@click.option("--connection", default="main", show_default=True, metavar="NAME", help="Of config/database.cfg.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A parameter; may be given again.")
@shared
@click.pass_obj
def extract(setup: Setup, name: str, limit: int, connection: str, settings: tuple[str, ...]) -> None:
    """Run an extract, and show its first rows.

    Values are read as JSON where they are JSON (--set 'ids=[1, 2]' is a list), else as text. A parameter :limit that is
    not set is --limit.

    \b
    mlpipeline extract subscribers
    mlpipeline extract subscribers --limit 20 --connection main --set since=2026-01-01
    """
    made, values = connected(setup, connection), values_of(settings)
    frame = first_rows(made, name, limit, values)
    if setup.json:
        import json

        rows = json.loads(frame.to_json(orient="records", date_format="iso"))
        columns = {str(column): str(dtype) for column, dtype in frame.dtypes.items()}
        setup.emit({"format": 1, "extract": name, "columns": columns, "rows": rows})
        return
    show(frame)


def first_rows(connection: Any, name: str, limit: int, values: dict[str, Any]) -> pd.DataFrame:
    """Returns the first rows of an extract; no more than these are fetched."""
    from mlpipeline.errors import DataFault

    if "limit" not in values:
        try:
            connection.query(extract=name, limit=limit, **values)
            values = {**values, "limit": limit}
        except DataFault:  # it takes no limit, or something else is wrong, which is said below
            pass
    parts = connection.dataframe(extract=name, chunksize=limit, **values)
    found: pd.DataFrame = next(iter(parts))
    parts.close()
    return found.head(limit)


def show(frame: pd.DataFrame) -> None:
    """Prints rows under the names of columns, and then their types."""
    from mlpipeline.observe.table import Table

    if not len(frame.columns):
        say("The extract gives no rows: it is no query.")
        return
    missing = frame.isna()
    rows = tuple(
        tuple("-" if missing.iat[row, place] else str(frame.iat[row, place]) for place in range(frame.shape[1]))
        for row in range(len(frame))
    )
    draw(Table(columns=tuple(map(str, frame.columns)), rows=rows))
    types = ", ".join(f"{name} {dtype}" for name, dtype in frame.dtypes.items())
    say(f"{len(frame)} rows shown; {types}")


def connected(setup: Setup, name: str) -> Any:
    """Returns one of the project's connections."""
    from mlpipeline.data.named import Connections

    return Connections(setup.project().root)[name]


def values_of(settings: tuple[str, ...]) -> dict[str, Any]:
    """Reads parameters as a person types them.

    Raises:
        UsageError: when one has no `=`.
    """
    import json

    from mlpipeline.errors import UsageError

    values: dict[str, Any] = {}
    for each in settings:
        key, equals, text = each.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"--set {each}: write --set name=value")
        try:
            values[key] = json.loads(text)
        except ValueError:
            values[key] = text
    return values
