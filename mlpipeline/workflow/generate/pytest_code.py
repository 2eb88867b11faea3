"""Writes pytest functions for a class, from its source code alone: what they assert is what the code says now."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from mlpipeline.workflow.generate.shape import Argument, Method, Shape
from mlpipeline.workflow.literals import literal

_SAMPLES = {
    "bool": "True", "dict": "{}", "float": "0.5", "frozenset": "frozenset()", "int": "1", "list": "[]", "Mapping": "{}",
    "Sequence": "[]", "set": "set()", "str": '"text"', "tuple": "()",
}  # fmt: skip
_CONVERSIONS = frozenset(("bool", "dict", "float", "frozenset", "int", "len", "list", "set", "str", "tuple"))
_HARMLESS = frozenset(("get", "copy", "items", "keys", "values"))


def functions(shapes: Iterable[Shape]) -> str:
    """Returns test functions, for a module in which the classes are known by their names."""
    found = [text for shape in shapes for text in _of_class(shape)]
    used = [name for name in ("doctest", "inspect", "pytest") if any(f"{name}." in text for text in found)]
    heads = [f"import {name}" for name in used if name != "pytest"]
    heads += [*([""] if heads else []), "import pytest"] if "pytest" in used else []
    heads += [*([""] if heads else []), "from mlpipeline.workflow.interface import interface_faults"]
    return "\n".join(heads) + "\n\n\n" + "\n\n\n".join(found) + "\n"


def _of_class(shape: Shape) -> Iterator[str]:
    test = f"def test_{_snake(shape.name)}"
    if shape.is_abstract:
        missing = [each.name for each in shape.methods if each.is_abstract]
        yield (
            f"{test}_is_a_type_that_others_implement():\n"
            f"    assert {{{_listed(missing)}}} <= {shape.name}.__abstractmethods__\n"
            f"    with pytest.raises(TypeError):\n        {shape.name}()"
        )
    else:
        yield f"{test}_keeps_the_interface_of_its_type():\n    assert interface_faults({shape.name}) == ()"
    for method in shape.public:
        yield f"{test}_{method.name.strip('_')}_is_called_as_before():\n{_call(shape, method)}"
    made = None if shape.is_abstract else _construction(shape)
    if made is not None:
        yield f"{test}_takes_what_configures_it():\n{made}"
    if any(">>>" in (text or "") for text in (shape.docstring, *(each.docstring for each in shape.methods))):
        yield (
            f"{test}_does_what_its_examples_say():\n"
            f"    tests = doctest.DocTestFinder().find({shape.name}, globs=dict(globals()))\n"
            "    assert not any(doctest.DocTestRunner().run(each).failed for each in tests)"
        )


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).strip("_").lower()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(literal, names))


def _call(shape: Shape, method: Method) -> str:
    if method.kind == "property":
        return f"    assert not callable(inspect.getattr_static({shape.name}, {literal(method.name)}))"
    skipped = "[1:]" if method.kind == "plain" else ""
    names = _listed(each.name for each in method.arguments)
    optional = [each.name for each in method.arguments if each.default is not None]
    lines = [f"    parameters = list(inspect.signature({shape.name}.{method.name}).parameters.values()){skipped}"]
    lines.append(f"    assert [each.name for each in parameters] == [{names}]")
    if optional:
        given = "[each.name for each in parameters if each.default is not each.empty]"
        lines.append(f"    assert {given} == [{_listed(optional)}]")
    return "\n".join(lines)


def _construction(shape: Shape) -> str | None:
    """Returns a test that makes an object; None where one cannot tell from the code what would happen."""
    constructor = shape.constructor
    if constructor is None and not shape.arguments:
        return None
    if constructor is not None and not all(map(_is_plain, constructor.node.body)):
        return None
    required = [each for each in shape.arguments if each.default is None and not each.is_variable]
    given = {each.name: _sample(each) for each in required if each.kind != "POSITIONAL_ONLY"}
    if len(given) < len(required) or None in given.values():
        return None
    lines = [f"    made = {shape.name}({', '.join(f'{name}={value}' for name, value in given.items())})"]
    kept = _kept(constructor) if constructor is not None else dict(zip(given, given, strict=True))
    lines += [f"    assert made.{attribute} == {given[name]}" for attribute, name in kept.items() if name in given]
    if len(lines) == 1:
        lines.append(f"    assert isinstance(made, {shape.name})")
    return "\n".join(lines)


def _sample(argument: Argument) -> str | None:
    if "None" in argument.annotation.split(" | "):
        return "None"
    return _SAMPLES.get(argument.annotation.partition("[")[0].rpartition(".")[2])


def _is_plain(statement: ast.stmt) -> bool:
    """Whether a statement of a constructor does nothing but keep what it is given."""
    if isinstance(statement, ast.Pass | ast.Expr) and not list(_calls(statement)):
        return True
    is_assignment = isinstance(statement, ast.Assign | ast.AnnAssign)
    return is_assignment and all(map(_is_harmless, _calls(statement))) and not _subscripts(statement)


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    yield from (each for each in ast.walk(node) if isinstance(each, ast.Call))


def _subscripts(statement: ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    return value is not None and any(isinstance(each, ast.Subscript) for each in ast.walk(value))


def _is_harmless(call: ast.Call) -> bool:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr in _HARMLESS
    return isinstance(function, ast.Name) and function.id in _CONVERSIONS - {"int", "float"}


def _kept(constructor: Method) -> dict[str, str]:
    """Returns the attributes that are an argument as it was given."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    for statement in constructor.node.body:
        match statement:
            case ast.Assign(targets=[ast.Tuple(elts=left)], value=ast.Tuple(elts=right)) if len(left) == len(right):
                pairs += zip(left, right, strict=True)
            case ast.Assign(targets=[target], value=value):
                pairs.append((target, value))
    found = {}
    for pair in pairs:
        match pair:
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute), ast.Name(id=name):
                found[attribute] = name
    return found
