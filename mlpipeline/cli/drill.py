"""The option --drill: proves that models resume."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from mlpipeline.cli.setup import Setup, say

if TYPE_CHECKING:
    from mlpipeline.project import Project
    from mlpipeline.queue.drill import Drill


def drill(setup: Setup, project: Project, names: tuple[str, ...], steps: int | None) -> int:
    """Drills models, shows a line for each version, and returns the exit status."""
    from mlpipeline.observe.text import plain, title
    from mlpipeline.queue.drill import STEPS, drills
    from mlpipeline.queue.publish import Terminal

    quiet, terminal = setup.json, Terminal()
    found: list[Drill] = []
    told = drills(project, names, steps=steps or STEPS, say=lambda text: None if quiet else terminal.line(text))
    with closing(told):
        for each in told:
            found.append(each)
            if each.traceback and not quiet:
                click.echo(plain(each.traceback), err=True)
            if not quiet:
                name = each.model if each.version is None else title(each.model, each.version)
                say(f"{name}  {each.finding.text}")
    if setup.json:
        setup.emit({"format": 1, "drills": [each.to_json() for each in found]})
    return 1 if any(each.is_bad for each in found) else 0
