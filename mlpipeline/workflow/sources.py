"""Where a workflow's files are read from: the disk, or the copies that a run keeps of them."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from mlpipeline.errors import MlpipelineError
from mlpipeline.execution import fingerprint, snapshot
from mlpipeline.execution.snapshot import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.execution.loader import SourcesFinder

PROJECT_FILE = "mlp.config"
_MOST_FILES = 2000
_NOT_OURS = frozenset(("outputs", "site-packages", "node_modules"))


class Sources:
    """Reads files and imports modules as they are on disk now.

    Args:
        root: the project's directory; where there is none, that of the first workflow file. Modules in it have their
            dotted name from there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.looked_in: set[Path] = set()
        """Where code was looked for, be it in vain."""
        self._modules: dict[Path, ModuleType] = {}
        self._classes: dict[Path, tuple[bytes, list[str]]] = {}

    def classes_in(self, path: Path) -> list[str]:
        """Returns the names of the classes that a Python file defines, without importing it.

        Raises:
            OSError, SyntaxError, ValueError, RecursionError: it cannot be read or parsed.
        """
        content = self.peek(path)
        known = self._classes.get(path)
        if known is None or known[0] != content:
            names = [each.name for each in ast.parse(content).body if isinstance(each, ast.ClassDef)]
            known = self._classes[path] = (content, names)
        return known[1]

    @classmethod
    def beside(cls, file: Path | None) -> Sources:
        """Finds the project that a file lies in: the nearest directory upwards with an `mlp.config`."""
        start = Path.cwd() if file is None else file.resolve().parent
        for directory in (start, *start.parents):
            if (directory / PROJECT_FILE).is_file():
                return cls(directory)
        return cls(start)

    def relative(self, path: Path) -> str:
        """Returns a path as messages show it: relative to the root where it lies in there."""
        found = Path(os.path.normpath(self.root / path))
        return found.relative_to(self.root).as_posix() if self.contains(found) else found.as_posix()

    def contains(self, path: Path) -> bool:
        """Whether a path lies within the root, links followed."""
        return (self.root / path).resolve().is_relative_to(self.root)

    def read(self, path: Path) -> bytes:
        """Returns a file's content.

        Raises:
            OSError: it cannot be read.
        """
        return path.read_bytes()

    def peek(self, path: Path) -> bytes:
        """Returns the content of a file that may turn out not to matter.

        Raises:
            OSError: it cannot be read.
        """
        return path.read_bytes()

    def is_file(self, path: Path) -> bool:
        """Whether there is such a file."""
        return path.is_file()

    def python_files(self, place: Path) -> list[Path]:
        """Returns the Python files that a plugin path stands for: itself, or all below it. In order of their names."""
        self.looked_in.add(place)
        if place.is_file():
            return [place]
        found = [each for each in sorted(place.rglob("*.py")) if not _is_hidden(each.relative_to(place))]
        return found[:_MOST_FILES]

    def code_digest(self, path: Path) -> str:
        """Returns a digest of a Python file and of everything of the project that it imports, directly or not.
        Comments, docstrings and formatting do not count."""
        place = Place(root=self.root, models_dir=self.root, main=path.resolve())
        return fingerprint.code_digest(snapshot.closure(place), place.relative(place.main))

    def load(self, path: Path) -> ModuleType:
        """Imports a Python file, once in this process. What it raises goes through."""
        if path not in self._modules:
            resolved = path.resolve()
            name = self._module_name(resolved)
            known = sys.modules.get(name)
            is_loaded = known is not None and getattr(known, "__file__", None) == str(resolved)
            self._modules[path] = known if is_loaded and known else self._execute(name, resolved)
        return self._modules[path]

    def _execute(self, name: str, path: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise MlpipelineError(f"{path}: is no Python file: give it a name that ends in .py")
        module = importlib.util.module_from_spec(spec)
        self._enable_imports(path)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:  # a module may raise anything, and half of one must not be found again
            sys.modules.pop(name, None)
            raise
        return module

    def _enable_imports(self, path: Path) -> None:
        """Lets the file import what lies beside it and in the project, as if it had been run as a script."""
        for place in (str(self.root), str(path.parent)):
            if place not in sys.path:
                sys.path.append(place)

    def _module_name(self, path: Path) -> str:
        """Returns the dotted name from the root, so that importing the file elsewhere gives the same classes; files
        that have none, or whose name is taken by another module, get a name of their own."""
        if path.is_relative_to(self.root):
            parts = path.relative_to(self.root).with_suffix("").parts
            name = ".".join(parts)
            taken = getattr(sys.modules.get(name), "__file__", None)
            if (
                all(part.isidentifier() for part in parts)
                and _is_free(parts[0], self.root)
                and taken in (None, str(path))
            ):
                return name
        return f"mlpipeline_file_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}_{path.stem.replace('.', '_')}"


class CopiedSources(Sources):
    """Reads what a run keeps copies of; while a model is described, notes what it reads so that it will be kept.

    Args:
        finder: knows the copies.
    """

    def __init__(self, finder: SourcesFinder) -> None:
        super().__init__(finder.place.root)
        self.finder = finder
        self.looked_in = finder.looked_at

    def read(self, path: Path) -> bytes:
        """Returns the copy of a file, or the file itself where there is no copy."""
        return self.finder.read(path)

    def peek(self, path: Path) -> bytes:
        """Returns the copy of a file, or the file itself, of which no copy is made for that."""
        found = self.finder.files.get(str(path.resolve()))
        if found is None:
            self.looked_in.add(path)
            found = path.read_bytes()
        return found

    def is_file(self, path: Path) -> bool:
        """Whether there is a copy; while the model is described, whether there is such a file."""
        return str(path.resolve()) in self.finder.files or (not self.finder.complete and path.is_file())

    def python_files(self, place: Path) -> list[Path]:
        """Returns the copied files only, once the model is described: what was added since is none of the run's."""
        if not self.finder.complete:
            return super().python_files(place)
        place = place.resolve()
        return sorted(Path(each) for each in self.finder.files if each.endswith(".py") and _is_in(each, place))

    def code_digest(self, path: Path) -> str:
        """Returns a digest of a Python file and of all other sources of the run."""
        files = {self.relative(Path(name)): content for name, content in self.finder.files.items()}
        return fingerprint.code_digest(files, self.relative(path.resolve()))

    def _execute(self, name: str, path: Path) -> ModuleType:
        spec = self.finder.spec(name, path, self.read(path), is_package=False)
        module = importlib.util.module_from_spec(spec)
        self._enable_imports(path)
        sys.modules[name] = module
        if spec.loader is not None:
            spec.loader.exec_module(module)
        return module


def _is_in(path: str, place: Path) -> bool:
    return Path(path) == place or Path(path).is_relative_to(place)


def _is_hidden(path: Path) -> bool:
    """Whether a file is none of the project's own code: copies of it that runs keep, and installed packages."""
    return any(part.startswith((".", "__")) or part in _NOT_OURS for part in path.parts)


def _is_free(first: str, root: Path) -> bool:
    """Whether a top-level name is not that of an installed or built-in module: `tests/` must not become `tests`."""
    known = sys.modules.get(first)
    if known is not None:
        return any(Path(each).resolve().is_relative_to(root) for each in _places(known))
    return first not in sys.stdlib_module_names


def _places(module: ModuleType) -> Iterable[str]:
    file = getattr(module, "__file__", None)
    return [file] if file else list(getattr(module, "__path__", []))
