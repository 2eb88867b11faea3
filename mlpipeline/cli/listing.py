"""The command that lists what there is to be named, and where it comes from: list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlpipeline.cli.setup import Setup, draw, shared

if TYPE_CHECKING:
    from mlpipeline.project import Project

_LEVELS = ("component", "pipeline", "runner")
_KINDS = (*(f"{level}s" for level in _LEVELS), "commands", "templates", "workflows")


@click.command("list")
@click.argument("kind", required=False, type=click.Choice(_KINDS))
@shared
@click.pass_obj
def list_(setup: Setup, kind: str | None) -> None:
    """List what can be named, and where it comes from: the project's own files, what is built in, packages.

    These are the classes that a workflow names, commands that are not built in, templates, and the workflow files.
    Nothing is imported. A class of the project's own is listed where its file lies: pipelines/ or runners/, else it is
    taken for a component.

    \b
    mlpipeline list
    mlpipeline list components
    """
    from mlpipeline.observe.table import Table

    rows = [row for row in _rows(setup.project()) if kind is None or row[0] == kind]
    if setup.json:
        setup.emit({"format": 1, "parts": [{"kind": row[0], "name": row[1], "where": row[2]} for row in rows]})
        return
    draw(Table(columns=("kind", "name", "where"), rows=tuple(rows)))


def _rows(project: Project) -> Iterator[tuple[str, str, str]]:
    from mlpipeline.cli import own_commands
    from mlpipeline.scaffold import shelf

    for level in _LEVELS:
        own = dict(_own(project.root, level))
        for name, where in own.items():
            yield f"{level}s", name, where
        yield from _offered(level, own)
    for name, each in own_commands.every(project.root).items():
        yield "commands", name, f"{each.where}, cannot be used: {each.fault}" if each.fault else each.where
    for kind in shelf.kinds(project.root):
        for template in shelf.templates(kind, project.root):
            fault = f", cannot be used: {template.fault}" if template.fault else ""
            yield "templates", f"{kind} {template.name}", f"{template.where}{fault}"
    for path in sorted(project.models_dir.rglob("*.yaml")):
        if project.outputs_dir not in path.parents:
            yield "workflows", str(path.relative_to(project.models_dir)), project.relative(path)


def _offered(level: str, own: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yields what is built in, and what packages offer; of several of one name, those that are not used say so."""
    from mlpipeline import plugins

    for name, origins in plugins.origins(level).items():
        used = own.get(name, origins[0])
        if name not in own and plugins.BUILT_IN not in origins and len(origins) > 1:
            used = ""  # none of them: a workflow that names it is at fault
        for origin in origins:
            yield f"{level}s", name, origin if origin == used else f"{origin}, not used: {used or 'there are several'}"


def _own(root: Path, level: str) -> Iterator[tuple[str, str]]:
    from mlpipeline.workflow.classes import Classes
    from mlpipeline.workflow.sources import Sources

    place = root / f"{level}s"
    if place.is_dir():
        sources = Sources(root)
        for name, files in sorted(Classes(sources, [place], []).defined().items()):
            yield name, ", ".join(sources.relative(each) for each in files)
