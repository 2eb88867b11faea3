"""The digest of a model's sources over normalized syntax: what decides whether a result is stale."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NO_CODE = ("versions", "search", "description")
_MOST_NODES = 100_000

ALGORITHM = f"1-py{sys.version_info.major}.{sys.version_info.minor}"
"""Names how digests are made. A syntax tree's text differs between Pythons, so digests of another
algorithm are never compared: they are computed again from the stored sources."""


def code_digest(files: Mapping[str, bytes], main: str) -> str:
    """Digests sources so that comments, docstrings and formatting do not count.

    Args:
        files: project-relative path to content.
        main: the key of the model's own file. Its name does not count, so that a renamed model keeps its history.

    Returns:
        16 hexadecimal digits.
    """
    total = hashlib.sha256(file_digest(main, files[main]).encode())
    for path in sorted(files):
        if path != main:
            total.update(f"\n{path}\0{file_digest(path, files[path])}".encode())
    return total.hexdigest()[:16]


def file_digest(path: str, content: bytes) -> str:
    """Digests one file: normalized syntax for Python and YAML that parse, the bytes for everything else."""
    if path.endswith((".yaml", ".yml")):
        content = _normalized_yaml(content)
    if path.endswith(".py"):
        try:
            return hashlib.sha256(normalized(content).encode("utf-8", "surrogatepass")).hexdigest()
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


def normalized(content: bytes) -> str:
    """Returns the syntax tree as text, without docstrings and positions."""
    return ast.dump(normalized_tree(content))


def normalized_tree(content: bytes) -> ast.Module:
    """Returns the syntax tree without docstrings, and without the number of trials of a search: more of them change no
    result.

    Raises:
        SyntaxError, ValueError, RecursionError: it cannot be parsed.
    """
    tree = ast.parse(content)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "search":
            node.keywords = [each for each in node.keywords if each.arg != "trials"]
    return tree


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body = node.body[1:] or [ast.Pass()]
