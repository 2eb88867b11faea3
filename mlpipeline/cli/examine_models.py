"""What `doctor` looks at of model files, without importing them: syntax, MODEL, names that hide packages, lists."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlpipeline.cli.findings import Finding, note, problem
from mlpipeline.project import Project

_AREA = "Project"
_MANY = 5


def models(found: Project, listed: Iterable[str], *, takes_all: bool) -> Iterator[Finding]:
    """Looks at what lies in the models directory.

    Args:
        found: the project.
        listed: models that a list names, as paths below the models directory.
        takes_all: whether a list takes every model that it does not exclude.
    """
    named = set(listed)
    without: list[str] = []
    for path in sorted(found.models_dir.rglob("*.py")):
        name = path.relative_to(found.models_dir).as_posix()
        if found.outputs_dir in path.parents or any(part.startswith((".", "_")) for part in Path(name).parts):
            continue
        yield from _hides(path, found)
        shown = path.relative_to(found.root) if path.is_relative_to(found.root) else path
        has_model, finding = _read(path, shown)
        if finding is not None:
            yield finding
        elif name in named and not has_model:
            yield problem(
                _AREA, f"{shown} is listed and has no MODEL: set the global MODEL to an instance of your class"
            )
        elif has_model and name not in named and not takes_all:
            without.append(name)
    if without:
        more = f" and {len(without) - _MANY} more" if len(without) > _MANY else ""
        yield note(_AREA, f"on no list, so only trained when named: {', '.join(without[:_MANY])}{more}")


def exposes_model(path: Path) -> bool:
    """Whether a file binds MODEL, as far as it can be read."""
    return _read(path, path)[0]


def _hides(path: Path, found: Project) -> Iterator[Finding]:
    if path.parent != found.models_dir:
        return
    try:
        spec = importlib.util.find_spec(path.stem)
    except (ImportError, ValueError):
        return
    if spec is not None and spec.origin not in {None, str(path)}:
        yield problem(_AREA, f"{path.name} hides the module {path.stem} from all models: rename it (mlpipeline mv)")


def _read(path: Path, shown: Path) -> tuple[bool, Finding | None]:
    """Whether a file binds MODEL, and what is wrong with its syntax."""
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as error:
        return False, problem(_AREA, f"{shown}:{error.lineno}: {error.msg}: mend the line")
    except (OSError, ValueError) as error:
        return False, problem(_AREA, f"{shown} cannot be read: {error}")
    return any(map(_binds, _of_module(tree.body))), None


def _of_module(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, those in branches and loops too."""
    for node in body:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = [each for each in ast.walk(node) if isinstance(each, ast.stmt) and each is not node]
            yield from inner


def _binds(node: ast.stmt) -> bool:
    match node:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return any((each.asname or each.name) in {"MODEL", "*"} for each in names)
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.For() | ast.With():
            return any(isinstance(each, ast.Name) and _is_bound(each) for each in ast.walk(node))
    return False


def _is_bound(name: ast.Name) -> bool:
    return name.id == "MODEL" and isinstance(name.ctx, ast.Store)
