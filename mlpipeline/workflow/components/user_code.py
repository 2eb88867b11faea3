"""Finds a function or class in a Python file of the user's own, which a key of the configuration names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlpipeline.config_text import near_miss
from mlpipeline.errors import ConfigurationError
from mlpipeline.workflow.sources import Sources


def find(path: str, name: str, where: str) -> Any:
    """Returns what a file calls by a name; the file is run once in this process.

    Args:
        path: of the file.
        name: of a function or class in it.
        where: the part that asks, for messages.

    Raises:
        ConfigurationError: there is no such file, or nothing of this name in it. What the file itself raises goes
            through.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigurationError(f"{where}: there is no file {path}: mend the path")
    module = Sources.beside(file).load(file.resolve())
    found = getattr(module, name, None)
    if not callable(found):
        known = [each for each, value in vars(module).items() if callable(value) and not each.startswith("_")]
        near = near_miss(name, known) or f" It has {', '.join(known) or 'nothing to call'}"
        raise ConfigurationError(f"{where}: {path} has no {name!r}.{near}")
    return found
