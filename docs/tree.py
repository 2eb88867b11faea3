"""Writes the tree of docs/architecture.md from the disk: every module with the first sentence of its docstring.

Run it as `make tree`. A test compares the page with what this would write.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- tree: written by `make tree` -->\n```text\n", "```\n<!-- end of tree -->"
INDENT, COLUMN = "  ", 26


def sentence(module: Path) -> str:
    """Returns the first line of a module's docstring, without its stop; empty where there is none."""
    text = ast.get_docstring(ast.parse(module.read_bytes())) if module.is_file() else None
    return text.splitlines()[0].removesuffix(".") if text else ""


def line(name: str, depth: int, said: str) -> str:
    """Returns one line of the tree."""
    return f"{INDENT * depth + name:<{COLUMN}} {said}".rstrip() + "\n"


def render(package: Path, depth: int = 0) -> str:
    """Returns a package's lines: its modules first, then the packages in it."""
    lines = [line(f"{package.name}/", depth, sentence(package / "__init__.py"))]
    modules = sorted(module for module in package.glob("*.py") if module.name != "__init__.py")
    lines.extend(line(module.name, depth + 1, sentence(module)) for module in modules)
    packages = sorted(inner for inner in package.iterdir() if inner.is_dir() and any(inner.glob("*.py")))
    lines.extend(render(inner, depth + 1) for inner in packages)
    return "".join(lines)


def current(page: str) -> str:
    """Returns the page with the tree as it is on disk.

    Raises:
        ValueError: when the page has lost the marks between which the tree stands.
    """
    before, found, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"{PAGE}: put back the marks {BEGIN!r} and {END!r}")
    return before + BEGIN + render(ROOT / "mlpipeline") + END + after


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
