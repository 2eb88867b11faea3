"""Writes docstrings in Google's style, and puts them into source code without touching anything else of it."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Mapping
from itertools import pairwise

from mlpipeline.workflow.generate import shape as shapes
from mlpipeline.workflow.generate.shape import Argument, Function, Method, Shape

_SECTION = re.compile(
    r"(Args|Arguments|Attributes|Example|Examples|Note|Notes|Raises|Returns|Todo|Warning|Warnings|Warns|Yields):"
)
_ARGUMENTS = ("Args", "Arguments")
_ENTRY = re.compile(r"\s+\*{0,2}(\w+)\s*(\([^)]*\))?:")
_LINE_END = re.compile(r"\r\n|\r|\n")
Owner = ast.ClassDef | Function


def of_class(shape: Shape) -> str:
    """Returns the docstring of a class: what it says already, and all arguments of its constructor."""
    is_told = shape.constructor is not None and shape.constructor.docstring is not None
    arguments = () if is_told else shape.arguments
    return _completed(shape.docstring or f"{_sentence(shape.name)}.", arguments, {})


def of_method(method: Method) -> str:
    """Returns the docstring of a method: what it says already, its arguments, what it returns and raises."""
    more = {}
    if method.returns and method.kind != "property":
        more["Yields" if method.is_generator else "Returns"] = [
            "the object itself." if method.returns == "self" else f"{method.returns}."
        ]
    if method.raises:
        more["Raises"] = [f"{name}: {text or 'see its message'}".rstrip(".") + "." for name, text in method.raises]
    return _completed(method.docstring or f"{_sentence(method.name)}.", method.arguments, more)


def _sentence(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).strip("_").split("_")
    words = [word if word.isupper() and len(word) > 1 else word.lower() for word in words if word]
    told = " ".join(words)
    return told[:1].upper() + told[1:]


def _completed(docstring: str, arguments: tuple[Argument, ...], more: Mapping[str, list[str]]) -> str:
    """Adds the sections that are missing, and brings that of the arguments up to date; else changes nothing."""
    found = _blocks(docstring)
    wanted = [(name, _updated(lines, arguments) if name in _ARGUMENTS else lines) for name, lines in found]
    names = {name for name, _ in found}
    if arguments and not names.intersection(_ARGUMENTS):
        place = next((index for index, (name, _) in enumerate(wanted) if name), len(wanted))
        wanted.insert(place, ("Args", [f"    {_entry(each)}" for each in arguments]))
    wanted += [(name, [f"    {line}" for line in lines]) for name, lines in more.items() if name not in names]
    if wanted == found:
        return docstring
    texts = ["\n".join([f"{name}:", *lines] if name and lines else lines).rstrip() for name, lines in wanted]
    return "\n\n".join(text for text in texts if text)


def _blocks(docstring: str) -> list[tuple[str, list[str]]]:
    """Returns the sections, by their names, and the text between them, which has none; each with its lines."""
    found: list[tuple[str, list[str]]] = [("", [])]
    lines = docstring.splitlines()
    for number, line in enumerate(lines, 1):
        head = _SECTION.fullmatch(line.rstrip())
        following = next((each for each in lines[number:] if each.strip()), "")
        if head and following[:1].isspace():  # else it is a word of the text
            found.append((head[1], []))
            continue
        if found[-1][0] and line[:1].strip():
            found.append(("", []))
        found[-1][1].append(line)
    return [(name, "\n".join(block).rstrip().split("\n")) for name, block in found]


def _updated(lines: list[str], arguments: tuple[Argument, ...]) -> list[str]:
    """Returns a section's entries without arguments that are no more, and with those that are new."""
    names = {each.name for each in arguments}
    takes_any = any(each.kind == "VAR_KEYWORD" for each in arguments)
    told: set[str] = set()
    kept: list[str] = []
    is_kept = True
    indent = next((len(line) - len(line.lstrip()) for line in lines if line.strip()), 4)
    for line in lines:
        found = _ENTRY.match(line)
        if found and len(line) - len(line.lstrip()) == indent:
            is_kept = found[1] in names or takes_any
            told.add(found[1])
        if is_kept:
            kept.append(line)
    return kept + [" " * indent + _entry(each) for each in arguments if each.name not in told]


def _entry(argument: Argument) -> str:
    kind = f" ({argument.annotation})" if argument.annotation else ""
    if argument.is_variable:
        return f"{argument.starred}{kind}: further {'arguments' if argument.kind == 'VAR_POSITIONAL' else 'keywords'}."
    default = "required." if argument.default is None else f"by default {argument.default}."
    return f"{argument.name}{kind}: {default}"


def collect(tree: ast.Module) -> dict[str, str]:
    """Returns the docstrings of classes and their methods: by `Class` and `Class.method`."""
    found = {}
    for each in shapes.classes(tree):
        docstring = ast.get_docstring(each.node)
        if docstring:
            found[each.name] = docstring
        found |= {f"{each.name}.{method.name}": method.docstring for method in each.methods if method.docstring}
    return found


def insert(source: str, wanted: Mapping[str, str]) -> str:
    """Puts docstrings into source code; those that say the same already stay byte for byte.

    Args:
        source: Python.
        wanted: texts without indentation, by `Class` and `Class.method`.

    Raises:
        ValueError: what came out does something else than the source, and must not be used.
    """
    tree = ast.parse(source)
    text = _Text(source)
    edits = []
    for each in shapes.classes(tree):
        owners: list[tuple[str, Owner]] = [(each.name, each.node)]
        owners += [(f"{each.name}.{method.name}", method.node) for method in each.methods]
        for name, owner in owners:
            if name in wanted and ast.get_docstring(owner) != wanted[name]:
                edits.append(text.edit(owner, wanted[name]))
    for start, end, new in sorted(edits, reverse=True):
        source = source[:start] + new + source[end:]
    if _bare(ast.parse(source)) != _bare(tree):
        raise ValueError("the docstrings would change what the code does")
    return source


def _bare(tree: ast.Module) -> str:
    """Returns what code does, without its docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _docstring(node):
            node.body = node.body[1:]
    return ast.dump(tree)


def _docstring(owner: Owner) -> ast.Expr | None:
    match owner.body[0]:
        case ast.Expr(value=ast.Constant(value=str())) as found:
            return found
    return None


class _Text:
    """Source code in which positions of the syntax tree are found: lines, and columns in bytes of UTF-8."""

    def __init__(self, source: str) -> None:
        self.source = source
        ends = [found.end() for found in _LINE_END.finditer(source)]
        self.starts = [0, *ends]
        self.lines = [source[start:end] for start, end in pairwise([*self.starts, len(source)])]
        self.newline = next(iter(_LINE_END.findall(source)), "\n")

    def offset(self, line: int, column: int) -> int:
        before = self.lines[line - 1].encode("utf-8", "surrogatepass")[:column].decode("utf-8", "surrogatepass")
        return self.starts[line - 1] + len(before)

    def edit(self, owner: Owner, docstring: str) -> tuple[int, int, str]:
        """Returns what is replaced, from where to where, by what."""
        known = _docstring(owner)
        indent = self.indent(owner)
        literal = self.literal(docstring, indent)
        if known is not None and known.end_lineno is not None and known.end_col_offset is not None:
            end = self.offset(known.end_lineno, known.end_col_offset)
            return self.offset(known.lineno, known.col_offset), end, literal
        first = owner.body[0]
        line = min([first.lineno, *(each.lineno for each in getattr(first, "decorator_list", []))])
        start = self.offset(first.lineno, first.col_offset)
        if line == first.lineno and self.source[self.starts[line - 1] : start].strip():  # beside the colon
            head = len(self.source[:start].rstrip())
            return head, start, f"{self.newline}{indent}{literal}{self.newline}{indent}"
        while self.lines[line - 2].lstrip().startswith("#") and line - 1 > owner.lineno:  # above comments on the first
            line -= 1
        gap = self.newline if isinstance(owner, ast.ClassDef) else ""
        return self.starts[line - 1], self.starts[line - 1], f"{indent}{literal}{self.newline}{gap}"

    def indent(self, owner: Owner) -> str:
        first = owner.body[0]
        before = self.source[self.starts[first.lineno - 1] : self.offset(first.lineno, first.col_offset)]
        if not before.strip():
            return before
        line = self.lines[owner.lineno - 1]
        outer = line[: len(line) - len(line.lstrip())]
        return outer + ("\t" if "\t" in outer else "    ")

    def literal(self, docstring: str, indent: str) -> str:
        escaped = docstring.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        escaped = "".join(each if each in "\n\t" or each.isprintable() else ascii(each)[1:-1] for each in escaped)
        if escaped.endswith('"'):
            escaped = f'{escaped[:-1]}\\"'
        if "\n" not in escaped:
            return f'"""{escaped}"""'
        return textwrap.indent(f'"""{escaped}\n"""', indent).removeprefix(indent).replace("\n", self.newline)
