"""The command that reports the environment, and changes nothing: doctor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mlpipeline.cli.setup import Setup, say, shared

if TYPE_CHECKING:
    from mlpipeline.cli.findings import Finding

_MARKS = {"ok": " ", "note": "-", "problem": "!"}


@click.command()
@click.option("--connect", is_flag=True, help="Also ask each database of config/database.cfg for an answer.")
@click.option("--executor", metavar="NAME", help="Also examine an engine, by short jobs: reach, file system, versions.")
@click.option("--no-imports", is_flag=True, help="Import no library to see whether it loads; that takes seconds.")
@shared
@click.pass_obj
def doctor(setup: Setup, connect: bool, executor: str | None, no_imports: bool) -> None:
    """Report the environment: Python, packages, machine, project, databases. Changes nothing.

    The exit status is 0 where nothing is wrong, and 1 where something has to be mended; it says what. Databases are not
    asked unless you say so, and nothing secret is shown.

    \b
    mlpipeline doctor
    mlpipeline doctor --executor slurm
    mlpipeline doctor --connect --json | jq '.findings[] | select(.weight == "problem")'
    """
    from mlpipeline.cli import examine_machine, examine_project
    from mlpipeline.cli.findings import Weight

    found = [
        *examine_machine.python(),
        *examine_machine.packages(imports=not no_imports),
        *examine_machine.machine(),
        *examine_project.project(setup, connect=connect),
        *(examine_project.engine(setup, executor) if executor else ()),
    ]
    problems = [each for each in found if each.weight is Weight.PROBLEM]
    if setup.json:
        told = [{"area": each.area, "weight": each.weight.value, "text": each.text} for each in found]
        setup.emit({"format": 1, "problems": len(problems), "findings": told})
    else:
        _show(found, len(problems))
    if problems:
        raise click.exceptions.Exit(1)


def _show(found: Sequence[Finding], problems: int) -> None:
    from mlpipeline.observe.text import many

    area = ""
    order = {name: place for place, name in enumerate(dict.fromkeys(each.area for each in found))}
    for each in sorted(found, key=lambda each: order[each.area]):
        if each.area != area:
            area = each.area
            say(area)
        for number, line in enumerate(each.text.splitlines()):
            say(f"  {_MARKS[each.weight.value] if not number else ' '} {line}")
    say()
    say(f"{many(problems, 'problem')}: the lines with !" if problems else "No problems.")
