"""Finds what defines a thing that is run by hand: its files, its text in a notebook, its name."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlpipeline.execution import snapshot
from mlpipeline.project import Project


def of(project: Project, files: Sequence[Path], kinds: tuple[type, ...]) -> tuple[str, dict[str, bytes]]:
    """Returns the file that defines what is fitted, with all that it imports of the project; else the classes' text."""
    for path in files:
        if path.is_relative_to(project.root):
            place = snapshot.Place(root=project.root, models_dir=project.models_dir, main=path)
            return place.relative(path), snapshot.closure(place)
    text = "\n\n".join(found for kind in kinds if (found := text_of(kind)))
    return "by_hand.py", {"by_hand.py": text.encode("utf-8", "backslashreplace")}


def script_of(model: Any, project: Project) -> Path | None:
    """Returns the script that exposes the model as MODEL, rather one of the models than one that has imported it."""
    modules = [each for each in list(sys.modules.values()) if getattr(each, "__dict__", {}).get("MODEL") is model]
    paths = [path for each in modules if (path := _python_file(each)) is not None]
    return min(paths, key=lambda path: not path.is_relative_to(project.models_dir), default=None)


def file_of(kind: type) -> Path | None:
    """Returns the Python file that defines a class; None where there is none, as in a notebook."""
    return _python_file(sys.modules.get(kind.__module__))


def _python_file(module: Any) -> Path | None:
    name = getattr(module, "__file__", None)
    path = None if name is None else Path(name).resolve()
    return path if path is not None and path.suffix == ".py" and path.is_file() else None


def text_of(kind: type) -> str:
    """Returns how a class was written, in a notebook say; nothing where Python cannot tell."""
    if kind.__module__.startswith("mlpipeline."):
        return ""
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return ""


def name(project: Project, main: str, kinds: tuple[type, ...]) -> str:
    """Returns the name of the model: its script's, as the queue names it, or that of the dataset's class."""
    path = project.root / main
    return (
        path.relative_to(project.models_dir).as_posix()
        if path.is_relative_to(project.models_dir)
        else kinds[0].__name__
    )
