"""Writes a class's documentation in Markdown, from its source code alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlpipeline.workflow.generate.shape import Argument, Method, Shape

_SECTION = re.compile(r"([A-Z]\w+):")
_ENTRY = re.compile(r"\*{0,2}([\w., ]+?)\s*(?:\(([^)]*)\))?:\s*(.*)")


def page(shapes: Iterable[Shape]) -> str:
    """Returns a page: each class with what configures it, and its public methods."""
    return "\n\n".join("\n\n".join(_class(each)) for each in shapes) + "\n"


def _class(shape: Shape) -> Iterator[str]:
    yield f"# {shape.name}"
    yield from _text(shape.docstring)
    if shape.bases:
        yield f"Is a {', '.join(f'`{each}`' for each in shape.bases)}."
    fields = {each.name: each for each in (*shape.fields, *shape.arguments) if not each.is_variable}
    if fields:
        yield "## What it is given"
        yield _table(fields.values())
    if shape.public:
        yield "## Methods"
    for method in shape.public:
        yield from _method(method)


def _table(arguments: Iterable[Argument]) -> str:
    rows = ["| name | type | default |", "|---|---|---|"]
    for each in arguments:
        default = "required" if each.default is None else _code(each.default)
        rows.append(f"| {_code(each.name)} | {_code(each.annotation)} | {default} |")
    return "\n".join(rows)


def _code(text: str) -> str:
    """Returns text as code within a table's cell; a line's bars and breaks would end the cell."""
    if not text:
        return ""
    flat = " ".join(text.split()).replace("|", "\\|")
    return f"`` {flat} ``" if "`" in flat else f"`{flat}`"


def _method(method: Method) -> Iterator[str]:
    yield f"### {method.name}"
    mark = {"class": "@classmethod\n", "static": "@staticmethod\n", "property": "@property\n"}.get(method.kind, "")
    yield f"```python\n{mark}{method.head}\n```"
    yield from _text(method.docstring)
    if method.raises and "Raises:" not in (method.docstring or ""):
        told = (f"* `{name}`{f': {text}' if text else ''}" for name, text in method.raises)
        yield "**Raises**\n\n" + "\n".join(told)
    if method.is_abstract:
        yield "Every implementation defines it."


def _text(docstring: str | None) -> Iterator[str]:
    """Yields the paragraphs of a docstring; the sections of Google's style become lists."""
    section, lines = "", []
    for line in [*(docstring or "").splitlines(), "End:"]:
        found = _SECTION.fullmatch(line.rstrip())
        if not found:
            lines.append(line)
            continue
        text = "\n".join(lines).strip("\n")
        if text.strip():
            yield f"**{section}**\n\n{_entries(lines)}" if section else text.strip()
        section, lines = found[1], []


def _entries(lines: list[str]) -> str:
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    found: list[str] = []
    for line in lines:
        entry = _ENTRY.fullmatch(line.strip())
        if entry and len(line) - len(line.lstrip()) == indent:
            kind = f" ({entry[2]})" if entry[2] else ""
            found.append(f"* `{entry[1]}`{kind}: {entry[3]}")
        elif line.strip():
            found.append(f"  {line.strip()}" if found else line.strip())
    return "\n".join(found)
