"""The command that puts versions and runs side by side: compare."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from mlpipeline.cli.choosing import Choice, choose, choosing
from mlpipeline.cli.setup import Setup, draw, say, shared

if TYPE_CHECKING:
    from mlpipeline.observe.comparison import Comparison

_ROWS = 20
_NOTHING = "No run is recorded yet, so there is nothing to compare. See what would run: mlpipeline plan"


@click.command()
@choosing
@click.option("-n", "--limit", type=click.IntRange(min=0), metavar="N", help="How many rows; 0 for all. Default: 20.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV.")
@click.option("--markdown", "form", flag_value="markdown", help="Print a table of Markdown.")
@click.option("--wide", is_flag=True, help="All columns, also those that do not fit the terminal.")
@shared
@click.pass_obj
def compare(setup: Setup, /, limit: int | None, form: str | None, wide: bool, **choice: Any) -> None:
    """Compare versions: metrics, the parameters that differ, the best first.

    Without a name, all versions of the project. Several seeds of a version are one row, with mean and 95 % interval.
    The trials of a search are compared by its metric.

    \b
    mlpipeline compare digits.py
    mlpipeline compare digits.py:wide digits.py:deep --metric accuracy
    mlpipeline compare 20261121-0405 20261121-0406
    mlpipeline compare digits.py --study last --csv
    """
    from mlpipeline.observe import comparison_table

    found = choose(setup.project(), Choice(**choice)).compared()
    if setup.json:
        setup.emit(comparison_table.to_json(found))
    elif form == "csv":
        say(comparison_table.to_csv(found).rstrip("\n"))
    elif form == "markdown":
        say(comparison_table.to_markdown(found, limit or None).rstrip("\n"))
    elif found.rows:
        _tell(found, _ROWS if limit is None else limit, wide=wide)
    else:
        say("No run has these tags." if choice["tags"] else _NOTHING)


def _tell(found: Comparison, limit: int, *, wide: bool) -> None:
    import shutil

    from mlpipeline.observe import comparison_table

    # What is piped is for programs: they get all of it.
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() and not wide else None
    table, left_out = comparison_table.table(found, width, limit or None)
    if found.study is not None:
        say(f"Search {found.study.name} of {found.study.model}: by {found.study.metric}, {found.study.direction}.")
    draw(table)
    if left_out:
        say(f"Left out for want of space: {', '.join(left_out)} (--wide shows them).")
    if limit and len(found.rows) > limit:
        say(f"{len(found.rows) - limit} more rows: --limit 0 shows them.")
    for sentence in found.sentences:
        say(sentence)
