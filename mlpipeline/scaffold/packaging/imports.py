"""Changes a file's imports from the project's modules to those of the package that it becomes part of."""

from __future__ import annotations

import ast
import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from mlpipeline.config_text import Fault
from mlpipeline.errors import ConfigurationError
from mlpipeline.execution.snapshot import Place, find_module


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A file on its way into a package.

    Attributes:
        package: the module that everything goes into, `my_parts`.
    """

    place: Place
    package: str

    @property
    def name(self) -> str:
        """The file, relative to the project."""
        return self.place.relative(self.place.main)

    def rewritten(self, content: bytes) -> bytes:
        """Returns the file's content with its imports changed; everything else is as it was.

        Raises:
            ConfigurationError: an import cannot be kept; the message says how to write it.
        """
        content = content.removeprefix(codecs.BOM_UTF8)  # which columns do not count
        lines = content.splitlines(keepends=True)
        for node in reversed(list(self._imports(content))):  # from the end, so that places stay right
            text = self._text(node)
            if text is not None:
                _replace(lines, node, text.encode())
        return b"".join(lines)

    def _imports(self, content: bytes) -> Iterator[ast.Import | ast.ImportFrom]:
        found = [each for each in ast.walk(ast.parse(content)) if isinstance(each, ast.Import | ast.ImportFrom)]
        yield from sorted(found, key=lambda each: (each.lineno, each.col_offset))

    def _text(self, node: ast.Import | ast.ImportFrom) -> str | None:
        if isinstance(node, ast.ImportFrom):
            target = None if node.level else self._target(node.module or "", [each.name for each in node.names])
            return None if target is None else ast.unparse(ast.ImportFrom(target, node.names, 0))
        texts = [self._plain(alias, node) for alias in node.names]
        if all(text is None for text in texts):
            return None
        kept = (text or ast.unparse(ast.Import([alias])) for alias, text in zip(node.names, texts, strict=True))
        return "; ".join(kept)

    def _plain(self, alias: ast.alias, node: ast.Import) -> str | None:
        target = self._target(alias.name, [])
        if target is None:
            return None
        if alias.asname:
            return f"import {target} as {alias.asname}"
        if "." in alias.name:
            before, _, last = alias.name.rpartition(".")
            told = f"`import {alias.name}` cannot be kept in a package: write `from {before} import {last}`"
            raise ConfigurationError(faults=[Fault(self.name, node.lineno, told)])
        before, _, last = target.rpartition(".")
        return f"from {before} import {last}"

    def _target(self, module: str, names: list[str]) -> str | None:
        """Returns the module's name in the package; None where it is none of the project's."""
        for base in self.place.search:
            if any(True for name in ("", *names) for _ in find_module(f"{module}.{name}".rstrip("."), (base,))):
                where = self.place.relative(base)
                between = [] if where == "." else where.split("/")
                return ".".join([self.package, *between, *([module] if module else [])])
        return None


def _replace(lines: list[bytes], node: ast.stmt, text: bytes) -> None:
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    rest = lines[last][node.end_col_offset :]
    lines[first : last + 1] = [lines[first][: node.col_offset] + text + rest]
