"""Seeds random generators, also those of libraries that the user's code imports later."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import random
import sys
from collections.abc import Sequence
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LIBRARIES = ("numpy", "torch", "tensorflow")


def seed_all(seed: int) -> None:
    """Seeds Python's generator now and those of known libraries: at once where imported, else on their import.

    Args:
        seed: below 2**31, since NumPy takes 32 bits and TensorFlow a signed integer.
    """
    random.seed(seed)
    for name in _LIBRARIES:
        if name in sys.modules:
            _seed(name, sys.modules[name], seed)
    sys.meta_path.insert(0, _SeedOnImport(seed))


def _seed(name: str, module: Any, seed: int) -> None:
    if name == "numpy":
        module.random.seed(seed)
    elif name == "torch":
        module.manual_seed(seed)
    elif name == "tensorflow":
        module.random.set_seed(seed)


class _SeedOnImport:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.busy = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if self.busy or fullname not in _LIBRARIES:
            return None
        self.busy = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.busy = False
        if spec is not None and spec.loader is not None:
            self._wrap(spec.loader, fullname)
        return spec

    def _wrap(self, loader: Any, name: str) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _seed(name, module, self.seed)

        loader.exec_module = exec_module
