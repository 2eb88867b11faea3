"""Imports a model's modules from bytes that were read before, under their original names."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from mlpipeline.errors import ModelFault
from mlpipeline.execution.snapshot import Place

_OWN_PACKAGE = "mlpipeline"


class SourcesLoader(importlib.machinery.SourceFileLoader):
    """Loads one module from bytes; to Python and to tracebacks it is the original file.

    It knows no modification time, so that byte code is neither read nor written.
    """

    def __init__(self, name: str, path: Path, content: bytes) -> None:
        super().__init__(name, str(path))
        self.content = content

    def path_stats(self, path: str) -> dict[str, float]:
        """Knows of no time at which the file was changed.

        Raises:
            OSError: always; Python takes it for "do not cache".
        """
        raise OSError(f"{path}: is loaded from bytes")

    def get_data(self, path: str) -> bytes:
        """Returns the bytes that were read before; other files (a package's data) are read live."""
        if path == self.path:
            return self.content
        return super().get_data(path)

    def exec_module(self, module: ModuleType) -> None:
        """Executes the module and gives tracebacks the lines that really ran, also when the file was edited since."""
        text = self.content.decode("utf-8", "replace")
        # An entry without a modification time is never checked against the disk.
        linecache.cache[self.path] = (len(text), None, text.splitlines(keepends=True), self.path)
        super().exec_module(module)


class SourcesFinder:
    """Finds a project's modules among known sources first.

    Args:
        place: where the project's modules are looked for.
        files: project-relative path to content.
        on_live: called with the path and content of a module that is not among them but lies in the project: the
            describing child adds it to the sources, a run records a warning.
        complete: whether the sources are all that there are, as in a run; else more are being found.

    Attributes:
        looked_at: further files and directories that decided what the model is, be it by being absent.
    """

    def __init__(
        self,
        place: Place,
        files: Mapping[str, bytes],
        on_live: Callable[[Path, bytes], None],
        *,
        complete: bool = False,
    ) -> None:
        self.place = place
        self.complete = complete
        self.looked_at: set[Path] = set()
        self.files = {str((place.root / name).resolve()): content for name, content in files.items()}
        self.directories = {str(parent) for path in self.files for parent in Path(path).parents}
        self.on_live = on_live

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Returns the spec of a project module, None for everything else."""
        if fullname.partition(".")[0] == _OWN_PACKAGE:
            return None
        bases = [str(base) for base in self.place.search] if path is None else list(path)
        name = fullname.rpartition(".")[2]
        for base in bases:
            if spec := self._in(base, name, fullname):
                return spec
        return None

    def _in(self, base: str, name: str, fullname: str) -> importlib.machinery.ModuleSpec | None:
        directory = Path(base) / name
        for path, is_package in ((directory / "__init__.py", True), (directory.with_name(f"{name}.py"), False)):
            if content := self._content(path):
                return self.spec(fullname, path, content[0], is_package=is_package)
        if str(directory) in self.directories and self._is_ours(directory):
            spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [str(directory)]
            return spec
        return None

    def _content(self, path: Path) -> tuple[bytes] | None:
        content = self.files.get(str(path))
        if content is None and self._is_ours(path) and path.is_file():
            content = path.read_bytes()
            self.files[str(path)] = content
            self.on_live(path, content)
        return None if content is None else (content,)

    def read(self, path: Path) -> bytes:
        """Returns the known content of a file of any kind; else reads it, and knows it from then on.

        Raises:
            OSError: it is not known, and cannot be read.
        """
        path = path.resolve()
        content = self.files.get(str(path))
        if content is None:
            self.looked_at.add(path)
            content = path.read_bytes()
            self.files[str(path)] = content
            self.on_live(path, content)
        return content

    def _is_ours(self, path: Path) -> bool:
        inside = path.is_relative_to(self.place.root) or path.is_relative_to(self.place.models_dir)
        return inside and "site-packages" not in path.parts

    def spec(self, name: str, path: Path, content: bytes, *, is_package: bool) -> importlib.machinery.ModuleSpec:
        """Makes the spec of one module from its content."""
        spec = importlib.util.spec_from_file_location(
            name,
            str(path),
            loader=SourcesLoader(name, path, content),
            submodule_search_locations=[str(path.parent)] if is_package else None,
        )
        if spec is None:  # cannot happen with a loader given; the type says it might
            raise ModelFault(f"{path}: cannot be imported")
        return spec


def install(
    place: Place, files: Mapping[str, bytes], on_live: Callable[[Path, bytes], None], *, complete: bool = False
) -> SourcesFinder:
    """Puts the project's modules first on the path of this process."""
    finder = SourcesFinder(place, files, on_live, complete=complete)
    sys.meta_path.insert(0, finder)
    sys.path[:0] = [str(base) for base in place.search if str(base) not in sys.path]
    return finder


def load_main(finder: SourcesFinder) -> ModuleType:
    """Imports the model's own file under its own name. What it raises goes through.

    What is no Python is read by whoever registered for its suffix, and becomes a module that holds MODEL.
    """
    main = finder.place.main
    if main.suffix != ".py":
        from mlpipeline import plugins

        found: ModuleType = plugins.load("model_format", main.suffix)(finder)
        return found
    name = main.stem.replace(".", "_")
    spec = finder.spec(name, main, finder.files[str(main.resolve())], is_package=False)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if spec.loader is not None:
        spec.loader.exec_module(module)
    return module
