"""What every command shares: the options for project, host and JSON, and how results and errors are printed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from mlpipeline.ledger import Ledger
    from mlpipeline.observe.table import Table
    from mlpipeline.observe.view import SchedulerLine
    from mlpipeline.project import Project
    from mlpipeline.run import Attempt, Run

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(slots=True, kw_only=True)
class Setup:
    """The shared options, collected from before and after a command's name; what is named last counts."""

    project_dir: str | None = None
    host: str | None = None
    json: bool = False
    warned: set[str] = field(default_factory=set)

    def project(self) -> Project:
        """Finds and reads the project. Warnings go to stderr."""
        from mlpipeline.project import Project

        root = None if self.project_dir is None else Path(self.project_dir)
        project = Project.load(root, host=self.host)
        for warning in project.warnings:
            if warning not in self.warned:
                self.warned.add(warning)
                click.echo(f"mlpipeline: warning: {warning}", err=True)
        return project

    def emit(self, content: Mapping[str, Any] | Sequence[Any]) -> None:
        """Prints JSON. ASCII only, so that nothing of it can steer a terminal."""
        import json

        from mlpipeline.jsonable import jsonable

        click.echo(json.dumps(jsonable(content), ensure_ascii=True, indent=2))


def check_is_there(project: Project) -> None:
    """Refuses to write into a directory that looks like no project: somebody stands in the wrong one.

    Raises:
        UsageError: it has neither settings nor models.
    """
    from mlpipeline.errors import UsageError

    if not project.config_found and not project.models_dir.is_dir() and not project.outputs_dir.is_dir():
        raise UsageError(
            f"{project.root}: is no project: it has neither mlp.config nor {project.settings.models_dir}/. Go to yours,"
            " name it with --project DIR, or make one: mlpipeline init"
        )


def _store(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            setattr(context.ensure_object(Setup), name, value)

    return callback


def shared(function: _Function) -> _Function:
    """Adds --project, --host and --json to a command."""
    project = click.option(
        "--project",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False),
        expose_value=False,
        callback=_store("project_dir"),
        help="The project's directory. Default: the nearest directory upwards that has an mlp.config.",
    )
    host = click.option(
        "--host",
        metavar="NAME",
        expose_value=False,
        callback=_store("host"),
        help="Whose log, ledger and status are meant, where several hosts share the project. Default: this host.",
    )
    json = click.option(
        "--json", is_flag=True, expose_value=False, callback=_store("json"), help="Print JSON for programs."
    )
    return project(host(json(function)))


def say(line: str = "") -> None:
    """Prints text for a person; escape codes that came from a model are removed."""
    from mlpipeline.observe.text import plain

    click.echo(plain(line))


def draw(table: Table) -> None:
    """Prints a table."""
    from mlpipeline.observe import table as tables

    tables.write(table, sys.stdout)


def now() -> datetime:
    """The time that ages are told from."""
    return datetime.now(UTC)


def scheduler_line(project: Project) -> SchedulerLine:
    """Returns what the lock says of this host's scheduler. Changes no byte."""
    from mlpipeline.observe import finding

    return finding.scheduler_line(project)


def model_names(project: Project, name: str) -> list[str]:
    """Returns the names that the ledger may have for what a person typed."""
    from mlpipeline.observe import finding

    return finding.model_names(project, name)


def find_run(project: Project, ledger: Ledger, reference: str) -> tuple[Run, Attempt]:
    """Finds a run by a prefix of its id (`ID.2` names an attempt), or the newest run of `MODEL[:VERSION]`.

    Raises:
        RunNotFound: when nothing matches.
        AmbiguousRun: when several ids begin so.
    """
    from mlpipeline.observe import finding

    return finding.find_run(project, ledger, reference)
