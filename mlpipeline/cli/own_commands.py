"""Commands that are not built in: files in the project's commands/, and what installed packages offer."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from mlpipeline import plugins
from mlpipeline.cli.commands import COMMANDS
from mlpipeline.errors import MlpipelineError, UsageError
from mlpipeline.scaffold.command_file import attribute

DIRECTORY = "commands"
POINT = "command"
SECTION = "Commands of this project, and of installed packages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """A command by its name; nothing of it has been imported.

    Attributes:
        where: its file, relative to the project, or the package that offers it.
        help: what it does in one line, as far as its file says so.
        path: its file; None for a package's.
        fault: why it cannot be used; None where nothing is known against it.
    """

    name: str
    where: str
    help: str = ""
    path: Path | None = None
    fault: str | None = None


def root_of(words: Sequence[str]) -> Path:
    """Returns the project's directory: that of --project among the words, else the nearest upwards."""
    from mlpipeline.settings import CONFIG

    for place, word in enumerate(words):
        if word == "--project" and place + 1 < len(words):
            return Path(words[place + 1])
        if word.startswith("--project="):
            return Path(word.partition("=")[2])
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if (each / CONFIG).is_file()), here)


def every(root: Path) -> dict[str, Own]:
    """Returns all of them by name: the project's own, then those of packages; faulty ones too."""
    found: dict[str, Own] = {}
    for path in sorted((root / DIRECTORY).glob("[!_.]*.py")):
        each = _of_file(root, path)
        found[each.name] = each
    for name, origins in plugins.origins(POINT).items():
        if name in found:
            continue
        where = " and ".join(origins)
        fault = _taken(name) if name in COMMANDS else None
        if fault is None and len(origins) > 1:
            fault = f"it is offered by {where}: uninstall one"
        found[name] = Own(name=name, where=where, help=f"From {where}.", fault=fault)
    return found


def find(root: Path, name: str) -> Own | None:
    """Returns the command of a name that is not built in; None where there is none."""
    return None if name in COMMANDS else every(root).get(name)


def _of_file(root: Path, path: Path) -> Own:
    name, where = path.stem.replace("_", "-"), f"{DIRECTORY}/{path.name}"
    if name in COMMANDS:
        return Own(name=name, where=where, path=path, fault=_taken(name))
    try:
        text = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    except (SyntaxError, ValueError, RecursionError, OSError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        return Own(name=name, where=where, path=path, fault=f"{where}{line}: {type(error).__name__}: {reason}")
    return Own(name=name, where=where, path=path, help=text.partition("\n")[0] or f"See {where}.")


def _taken(name: str) -> str:
    return f"'{name}' is a command of mlpipeline, which cannot be replaced: rename yours"


def load(root: Path, own: Own) -> click.Command:
    """Imports a command.

    Raises:
        MlpipelineError: it cannot be imported, or holds no command; the message says why, and where.
    """
    if own.fault is not None:
        raise MlpipelineError(f"command '{own.name}' ({own.where}) cannot be used: {own.fault}")
    if own.path is None:
        found = plugins.load(POINT, own.name)
        if isinstance(found, click.Command):
            return found
        raise MlpipelineError(
            f"command '{own.name}' ({own.where}) is no click command but a {type(found).__name__}: name "
            "what @click.command made"
        )
    from mlpipeline.workflow.classes import Classes
    from mlpipeline.workflow.sources import Sources

    sources = Sources(root)
    try:
        module = sources.load(own.path)
    except (Exception, SystemExit) as error:  # whatever a user's file raises is told as the fault of that file
        told = Classes(sources, [], []).told(error, own.path)
        raise MlpipelineError(f"command '{own.name}' cannot be loaded: {told}") from error
    try:
        return getattr(module, attribute(vars(module), own.path))  # type: ignore[no-any-return]
    except UsageError as error:
        raise MlpipelineError(f"command '{own.name}' cannot be loaded: {own.where}: {error}") from error
