"""Finds classes by the names that a workflow file gives: in the project's files, by module, in installed packages."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from mlpipeline import plugins
from mlpipeline.config_text import Fault, near_miss, shown
from mlpipeline.errors import MissingExtra, MlpipelineError
from mlpipeline.workflow.node import Node, Place
from mlpipeline.workflow.sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LEVELS = ("component", "pipeline", "runner")
"""Of what is built in, or offered by packages."""


class Classes:
    """The classes that names stand for.

    A class of the project's own files comes before one that is built in or installed. Files are read to see which
    classes they define; only the one that defines a class that is asked for is imported.

    Args:
        sources: where files are read.
        places: files and directories to look in.
        faults: gets what is wrong.
    """

    def __init__(self, sources: Sources, places: Iterable[Path], faults: list[Fault]) -> None:
        self.sources = sources
        self.faults = faults
        self._files: dict[str, list[Path]] = {}
        self._unreadable: dict[str, str] = {}
        self._registered: dict[str, list[str]] = {}
        for path in dict.fromkeys(each for place in places for each in sources.python_files(place)):
            self._index(path)

    def _index(self, path: Path) -> None:
        name = self.sources.relative(path)
        try:
            names = self.sources.classes_in(path)
        except SyntaxError as error:
            self._unreadable[f"{name}:{error.lineno}"] = f"{type(error).__name__}: {error.msg}"
        except (OSError, ValueError, RecursionError) as error:
            self._unreadable[name] = f"{type(error).__name__}: {error}"
        else:
            for each in dict.fromkeys(names):
                self._files.setdefault(each, []).append(path)

    def defined(self) -> dict[str, list[Path]]:
        """Returns the files that define each class of the project's own."""
        return dict(self._files)

    def find(self, kind: str, node: Node) -> type | None:
        """Returns the class that a name stands for; None, and a fault, where there is none.

        Args:
            kind: the level: `component`, `pipeline`, `runner`, or one of `integration_framework`.
            node: the name.
        """
        name = node.value
        if not isinstance(name, str) or not name.strip():
            self._fault(node.place, f"names no {kind}: write the name of a class, or none")
            return None
        found = (
            self._by_module(kind, name, node.place) if ":" in name or "." in name else self._by_name(kind, name, node)
        )
        if found is not None and not isinstance(found, type):
            self._fault(node.place, f"{kind} {shown(name)!r} is no class but a {type(found).__name__}")
            return None
        return found

    def _by_name(self, kind: str, name: str, node: Node) -> Any:
        files = self._files.get(name, [])
        if len(files) > 1:
            told = " and ".join(self.sources.relative(each) for each in files)
            self._fault(node.place, f"{kind} {name!r} is defined in {told}: rename one of them")
            return None
        if files:
            return self._from_file(kind, name, files[0], node.place)
        if name not in self._names(kind):
            self._unknown(kind, name, node.place)
            return None
        try:
            return plugins.load(kind, name)
        except MissingExtra as error:
            self._fault(node.place, f"{kind} {name!r}: {error}")
        except MlpipelineError as error:
            self._fault(node.place, str(error))
        return None

    def _names(self, kind: str) -> list[str]:
        """Returns what is registered, looked up once: installed packages are many."""
        if kind not in self._registered:
            self._registered[kind] = plugins.names(kind)
        return self._registered[kind]

    def _from_file(self, kind: str, name: str, path: Path, place: Place) -> Any:
        try:
            return getattr(self.sources.load(path), name)
        except (Exception, SystemExit) as error:  # whatever a user's file raises is told as the fault of that file
            self._fault(place, f"{kind} {name!r} cannot be loaded: {self.told(error, path)}")
            return None

    def _by_module(self, kind: str, name: str, place: Place) -> Any:
        module, _, attribute = name.replace(":", ".").rpartition(".")
        try:
            found: Any = import_module(module) if module else None
        except (Exception, SystemExit) as error:
            self._fault(place, f"{kind} {shown(name)!r} cannot be loaded: {self.told(error, None)}")
            return None
        if not hasattr(found, attribute):
            near = near_miss(attribute, [each for each in dir(found) if isinstance(getattr(found, each), type)])
            self._fault(place, f"there is no {kind} {attribute!r} in {module or 'no module'}.{near}")
            return None
        return getattr(found, attribute)

    def told(self, error: BaseException, path: Path | None) -> str:
        """Says what an import raised, with the deepest line of the project's own."""
        if isinstance(error, SyntaxError) and error.filename:
            return f"{self.sources.relative(Path(error.filename))}:{error.lineno}: {type(error).__name__}: {error.msg}"
        frames = [each for each in traceback.extract_tb(error.__traceback__) if self._is_own(each.filename)]
        where = self.sources.relative(path) if path is not None else ""
        if frames:
            where = f"{self.sources.relative(Path(frames[-1].filename))}:{frames[-1].lineno}"
        return f"{where}: {type(error).__name__}: {error}".removeprefix(": ")

    def _is_own(self, file: str) -> bool:
        return not file.startswith("<") and self.sources.contains(Path(file)) and "site-packages" not in file

    def _unknown(self, kind: str, name: str, place: Place) -> None:
        known = [*self._files, *self._names(kind)]
        near = near_miss(name, known) or (f" Those that there are: mlpipeline list {kind}s" if known else "")
        told = f"there is no {kind} {shown(name)!r}.{near}"
        if others := [each for each in LEVELS if each != kind and name in self._names(each)]:
            told = f"{name} is no {kind} but a {others[0]}: declare it under `{others[0]}:`"
        elif self._unreadable:
            files = "; ".join(f"{file}: {reason}" for file, reason in self._unreadable.items())
            told += f" It may be in a file that cannot be read: {files}"
        elif not known:
            told += f" No {kind} is known: write the class in {kind}s/, or name its file in plugin_paths"
        self._fault(place, told)

    def _fault(self, place: Place, message: str) -> None:
        self.faults.append(place.fault(message))


def plugin_places(sources: Sources, given: Node | None, levels: Iterable[str], faults: list[Fault]) -> list[Path]:
    """Returns where a workflow's own classes are looked for: `plugin_paths`, then a directory for each level.

    Args:
        given: `plugin_paths` of the configuration: a path or a list of them, relative to the file that it stands in.
    """
    found: list[Path] = []
    items = [] if given is None else given.value if type(given.value) is list else [given]
    for each in items:
        if not isinstance(each.value, str) or not each.value:
            faults.append(each.place.fault("plugin_paths takes paths"))
            continue
        bases = (sources.root / Path(each.place.file).parent, sources.root)
        path = next((base / each.value for base in bases if (base / each.value).exists()), None)
        if path is None:
            message = f"plugin_paths: there is no {shown(each.value)!r} in {sources.root}"
            faults.append(each.place.fault(message))
        else:
            found.append(path)
    usual = [sources.root / f"{level}s" for level in levels]
    sources.looked_in.update(usual)
    return found + [place for place in usual if place.is_dir()]


def require_class(found: Any, basis: type, kind: str) -> str | None:
    """Returns what is wrong with a class as one of a level; None where nothing is."""
    if issubclass(found, basis):
        return None
    return f"{found.__name__} is no {kind}: derive it from {basis.__module__.rpartition('.')[0]}.{basis.__name__}"
