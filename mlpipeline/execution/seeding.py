"""Seeds random generators, also those of libraries that the user's code imports later."""

from __future__ import annotations

import importlib.machinery
import random
import sys
from _thread import get_ident
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LIBRARIES = ("numpy", "torch", "tensorflow")
_FROM_FILES = (
    importlib.machinery.SourceFileLoader,
    importlib.machinery.SourcelessFileLoader,
    importlib.machinery.ExtensionFileLoader,
)


def seed_all(seed: int) -> None:
    """Seeds Python's generator now and those of known libraries: at once where imported, else on their import.

    From then on an import of an installed package takes nothing from a generator: what a run draws is the same
    whether or not a package was imported before. That holds for imports of the thread that calls this.

    Args:
        seed: below 2**31, since NumPy takes 32 bits and TensorFlow a signed integer.
    """
    random.seed(seed)
    for name in _LIBRARIES:
        if _is_complete(name):
            _seed(name, sys.modules[name], seed)
    sys.meta_path[:] = [_Imports(seed), *(each for each in sys.meta_path if not isinstance(each, _Imports))]


def _seed(name: str, module: Any, seed: int) -> None:
    if name == "numpy":
        module.random.seed(seed)
    elif name == "torch":
        module.manual_seed(seed)
    elif name == "tensorflow":
        module.random.set_seed(seed)


class _Imports:
    """Stands before the finders of installed modules, and keeps the generators as they are while one is imported."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.thread = get_ident()
        self.seeded = {name for name in _LIBRARIES if _is_complete(name)}
        self.busy: set[int] = set()  # threads that import something: others may do so at the same time

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if get_ident() in self.busy:
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if isinstance(spec.loader, _FROM_FILES):  # others are shared, and draw nothing
                    self._wrap(spec.loader)
                return spec
        return None

    def _wrap(self, loader: Any) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            with self._kept(module.__name__):
                execute(module)

        loader.exec_module = exec_module

    @contextmanager
    def _kept(self, imported: str) -> Iterator[None]:
        # In a thread of its own, what the run draws meanwhile would be drawn again.
        is_alone = get_ident() == self.thread
        own = random.getstate() if is_alone else None
        has_numpy = is_alone and imported != "numpy" and _is_complete("numpy")
        numpys = sys.modules["numpy"].random.get_state() if has_numpy else None
        self.busy.add(get_ident())
        try:
            yield
            for name in _LIBRARIES:
                if name not in self.seeded and (name == imported or _is_complete(name)):
                    self.seeded.add(name)
                    _seed(name, sys.modules[name], self.seed)
        finally:
            if numpys is not None:
                sys.modules["numpy"].random.set_state(numpys)
            if own is not None:
                random.setstate(own)
            self.busy.discard(get_ident())


def _is_complete(name: str) -> bool:
    """Whether a module is imported; one that another thread is still importing is not."""
    module = sys.modules.get(name)
    return module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False)
