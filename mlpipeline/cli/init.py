"""The command that makes a project, and brings one up to date with its template: init."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from mlpipeline.cli.create import complete_template
from mlpipeline.cli.setup import Setup, say, shared

_DATA = ("none", "sqlite", "postgres")


@click.command()
@click.argument("directory", required=False, default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--template",
    metavar="NAME|PATH|URL",
    shell_complete=complete_template,
    help="What kind of project: queue, estimator, workflow, torch, tensorflow, sklearn; or a template of somebody "
    "else: its name, a directory, a git repository. Default: queue; on a terminal you are asked.",
)
@click.option(
    "--data",
    type=click.Choice(_DATA),
    help="Where its rows come from: a CSV file (none), a SQLite database that is made with it, a PostgreSQL server "
    "of yours. Default: none; on a terminal you are asked.",
)
@click.option(
    "--upgrade",
    is_flag=True,
    help="Take over into the project in DIRECTORY what is new in the template it was made of.",
)
@shared
@click.pass_obj
def init(setup: Setup, directory: Path, template: str | None, data: str | None, upgrade: bool) -> None:
    """Create a project that runs at once: settings, a model that trains, tests, a README of its own.

    Nothing is overwritten: where one of its files is there already, all such files are listed and nothing is written.

    \b
    mlpipeline init digits
    mlpipeline init --template torch --data sqlite moons
    mlpipeline init --upgrade        after an upgrade of mlpipeline, in the project
    """
    if upgrade:
        if template is not None or data is not None:
            raise click.UsageError("--upgrade takes no --template and no --data: the project says what it was made of")
        _upgrade(setup, directory)
        return
    from mlpipeline.scaffold import making

    if not setup.json and is_watched():
        template, data = _ask(template, data)
    template, data = template or "queue", data or "none"
    files = making.make_project(directory, template, data)
    if setup.json:
        setup.emit({"format": 1, "project": str(directory.resolve()), "created": files})
        return
    for file in files:
        say(f"created {directory / file}")
    _tell(directory, template, data)


def is_watched() -> bool:
    """Whether a person sits there who can answer: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask(template: str | None, data: str | None) -> tuple[str, str]:
    from mlpipeline.scaffold import projects

    if template is None:
        told = {name: kind.told for name, kind in projects.KINDS.items()}
        template = _choice("What kind of project?", told)
    if data is None and template in projects.KINDS:
        data = _choice("Where do its rows come from?", projects.DATA)
    return template, data or "none"


def _choice(question: str, choices: dict[str, str]) -> str:
    say(question)
    width = max(map(len, choices))
    for name, told in choices.items():
        say(f"  {name:<{width}}  {told}")
    first = next(iter(choices))
    found: str = click.prompt("Name", type=click.Choice(list(choices)), default=first, show_choices=False)
    return found


def _tell(directory: Path, template: str, data: str) -> None:
    from mlpipeline.scaffold import projects

    where = "" if directory.resolve() == Path.cwd() else f"cd {shlex.quote(os.fspath(directory))} && "
    if template in projects.KINDS:
        lacks = projects.lacking(template, data)
        if lacks:
            say(f"It needs {', '.join(lacks)}: pip install '{projects.requirement(template, data)}'")
        if data == "postgres":
            say("It needs a PostgreSQL server: README.md says how to name it, and how to load the rows")
    say(f"Try it: {where}mlpipeline && mlpipeline -r -u && mlpipeline test")


def _upgrade(setup: Setup, directory: Path) -> None:
    from mlpipeline.scaffold import upgrading

    found = upgrading.upgrade(directory)
    if setup.json:
        setup.emit({"format": 1, "project": str(directory.resolve()), **found.to_dict()})
        return
    if found.before == found.after:
        say(f"Nothing to do: the project is of mlpipeline {found.after}")
        return
    told = {"changed": found.changed, "added": found.added, "removed": found.removed, "conflict in": found.conflicts}
    for word, files in told.items():
        for file in files:
            say(f"{word} {directory / file}")
    if not any(told.values()):
        say("Nothing of the template has changed that concerns you")
    if found.conflicts:
        say("Where both of you changed a line, both are there, between <<<<<<< and >>>>>>>: choose, and save")
    say(f"The project is of mlpipeline {found.after} now; it was of {found.before}")
