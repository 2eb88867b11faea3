"""Writes documentation, docstrings and tests for a class, by a text generator, and checks what that wrote."""

from __future__ import annotations

import ast
import io
import os
import tokenize
from collections.abc import Iterable, Mapping
from pathlib import Path

from mlpipeline import plugins
from mlpipeline.config_text import near_miss, near_or_known
from mlpipeline.errors import MlpipelineError, UsageError
from mlpipeline.filesystems import remedy
from mlpipeline.workflow.generate import docstrings, shape
from mlpipeline.workflow.literals import literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlpipeline.workflow.types import TextGenerator

TASKS = ("documentation", "docstrings", "tests")
DEFAULT_GENERATOR = "LocalTextGenerator"


def write(
    task: str,
    source_path: str | os.PathLike[str],
    class_name: str,
    *,
    generator: TextGenerator | str = DEFAULT_GENERATOR,
    options: Mapping[str, Any] | None = None,
    output: str | os.PathLike[str] | None = None,
    methods: Iterable[str] = (),
    overwrite: bool = False,
) -> str:
    """Writes about one class, and returns the text.

    For `docstrings` that is the whole file with them in it; nothing else of it changes, whoever wrote them. For `tests`
    it is a module for pytest that finds the class itself.

    Args:
        task: documentation, docstrings or tests.
        source_path: the Python file.
        class_name: a class that it defines at its top.
        generator: a text generator, or the name of one.
        options: what the generator's class is given, where it is named.
        output: the file to write; for docstrings mostly `source_path` itself. By default none.
        methods: the only methods that are written about; by default all public ones.
        overwrite: whether an existing file is replaced; that of the source always is.

    Raises:
        UsageError: the task, class or a method is unknown, or the output exists.
        MlpipelineError: the generator failed, or what it wrote is of no use.
    """
    if task not in TASKS:
        raise UsageError(f"there is no task {task!r}.{near_miss(task, TASKS)} Known: {', '.join(TASKS)}")
    path = Path(source_path)
    text, encoding = _read(path)
    target = None if output is None else Path(output)
    if target is not None and target.exists():
        _check_existing(target, path, task, overwrite=overwrite)
    made = _generator(generator, options or {})
    excerpt = _excerpt(text, path, class_name, tuple(methods), task)
    answer = made.generate(task, excerpt)
    if task == "docstrings":
        answer = _with_docstrings(text, excerpt, answer, tuple(methods))
    elif task == "tests":
        answer = _module(answer, path, class_name, target)
    if target is not None:
        _save(target, answer, encoding if task == "docstrings" else "utf-8")
    return answer


def _check_existing(target: Path, source: Path, task: str, *, overwrite: bool) -> None:
    """Refuses a file that must not be replaced."""
    if target.samefile(source):
        if task != "docstrings":
            raise UsageError(f"{target} is the source itself: name another file for {task}")
    elif not overwrite:
        raise UsageError(f"{target} exists: name another file, or have it replaced")


def _generator(given: TextGenerator | str, options: Mapping[str, Any]) -> TextGenerator:
    if not isinstance(given, str):
        return given
    kind = plugins.load("component", given)
    try:
        made: TextGenerator = kind(**options)
    except TypeError as error:
        raise UsageError(f"{given} cannot be made of {', '.join(options) or 'nothing'}: {error}") from error
    return made


def _read(path: Path) -> tuple[str, str]:
    try:
        content = path.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding), encoding
    except OSError as error:
        raise UsageError(f"{path} cannot be read {remedy(error, path)}") from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}: save the file as UTF-8") from error


def _excerpt(text: str, path: Path, name: str, methods: tuple[str, ...], task: str) -> str:
    """Returns the class alone, without the methods that are not asked for."""
    found = shape.one(shape.parsed(text, str(path)), name, str(path))
    known = [each.name for each in found.methods]
    for method in methods:
        if method not in known:
            raise UsageError(f"{name} has no method {method!r} of its own.{near_or_known(method, known)}")
    # split as the syntax tree counts lines: a form feed ends none
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    wanted = range(_first_line(found.node), (found.node.end_lineno or 0) + 1)
    left_out: set[int] = set()
    for each in found.node.body if methods else ():
        is_kept = isinstance(each, shape.Function) and (
            each.name in methods or (task == "tests" and each.name == "__init__")
        )
        if isinstance(each, shape.Function) and not is_kept:
            left_out |= set(range(_first_line(each), (each.end_lineno or 0) + 1))
    return "\n".join(lines[line - 1] for line in wanted if line not in left_out) + "\n"


def _first_line(node: ast.ClassDef | shape.Function) -> int:
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def _with_docstrings(text: str, excerpt: str, answer: str, methods: tuple[str, ...]) -> str:
    """Takes nothing but the docstrings from an answer: what the code does is not the generator's to say."""
    wanted = docstrings.collect(_parsed(answer))
    known = shape.classes(shape.parsed(excerpt))[0]
    names = {known.name, *(f"{known.name}.{each.name}" for each in known.methods)}
    if methods:
        names = {f"{known.name}.{name}" for name in methods}
    found = {name: docstring for name, docstring in wanted.items() if name in names}
    if not found:
        told = f"the generator wrote no docstring for {known.name}"
        raise MlpipelineError(f"{told}: try again, or use {DEFAULT_GENERATOR}")
    return docstrings.insert(text, found)


def _parsed(answer: str) -> ast.Module:
    try:
        return ast.parse(answer)
    except (SyntaxError, ValueError, RecursionError) as error:
        first = next((line for line in answer.splitlines() if line.strip()), "")
        raise MlpipelineError(f"the generator answered no Python ({error}): {first[:80]!r}") from error


def _module(answer: str, path: Path, name: str, target: Path | None) -> str:
    """Puts before test functions what finds the class, wherever pytest is started."""
    tree = _parsed(answer)
    if not any(isinstance(each, ast.FunctionDef) and each.name.startswith("test") for each in ast.walk(tree)):
        raise MlpipelineError(f"the generator wrote no test of {name}: try again, or use {DEFAULT_GENERATOR}")
    heads = [each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
    last = max((each.end_lineno or 0 for each in heads), default=0)
    is_first = all(each in heads for each in tree.body[: len(heads)])
    body = "\n".join(answer.splitlines()[last if is_first else 0 :]).strip("\n")
    source = _from_directory(target.resolve().parent if target is not None else Path.cwd(), path.resolve())
    return f'''"""Tests of {name}."""

{_imports(heads, name)}

SOURCE = {source}
{name} = Sources.beside(SOURCE).load(SOURCE).{name}


{body}
'''


def _imports(heads: Iterable[ast.Import | ast.ImportFrom], name: str) -> str:
    """Returns the imports that tests have, and those of what finds the class, as a formatter would leave them."""
    imports = {text for each in heads if (text := _without(each, name))} - {"from pathlib import Path"}
    first = sorted(each for each in imports if each.startswith("from __future__"))
    plain = sorted(each for each in imports if each.startswith("import ") and each != "import pytest")
    others = sorted(imports - {*first, *plain, "import pytest"})
    lines = [*first, ""] if first else []
    lines += [*plain, "from pathlib import Path", ""]
    lines += ["import pytest"] if "import pytest" in imports else []
    return "\n".join([*lines, *others, "from mlpipeline.workflow.sources import Sources"])


def _from_directory(directory: Path, path: Path) -> str:
    """Returns an expression for a path, as a module in a directory writes it."""
    parts = Path(os.path.relpath(path, directory)).parts
    up = parts.count("..")
    return f"Path(__file__).resolve().{f'parents[{up}]' if up else 'parent'} / {literal('/'.join(parts[up:]))}"


def _without(statement: ast.Import | ast.ImportFrom, name: str) -> str:
    """Returns an import as it is written, without the class itself, which is found otherwise; perhaps nothing."""
    kept = [each for each in statement.names if (each.asname or each.name) != name]
    if isinstance(statement, ast.Import):
        return ast.unparse(ast.Import(names=kept)) if kept else ""
    return ast.unparse(ast.ImportFrom(module=statement.module, names=kept, level=statement.level)) if kept else ""


def _save(target: Path, text: str, encoding: str) -> None:
    """Writes a file whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(text.encode(encoding))
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    except (OSError, UnicodeEncodeError) as error:
        beside.unlink(missing_ok=True)
        told = remedy(error, target) if isinstance(error, OSError) else f"({error}): name another encoding"
        raise UsageError(f"{target} cannot be written {told}") from error
