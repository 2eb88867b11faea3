"""What goes into a package: the files of the project's parts, what these import, and entry points that offer them."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from mlpipeline import plugins
from mlpipeline.config_text import Fault
from mlpipeline.errors import ConfigurationError, UsageError
from mlpipeline.execution.snapshot import Place, closure
from mlpipeline.project import Project
from mlpipeline.scaffold.command_file import attribute
from mlpipeline.scaffold.packaging.imports import Move
from mlpipeline.scaffold.packaging.settings import PackageSettings
from mlpipeline.scaffold.template import template_files
from mlpipeline.workflow.classes import LEVELS, Classes
from mlpipeline.workflow.interface import interface_faults
from mlpipeline.workflow.sources import Sources

COMMANDS, TEMPLATES = "commands", "templates"
_NO_DATA = frozenset((".py", ".pyc", ".pyo"))


@dataclass(slots=True, kw_only=True)
class Contents:
    """Files by their path in the package, and entry points by kind and name.

    Attributes:
        parts: kind -> name -> `package.module:attribute`.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[str, str]] = field(default_factory=dict)


class Collector:
    """Gathers what a project has to offer. Its files are imported: what cannot be is no part to be packed.

    Args:
        reserved: names that no command may have.
    """

    def __init__(self, project: Project, settings: PackageSettings, reserved: Collection[str] = ()) -> None:
        self.reserved = reserved
        self.project = project
        self.settings = settings
        self.sources = Sources(project.root)
        self.contents = Contents()
        self.faults: list[Fault] = []

    def collect(self) -> Contents:
        """Returns the contents.

        Raises:
            ConfigurationError: with everything that cannot be packed, and why.
            UsageError: the project has nothing to offer.
        """
        for level in LEVELS:
            for path in self._python(f"{level}s"):
                self._add_classes(level, path)
        for path in self._python(COMMANDS):
            self._add_command(path)
        self._add_templates()
        if self.faults:
            raise ConfigurationError("the package cannot be built: mend this first", faults=self.faults)
        if not any(self.contents.parts.values()):
            raise UsageError(
                f"{self.project.root} has no components/, pipelines/, runners/, commands/ or templates/: make one"
            )
        return self.contents

    def _python(self, directory: str) -> Iterable[Path]:
        place = self.project.root / directory
        if not place.is_dir():
            return []
        for path in sorted(place.rglob("*")):
            inner = path.relative_to(place).parts
            if path.is_file() and path.suffix not in _NO_DATA and not any(p.startswith((".", "__")) for p in inner):
                self.contents.files[path.relative_to(self.project.root).as_posix()] = path.read_bytes()
        for path in sorted(place.rglob("__init__.py")):  # no part of its own, but it may bring some
            if not any(part.startswith(".") for part in path.relative_to(place).parts):
                self._add_sources(path)
        return self.sources.python_files(place)

    def _add_classes(self, level: str, path: Path) -> None:
        module = self._loaded(path)
        if module is None:
            return
        kind = {"component": _basis("Component"), "pipeline": _basis("Pipeline"), "runner": _basis("Runner")}[level]
        found = [
            each for each in vars(module).values()
            if isinstance(each, type) and each.__module__ == module.__name__ and issubclass(each, kind)
            and not each.__name__.startswith("_") and not inspect.isabstract(each) and "_is_framework" not in vars(each)
        ]  # fmt: skip
        for each in found:
            told = [*interface_faults(each)]
            if plugins.origins(level).get(each.__name__, ())[:1] == (plugins.BUILT_IN,):
                told.append("is called like one that is built in, and would never be found: rename it")
            if each.__name__ in self.contents.parts.get(level, {}):
                told.append("is there twice: rename one of them")
            self.faults += [Fault(self._name(path), None, f"{each.__name__} {fault}") for fault in told]
            self._offer(level, each.__name__, path, each.__qualname__)
        self._add_sources(path)

    def _add_command(self, path: Path) -> None:
        name = path.stem.replace("_", "-")
        if path.stem.startswith("_"):
            return
        if name in self.reserved:
            told = f"'{name}' is a command of mlpipeline, which cannot be replaced: rename yours"
            self.faults.append(Fault(self._name(path), None, told))
            return
        module = self._loaded(path)
        if module is None:
            return
        try:
            found = attribute(vars(module), path)
        except UsageError as error:
            self.faults.append(Fault(self._name(path), None, str(error)))
        else:
            self._offer("command", name, path, found)
            self._add_sources(path)

    def _add_templates(self) -> None:
        place = self.project.root / TEMPLATES
        for directory in sorted(each for each in place.glob("*/*") if each.is_dir()):
            if any(part.startswith((".", "__")) for part in directory.relative_to(place).parts):
                continue
            kind, name = directory.relative_to(place).parts
            if not (kind.isidentifier() and name.isidentifier()):
                where = f"{TEMPLATES}/{kind}/{name}"
                self.faults.append(
                    Fault(where, None, "in a package, names of templates are letters, digits and _: rename it")
                )
                continue
            found = template_files(directory)
            self.contents.files |= {each.relative_to(self.project.root).as_posix(): each.read_bytes() for each in found}
            target = f"{self.settings.module}.{TEMPLATES}.{kind}.{name}"
            self.contents.parts.setdefault("template", {})[f"{kind}.{name}"] = target

    def _add_sources(self, path: Path) -> None:
        """Adds a file and what it imports of the project."""
        place = self._place(path)
        for name in closure(place):
            file = (self.project.root / name).resolve()
            if name in self.contents.files:
                continue
            if not file.is_relative_to(self.project.root):
                self.faults.append(Fault(self._name(path), None, f"imports {name}, which lies outside of the project"))
                continue
            move = Move(place=self._place(file), package=self.settings.module)
            try:
                self.contents.files[name] = move.rewritten(file.read_bytes())
            except ConfigurationError as error:
                self.faults += error.faults

    def _place(self, path: Path) -> Place:
        return Place(root=self.project.root, models_dir=self.project.models_dir, main=path.resolve())

    def _loaded(self, path: Path) -> ModuleType | None:
        try:
            return self.sources.load(path)
        except (Exception, SystemExit) as error:  # whatever a user's file raises is told as the fault of that file
            told = Classes(self.sources, [], []).told(error, path)
            self.faults.append(Fault(self._name(path), None, f"cannot be imported: {told}"))
            return None

    def _offer(self, kind: str, name: str, path: Path, attribute: str) -> None:
        module = ".".join(path.resolve().relative_to(self.project.root).with_suffix("").parts)
        target = f"{self.settings.module}.{module.removesuffix('.__init__')}:{attribute}"
        self.contents.parts.setdefault(kind, {})[name] = target

    def _name(self, path: Path) -> str:
        return self.sources.relative(path)


def _basis(name: str) -> type:
    import mlpipeline.workflow

    found: type = getattr(mlpipeline.workflow, name)
    return found
