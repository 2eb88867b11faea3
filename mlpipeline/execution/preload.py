"""Which heavy packages a project's models import, so that a process can have imported them before."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterable, Mapping

HEAVY = frozenset(
    [
        "catboost",
        "datasets",
        "duckdb",
        "flax",
        "jax",
        "keras",
        "lightgbm",
        "matplotlib",
        "numpy",
        "optax",
        "optuna",
        "pandas",
        "polars",
        "pyarrow",
        "scipy",
        "sklearn",
        "sqlalchemy",
        "statsmodels",
        "tensorflow",
        "torch",
        "torchvision",
        "transformers",
        "xgboost",
    ]
)
"""Installed packages whose import takes long and does nothing but import; a project's own modules are never among
them."""

OURS = ("mlpipeline.data", "mlpipeline.learning")
"""Parts of this package that are as heavy as what they need."""

COMPANIONS = {
    "tensorflow": ("keras",),
    "torch": ("torch._dynamo",),
    "mlpipeline.data": ("pandas", "pyarrow.parquet", "pyarrow.compute", "pyarrow.dataset"),
    "mlpipeline.data.connections": ("sqlalchemy", "duckdb"),
    "mlpipeline.data.Connection": ("sqlalchemy", "duckdb"),
}
"""What a package imports only when it is first used: Keras behind `tf.keras`, the compiler behind every optimizer."""

_OWN = (os.path.dirname(__file__), os.path.dirname(os.path.dirname(__file__)))
_DEPTH = 2
_MOST = 400


def imported_by(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Returns the heavy modules that sources import, by reading them alone, in order of appearance.

    `from a.b import c` names `a.b` and, since that cannot be told apart, `a.b.c`.

    Args:
        files: path to content; what cannot be parsed imports nothing.
    """
    found: dict[str, None] = {}
    for path, content in files.items():
        if path.endswith(".py"):
            found |= dict.fromkeys(_imports(content))
    for name, companions in COMPANIONS.items():
        if any(_is_within(each, name) for each in found):
            found |= dict.fromkeys(companions)
    return tuple(found)


def _imports(content: bytes) -> Iterable[str]:
    import ast  # of a scheduler alone: every worker would pay for it

    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*")]
        else:
            continue
        yield from (name for name in names if is_heavy(name))


def is_heavy(name: str) -> bool:
    """Whether a module belongs to one of the heavy packages."""
    return name.partition(".")[0] in HEAVY or any(_is_within(name, ours) for ours in OURS)


def _is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def modules_since(count: int) -> list[str]:
    """Returns the modules that this process has imported last, the latest first.

    Those before are not even looked at: in a forked process each look copies a page.

    Args:
        count: how many modules there were before.
    """
    return list(itertools.islice(reversed(sys.modules), max(0, len(sys.modules) - count)))


def loaded_since(count: int) -> tuple[str, ...]:
    """Returns the heavy modules, down to the second level, that this process has imported last; see `modules_since`."""
    late = (name for name in reversed(modules_since(count)) if is_heavy(name) and name.count(".") < _DEPTH)
    return tuple(late)[:_MOST]


class Stamp:
    """What the interpreter and installed packages looked like at a moment; a change makes what was loaded stale."""

    def __init__(self, names: Iterable[str]) -> None:
        import sysconfig  # of the warm process alone

        paths = {sys.executable, *_OWN}
        paths |= {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        paths |= {path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")}
        for name in {each.partition(".")[0] for each in names}:
            paths.add(getattr(sys.modules.get(name), "__file__", None) or sys.executable)
        self.marks = {path: _mark(path) for path in paths}
        self._held = {path: held for path in paths if (held := _names_in(path)) is not None}

    def changed(self) -> str:
        """Returns the first path that is not as it was; empty where all are."""
        return next((path for path, mark in self.marks.items() if not self._is_as_it_was(path, mark)), "")

    def _is_as_it_was(self, path: str, mark: tuple[int, int] | None) -> bool:
        found = _mark(path)
        if found == mark:
            return True
        # Whoever imports from a new checkout first gives its directories a place for bytecode.
        if path not in self._held or _names_in(path) != self._held[path]:
            return False
        self.marks[path] = found
        return True


def _mark(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _names_in(path: str) -> set[tuple[str, int]] | None:
    """Returns names and inodes in a directory, but for bytecode; None where it is no directory."""
    try:
        with os.scandir(path) as entries:
            return {(each.name, each.inode()) for each in entries if each.name != "__pycache__"}
    except OSError:
        return None
