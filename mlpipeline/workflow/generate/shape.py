"""Reads from source code what a class is: its arguments, methods, what they return and raise. Imports nothing of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from mlpipeline.config_text import near_miss
from mlpipeline.errors import UsageError

Function = ast.FunctionDef | ast.AsyncFunctionDef
_MARKS = {"property": "property", "cached_property": "property", "classmethod": "class", "staticmethod": "static"}
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument as it is written; `kind` is one of inspect's, e.g. KEYWORD_ONLY."""

    name: str
    annotation: str = ""
    default: str | None = None
    kind: str = "POSITIONAL_OR_KEYWORD"

    @property
    def is_variable(self) -> bool:
        """Whether it stands for any number of arguments."""
        return self.kind.startswith("VAR_")

    @property
    def starred(self) -> str:
        """Returns the name as a head has it."""
        return {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(self.kind, "") + self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method.

    Attributes:
        kind: `plain`, `class`, `static` or `property`.
        arguments: without `self` and `cls`.
        returns: what is written behind the arrow, else `self` where all it returns is that; else empty.
        raises: names of exceptions, and their messages where these are plain texts.
    """

    node: Function
    name: str
    kind: str
    arguments: tuple[Argument, ...]
    returns: str
    is_generator: bool
    is_abstract: bool
    raises: tuple[tuple[str, str], ...]
    docstring: str | None

    @property
    def head(self) -> str:
        """Returns the line that defines it, without decorators."""
        arrow = f" -> {ast.unparse(self.node.returns)}" if self.node.returns else ""
        word = "async def" if isinstance(self.node, ast.AsyncFunctionDef) else "def"
        return f"{word} {self.name}({ast.unparse(self.node.args)}){arrow}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One class.

    Attributes:
        fields: what is annotated in its body; those without a default are required.
        arguments: of its constructor, of a dataclass its fields.
        methods: its own, in order.
    """

    node: ast.ClassDef
    name: str
    bases: tuple[str, ...]
    docstring: str | None
    fields: tuple[Argument, ...]
    arguments: tuple[Argument, ...]
    methods: tuple[Method, ...]

    @property
    def public(self) -> tuple[Method, ...]:
        """Returns the methods that others call."""
        return tuple(each for each in self.methods if not each.name.startswith("_") or each.name == "__call__")

    @property
    def constructor(self) -> Method | None:
        """Returns its own constructor, if it has one."""
        return next((each for each in self.methods if each.name == "__init__"), None)

    @property
    def is_abstract(self) -> bool:
        """Whether it has abstract methods of its own."""
        return any(each.is_abstract for each in self.methods)


def parsed(source: str, file: str = "the source") -> ast.Module:
    """Parses Python.

    Raises:
        UsageError: it is none; the message names file and line.
    """
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        told = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UsageError(f"{file}{line}: is no Python: {told}") from error


def classes(tree: ast.Module) -> tuple[Shape, ...]:
    """Returns the classes that a module defines at its top."""
    return tuple(_shape(node) for node in tree.body if isinstance(node, ast.ClassDef))


def one(tree: ast.Module, name: str, file: str) -> Shape:
    """Returns a class by its name; of two of that name, the last, which is the one that counts.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    found = {each.name: each for each in classes(tree)}
    if name not in found:
        known = f" It has: {', '.join(found)}" if found else " It has none"
        raise UsageError(f"{file} defines no class {name!r}.{near_miss(name, found)}{known}.")
    return found[name]


def _shape(node: ast.ClassDef) -> Shape:
    functions = {each.name: each for each in node.body if isinstance(each, Function) and not _is_secondary(each)}
    methods = tuple(_method(each) for each in functions.values())  # of two of a name, the last is the one that counts
    fields = tuple(_fields(node))
    constructor = next((each for each in methods if each.name == "__init__"), None)
    is_data = any(_last_name(each) == "dataclass" for each in node.decorator_list)
    arguments = constructor.arguments if constructor else fields if is_data else ()
    return Shape(
        node=node,
        name=node.name,
        bases=tuple(map(ast.unparse, node.bases)),
        docstring=ast.get_docstring(node),
        fields=fields,
        arguments=arguments,
        methods=methods,
    )


def _is_secondary(node: Function) -> bool:
    """Whether another function of the name is the one to describe: that of a setter, or of an overload."""
    return any(_last_name(each) in ("setter", "deleter", "overload") for each in node.decorator_list)


def _fields(node: ast.ClassDef) -> Iterator[Argument]:
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            annotation = ast.unparse(each.annotation)
            if not annotation.startswith(("ClassVar", "typing.ClassVar")):
                default = None if each.value is None else ast.unparse(each.value)
                yield Argument(name=each.target.id, annotation=annotation, default=default)


def _method(node: Function) -> Method:
    marks = [_last_name(each) for each in node.decorator_list]
    kind = next((_MARKS[mark] for mark in marks if mark in _MARKS), "plain")
    arguments = tuple(_arguments(node.args))
    own = list(_own(node.body))
    return Method(
        node=node,
        name=node.name,
        kind=kind,
        arguments=arguments if kind == "static" else arguments[1:],
        returns=_returns(node, own),
        is_generator=any(isinstance(each, ast.Yield | ast.YieldFrom) for each in own),
        is_abstract="abstractmethod" in marks,
        raises=tuple(dict(_raises(own)).items()),
        docstring=ast.get_docstring(node),
    )


def _last_name(node: ast.expr) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _arguments(given: ast.arguments) -> Iterator[Argument]:
    placed = [(each, "POSITIONAL_ONLY") for each in given.posonlyargs]
    placed += [(each, "POSITIONAL_OR_KEYWORD") for each in given.args]
    defaults = [None] * (len(placed) - len(given.defaults)) + list(given.defaults)
    for (each, kind), default in zip(placed, defaults, strict=True):
        yield _argument(each, kind, default)
    if given.vararg:
        yield _argument(given.vararg, "VAR_POSITIONAL", None)
    for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield _argument(each, "KEYWORD_ONLY", default)
    if given.kwarg:
        yield _argument(given.kwarg, "VAR_KEYWORD", None)


def _argument(given: ast.arg, kind: str, default: ast.expr | None) -> Argument:
    annotation = ast.unparse(given.annotation) if given.annotation else ""
    return Argument(
        name=given.arg, annotation=annotation, default=None if default is None else ast.unparse(default), kind=kind
    )


def _own(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yields what a body does itself: nothing of the functions and classes that it defines."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, _INNER):
            waiting = [*ast.iter_child_nodes(node), *waiting]


def _returns(node: Function, own: list[ast.AST]) -> str:
    if node.returns is not None:
        told = ast.unparse(node.returns)
        if isinstance(node.returns, ast.Constant) and isinstance(node.returns.value, str):
            told = node.returns.value
        return "" if told == "None" else told
    found = [each.value for each in own if isinstance(each, ast.Return)]
    is_self = bool(found) and all(isinstance(each, ast.Name) and each.id == "self" for each in found)
    return "self" if is_self else ""


def _raises(own: list[ast.AST]) -> Iterator[tuple[str, str]]:
    for each in own:
        if isinstance(each, ast.Raise) and each.exc is not None:
            name = _last_name(each.exc)
            if name[:1].isupper():  # what begins small is an error that was caught
                first = each.exc.args[0] if isinstance(each.exc, ast.Call) and each.exc.args else None
                text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
                yield name, text
