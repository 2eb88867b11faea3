"""The command that tells what differs between two runs: diff."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from mlpipeline.cli.setup import Setup, find_run, say, shared

if TYPE_CHECKING:
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe.difference import Side
    from mlpipeline.project import Project


@click.command()
@click.argument("one", metavar="RUN")
@click.argument("other", metavar="RUN")
@click.option("--code", "with_code", is_flag=True, help="Also the lines of code that differ.")
@shared
@click.pass_obj
def diff(setup: Setup, one: str, other: str, with_code: bool) -> None:
    """Tell what differs between two runs: parameters, code, environment, results.

    RUN is its id or the beginning of it; RUN.2 is its second attempt; MODEL or MODEL:VERSION is its newest run.

    \b
    mlpipeline diff 20261121-0405 20261121-0406
    mlpipeline diff digits.py:wide digits.py:deep --code
    """
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe import difference

    project = setup.project()
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        sides = _side(project, ledger, one), _side(project, ledger, other)
    found = difference.difference(*sides)
    lines = list(difference.unified(*sides)) if with_code else []
    if setup.json:
        from dataclasses import asdict

        runs = [f"{side.run.id}.{side.attempt.number}" for side in sides]
        setup.emit({"format": 1, "runs": runs, **asdict(found), "diff": lines if with_code else None})
        return
    for side, mark in zip(sides, ("-", "+"), strict=True):
        say(f"{mark} {side.run.id}.{side.attempt.number}  {side.run.model}:{side.run.version}")
    say()
    for line in difference.told(found):
        say(line)
    if lines:
        say()
        for line in lines:
            say(line)


def _side(project: Project, ledger: Ledger, reference: str) -> Side:
    from mlpipeline.observe.finding import side_of

    return side_of(project, *find_run(project, ledger, reference))
