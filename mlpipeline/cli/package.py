"""The command that packs a project's parts: package."""

from __future__ import annotations

from pathlib import Path

import click

from mlpipeline.cli.commands import COMMANDS
from mlpipeline.cli.setup import Setup, draw, say, shared


@click.command()
@click.option("--name", help="The package's name. Default: name in [PACKAGE] of mlp.config, else the directory's.")
@click.option("--version", help="Its version. Default: version in [PACKAGE] of mlp.config, else 0.1.0.")
@click.option(
    "-o", "--output", "target", type=click.Path(file_okay=False, path_type=Path), help="Where to. Default: dist/."
)
@click.option(
    "--format", "formats", type=click.Choice(("wheel", "sdist")), multiple=True, help="Only this one; default: both."
)
@shared
@click.pass_obj
def package(setup: Setup, name: str | None, version: str | None, target: Path | None, formats: tuple[str, ...]) -> None:
    """Build an installable package of the project's components, pipelines, runners, commands and templates.

    Where it is installed, workflows find its classes by name, and the command line its commands. What these files
    import of the project goes with them, their data files as well; models do not.

    \b
    mlpipeline package
    mlpipeline package --name my-parts --version 1.2.0 && pip install dist/my_parts-1.2.0-py3-none-any.whl
    """
    from mlpipeline.observe.table import Table
    from mlpipeline.scaffold.packaging import build, settings
    from mlpipeline.scaffold.packaging.contents import Collector

    project = setup.project()
    found = settings.read(project, name=name, version=version)
    contents = Collector(project, found, reserved=tuple(COMMANDS)).collect()
    files = build.build(found, contents, target or project.root / "dist", formats or build.FORMATS)
    shown = [project.relative(each) if target is None else str(each) for each in files]
    rows = tuple((kind, part, where) for kind, parts in contents.parts.items() for part, where in sorted(parts.items()))
    if setup.json:
        parts = [dict(zip(("kind", "name", "where"), row, strict=True)) for row in rows]
        setup.emit({"format": 1, "name": found.name, "version": found.version, "files": shown, "parts": parts})
        return
    draw(Table(columns=("kind", "name", "where"), rows=rows))
    for each in shown:
        say(f"built {each}")
