"""The digest of a model's sources over normalized syntax: what decides whether a result is stale."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Mapping

from mlpipeline.execution.version_lines import kind_of_model, reads_versions, without_versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NO_CODE = ("versions", "search", "description")
_MOST_NODES = 100_000

ALGORITHM = f"2-py{sys.version_info.major}.{sys.version_info.minor}"
"""Names how digests are made. A syntax tree's text differs between Pythons, so digests of another
algorithm are never compared: they are computed again from the stored sources."""

FORMER = f"1-py{sys.version_info.major}.{sys.version_info.minor}"
"""Names how digests were made while versions counted that a script adds by constants. What is named after such a digest
and does not stand in the ledger, as claims and studies, is found by it."""


def code_digest(files: Mapping[str, bytes], main: str, algorithm: str = ALGORITHM) -> str:
    """Digests sources so that comments, docstrings and formatting do not count.

    Args:
        files: project-relative path to content.
        main: the key of the model's own file. Its name does not count, so that a renamed model keeps its history.
        algorithm: `ALGORITHM` or `FORMER`.

    Returns:
        16 hexadecimal digits.
    """
    own = file_digest(main, files[main], is_model=algorithm != FORMER and has_plain_versions(files, main))
    total = hashlib.sha256(own.encode())
    for path in sorted(files):
        if path != main:
            total.update(f"\n{path}\0{file_digest(path, files[path])}".encode())
    return total.hexdigest()[:16]


def has_plain_versions(files: Mapping[str, bytes], main: str) -> bool:
    """Returns whether what adds versions to the model says nothing but parameters: no code beside it looks at them."""
    others = (content for path, content in files.items() if path != main and path.endswith(".py"))
    try:
        kind = kind_of_model(ast.parse(files[main])) if main.endswith(".py") else None
        return not any(b"ersion" in each and reads_versions(ast.parse(each), kind) for each in others)
    except (SyntaxError, ValueError, RecursionError):
        return False


def file_digest(path: str, content: bytes, *, is_model: bool = False) -> str:
    """Digests one file: normalized syntax for Python and YAML that parse, the bytes for everything else.

    Args:
        path: its suffix tells its kind.
        content: the file's.
        is_model: whether versions that it adds by constants are left out.
    """
    if path.endswith((".yaml", ".yml")):
        content = _normalized_yaml(content)
    if path.endswith(".py"):
        try:
            return hashlib.sha256(normalized(content, is_model).encode("utf-8", "surrogatepass")).hexdigest()
        except (SyntaxError, ValueError, RecursionError):
            pass  # a file that does not parse is compared as it is
    return hashlib.sha256(content).hexdigest()


def _normalized_yaml(content: bytes) -> bytes:
    """Returns what YAML says, without comments and layout, and without the versions, which are told apart by their
    parameters; the bytes as they are where it cannot be parsed."""
    try:
        import yaml

        told = repr(_plain(yaml.compose(content, Loader=yaml.BaseLoader), [_MOST_NODES], is_root=True))
    except Exception:  # without the parser, or with broken text, the bytes have to do
        return content
    return told.encode("utf-8", "surrogatepass")


def _plain(node: Any, left: list[int], *, is_root: bool = False) -> Any:
    """Returns a node in plain containers.

    Raises:
        RecursionError: aliases make it endless.
    """
    left[0] -= 1
    if left[0] < 0:
        raise RecursionError
    value = getattr(node, "value", None)
    if not isinstance(value, list):
        # A quoted scalar is text, also where it looks like a number.
        return (getattr(node, "tag", ""), value, getattr(node, "style", None) in (None, ""))
    if value and isinstance(value[0], tuple):
        kept = [each for each in value if not (is_root and each[0].value in _NO_CODE)]
        return [(_plain(key, left), _plain(each, left)) for key, each in kept]
    return [_plain(each, left) for each in value]


def normalized(content: bytes, is_model: bool = False) -> str:
    """Returns the syntax tree as text, without docstrings and positions."""
    return ast.dump(normalized_tree(content, is_model))


def normalized_tree(content: bytes, is_model: bool = False) -> ast.Module:
    """Returns the syntax tree without docstrings and the number of trials of a search: more of them change no result.

    Args:
        content: a module's source.
        is_model: whether versions that it adds by constants are left out as well: parameters tell them apart.

    Raises:
        SyntaxError, ValueError, RecursionError: it cannot be parsed.
    """
    tree = ast.parse(content)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "search":
            node.keywords = [each for each in node.keywords if each.arg != "trials"]
    return without_versions(tree) if is_model else tree


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body = node.body[1:] or [ast.Pass()]
