"""Commands that make something new in a project: `create KIND NAME`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from mlpipeline.cli import generate
from mlpipeline.cli.commands import COMMANDS
from mlpipeline.cli.setup import Setup, say, shared

if TYPE_CHECKING:
    from mlpipeline.project import Project

KINDS = {
    "model": "A model that trains.",
    "dataset": "Rows, and how they are encoded and split.",
    "estimator": "An estimator of scikit-learn's rules.",
    "component": "A component of workflows, of a type.",
    "pipeline": "A pipeline: actions across components.",
    "runner": "A runner, and a workflow file that uses it.",
    "command": "A command of the command line.",
    "notebook": "A notebook.",
    "test": "A test of the project.",
    "docs": "A page of documentation, whose examples are run.",
}


@click.group()
@shared
def create() -> None:
    """Create something new in the project, with a test that passes; or write about a class that is there.

    \b
    mlpipeline create model digits
    mlpipeline create component my-trainer --type ModelTrainer
    mlpipeline test
    """


def complete_template(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offers the templates of what is to be made, of a project as well."""
    from mlpipeline.errors import MlpipelineError
    from mlpipeline.scaffold import shelf

    kind = "project" if context.info_name == "init" else str(context.info_name)
    try:
        root = None if kind == "project" else (context.find_root().obj or Setup()).project().root
    except MlpipelineError:
        root = None
    names = dict.fromkeys(each.name for each in shelf.templates(kind, root))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _command(kind: str, told: str) -> click.Command:
    """Returns the command that creates one kind of thing: all of them are alike."""

    def run(context: click.Context, /, **given: Any) -> None:
        setup: Setup = context.find_root().obj
        _create(setup, kind, **given)

    run.__doc__ = (
        f"{told} NAME may be written my-name, my_name or MyName; what is there is never overwritten."
        f"\n\n\b\nmlpipeline create {kind} my-{'page' if kind == 'docs' else kind}\n"
    )
    made = click.pass_context(run)
    made = shared(made)
    made = click.option(
        "--template",
        metavar="NAME|PATH|URL",
        shell_complete=complete_template,
        help="What to make it from: a template's name, a directory, a git repository. See mlpipeline list templates.",
    )(made)
    if kind == "component":
        made = click.option(
            "--type",
            "type_",
            metavar="CLASS",
            shell_complete=_complete_type,
            help="The type that it implements: ModelTrainer, DataConnector, ..., or a type of your own.",
        )(made)
    made = click.argument("name")(made)
    return click.command(kind)(made)


def _complete_type(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from mlpipeline.scaffold import types

    return [CompletionItem(name) for name in types.BUILT_IN if name.startswith(incomplete)]


for _kind, _told in KINDS.items():
    create.add_command(_command(_kind, _told))
for _task in generate.TASKS:
    create.add_command(generate.command(_task))


def _create(setup: Setup, kind: str, *, name: str, template: str | None, type_: str | None = None) -> None:
    from mlpipeline.errors import UsageError
    from mlpipeline.scaffold import making
    from mlpipeline.scaffold.names import Name

    project = setup.project()
    if kind == "command" and Name.read(name).command in COMMANDS:
        raise UsageError(f"'{Name.read(name).command}' is a command of mlpipeline: choose another name")
    made = making.make(project, kind, name, template=template, type_name=type_)
    _tell(setup, project, made)


def _tell(setup: Setup, project: Project, files: list[str]) -> None:
    if setup.json:
        setup.emit({"format": 1, "project": str(project.root), "created": files})
        return
    for file in files:
        say(f"created {file}")
    tests = [file for file in files if file.startswith("tests/test_")]
    if tests:
        say(f"Try it: mlpipeline test {' '.join(tests)}")
