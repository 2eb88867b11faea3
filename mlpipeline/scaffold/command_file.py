"""A file of commands/: which of its commands is meant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from mlpipeline.errors import UsageError


def attribute(names: Mapping[str, Any], path: Path) -> str:
    """Returns what the command in a file is called there: as the file is, or it is the only one.

    Raises:
        UsageError: there is none, or there are several.
    """
    found = [name for name, each in names.items() if isinstance(each, click.Command) and not name.startswith("_")]
    if path.stem in found:
        return path.stem
    inner = {id(each) for name in found for each in _below(names[name])}
    outer = [name for name in found if id(names[name]) not in inner]
    if len(outer) == 1:
        return outer[0]
    if not outer:
        raise UsageError("it defines no command: decorate a function with @click.command()")
    raise UsageError(f"it defines {', '.join(outer)}: call the one that is meant {path.stem}")


def _below(command: click.Command) -> list[click.Command]:
    return list(command.commands.values()) if isinstance(command, click.Group) else []
