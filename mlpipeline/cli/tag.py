"""The command that gives runs tags: tag."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from mlpipeline.cli.control import Manner, Wish, ask, asked_before, asking
from mlpipeline.cli.setup import Setup, find_run, say, shared


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("tags", metavar="[TAG]...", nargs=-1)
@click.option("--remove", "removed", multiple=True, metavar="TAG", help="Take a tag away; may be given again.")
@asking
@shared
@click.pass_context
def tag(context: click.Context, /, run: str, tags: tuple[str, ...], removed: tuple[str, ...], **manner: Any) -> None:
    """Give a run tags, by which `compare`, `plot` and `journal` choose; without any, say which it has.

    \b
    mlpipeline tag digits.py:wide paper baseline
    mlpipeline tag 20261121-0405 --remove baseline
    mlpipeline compare --tag paper
    """
    from mlpipeline.errors import UsageError
    from mlpipeline.ledger import Ledger
    from mlpipeline.rundir import fault_of_tag, read_tags

    setup: Setup = context.find_root().obj
    project = setup.project()
    with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
        found, _ = find_run(project, ledger, run)
    if not tags and not removed:
        known = read_tags(project.runs_dir / found.id)
        if setup.json:
            setup.emit({"format": 1, "run": found.id, "tags": known})
        else:
            say(" ".join(known) or f"{found.id} has no tags.")
        return
    for fault in filter(None, map(fault_of_tag, tags)):
        raise UsageError(fault)
    if asked_before(setup, project, Manner(**manner)):
        return
    wish = Wish(action="tag", target=found.id, options={"add": list(tags), "remove": list(removed)})
    context.exit(0 if ask(setup, project, [wish], Manner(**manner)) else 1)
