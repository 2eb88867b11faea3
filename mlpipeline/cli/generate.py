"""Commands that write about source code: create documentation, create docstrings, create tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mlpipeline.cli.setup import Setup, say, shared

TASKS = {
    "documentation": "Write a page about a class, in Markdown.",
    "docstrings": "Write the docstrings of a class.",
    "tests": "Write a test module for a class, for pytest.",
}
_SOURCE = click.Path(exists=True, dir_okay=False, path_type=Path)


def command(task: str) -> click.Command:
    """Returns the command of one task: all of them are alike."""

    @click.argument("source", type=_SOURCE)
    @click.argument("class_name", metavar="CLASS")
    @click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it into this file.")
    @click.option("-m", "--method", "methods", multiple=True, metavar="NAME", help="Only this one; may be given again.")
    @click.option("-g", "--generator", metavar="CLASS", help="What writes it. Default: LocalTextGenerator, offline.")
    @click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="What the generator is given.")
    @click.option("--overwrite", is_flag=True, help="Replace the file of --output.")
    @shared
    @click.pass_obj
    def run(setup: Setup, /, **given: Any) -> None:
        _write(setup, task, **given)

    to = {"docstrings": "components/scaler.py", "tests": "tests/test_scaler.py"}.get(task, "docs/scaler.md")
    run.__doc__ = (
        f"{TASKS[task]} SOURCE is its Python file, which is read and not imported; without --output, "
        "what was written is printed.\n\n"
        "LocalTextGenerator works from the code alone; OpenAITextGenerator asks an endpoint, which is sent the class."
        "\n\n\b\n"
        f"mlpipeline create {task} components/scaler.py Scaler\n"
        f"mlpipeline create {task} components/scaler.py Scaler -o {to}\n"
    )
    return click.command(task)(run)


def _write(
    setup: Setup,
    task: str,
    *,
    source: Path,
    class_name: str,
    output: Path | None,
    generator: str | None,
    settings: tuple[str, ...],
    **options: Any,
) -> None:
    from mlpipeline.workflow import generate

    chosen, given = generator or generate.DEFAULT_GENERATOR, _options(settings)
    text = generate.write(task, source, class_name, generator=chosen, options=given, output=output, **options)
    if setup.json:
        setup.emit({"format": 1, "task": task, "output": None if output is None else str(output), "text": text})
    elif output is None:
        say(text)
    else:
        say(f"wrote {output}")


def _options(settings: tuple[str, ...]) -> dict[str, object]:
    """Reads KEY=VALUE as `run workflow` does.

    Raises:
        ConfigurationError: one has no equals sign.
    """
    from mlpipeline.errors import ConfigurationError
    from mlpipeline.workflow import document

    found = document.load({}, settings=settings)
    if found.faults:
        raise ConfigurationError(faults=found.faults)
    return {key: node.plain() for key, node in found.settings}
