"""Takes what adds versions out of a script's syntax tree: parameters count by themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlpipeline.version import ALIASES, PUBLISHED

_ADD = {"add", "addV", "add_version", "grid", "sample", "rangeOnParameters"}
_CHAIN = _ADD | {"search"}
_READS = {"versions", "getVersion", "get_version"}
_PARTS = (ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp)
_SIGNS = (ast.unaryop, ast.operator, ast.expr_context)
_MODEL = "MODEL"


def without_versions(tree: ast.Module) -> ast.Module:
    """Removes calls such as `.add("wide", units=64)`, all of whose arguments are constants.

    It removes them where nothing but the model gets the collection: from `MODEL = Net(Versions().add(...))`, or from a
    module's name that is used for nothing else. Where a script does more with it, as `len(versions)`, all of it counts.
    """
    found = _Collections(tree)
    return _Removal(found.calls).visit(tree)  # type: ignore[no-any-return]


def reads_versions(tree: ast.AST, kind: str | None) -> bool:
    """Returns whether code may look at other versions than the one that it trains: then each tells of the others.

    Args:
        tree: a module.
        kind: what the model's class is called, if anything is known of it.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr in _READS:
            return True
        if isinstance(node, ast.FunctionDef) and "versions" in _parameters(node) and _looks_into(node, "versions"):
            return True
        body = node.body if isinstance(node, ast.ClassDef) and node.name == kind else ()
        for made in (each for each in body if isinstance(each, ast.FunctionDef) and each.name == "__init__"):
            if any(_looks_into(made, name) for name in _parameters(made)[1:2]):
                return True
    return False


def kind_of_model(tree: ast.Module) -> str | None:
    """Returns the name of the class that a module's model is constructed of."""
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="MODEL")], value=ast.Call(func=function))
                | ast.AnnAssign(target=ast.Name(id="MODEL"), value=ast.Call(func=function))
            ):
                return function.id if isinstance(function, ast.Name) else getattr(function, "attr", None)
    return None


def _parameters(function: ast.FunctionDef) -> list[str]:
    given = function.args
    return [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def _looks_into(function: ast.AST, name: str) -> bool:
    """Returns whether a function does more with a parameter than to hand it to its parent's constructor."""
    handed = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "__init__":
            handed |= {id(each) for each in (*node.args, *(keyword.value for keyword in node.keywords))}
    uses = (node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name)
    return any(id(node) not in handed for node in uses)


class _Collections:
    """What in a module adds versions to a collection that only the model gets."""

    def __init__(self, tree: ast.Module) -> None:
        self.calls: set[int] = set()
        self._tree = tree
        self._parents = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self._classes = _imported(tree)
        if reads_versions(tree, kind_of_model(tree)):
            return
        bound: dict[str, list[ast.AST]] = {}
        for node in ast.walk(tree):
            if self._is_made(node):
                top, adding = self._chain(node)
                if self._is_models(top):
                    self.calls |= adding
                elif name := self._binds(top):
                    bound.setdefault(name, []).append(node)
        for name, made in bound.items():
            if len(made) == 1:
                self._of_name(name, made[0])

    def _is_made(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and ast.unparse(node.func) in self._classes

    def _chain(self, node: ast.AST) -> tuple[ast.AST, set[int]]:
        """Returns the last of the calls that are chained to a collection, and which of them add by constants."""
        adding: set[int] = set()
        while True:
            method = self._parents[id(node)]
            call = self._parents.get(id(method))
            if not (isinstance(method, ast.Attribute) and isinstance(call, ast.Call) and call.func is method):
                return node, adding
            if method.attr not in _CHAIN:
                return node, adding
            if method.attr in _ADD and _is_plain(call, method.attr):
                adding.add(id(call))
            node = call

    def _is_models(self, top: ast.AST) -> bool:
        """Returns whether it is what the module's model is constructed with."""
        call = self._parents[id(top)]
        if isinstance(call, ast.keyword):
            call = self._parents[id(call)]
        if not isinstance(call, ast.Call) or call.func is top or not isinstance(call.func, ast.Name | ast.Attribute):
            return False
        functions = {each.name for each in ast.walk(self._tree) if isinstance(each, ast.FunctionDef)}
        is_class = not (isinstance(call.func, ast.Name) and call.func.id in functions)
        return is_class and self._binds(call) == _MODEL

    def _binds(self, value: ast.AST) -> str | None:
        """Returns the module's name that a value is assigned to."""
        statement = self._parents[id(value)]
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                return name if any(each is statement for each in self._tree.body) else None
        return None

    def _of_name(self, name: str, made: ast.AST) -> None:
        top, calls = self._chain(made)
        fine = {id(self._target(top))}
        for node in self._uses(name):
            if id(node) in fine:
                continue
            if not isinstance(node.ctx, ast.Load):
                # `versions = versions.add(...)` comes to the same as the line without its left side.
                if not self._rebinds(node, name):
                    return
                continue
            last, adding = self._chain(node)
            is_line = isinstance(self._parents[id(last)], ast.Expr)
            if not (is_line or self._binds(last) == name or self._is_models(last)):
                return
            calls |= adding
        if not self._is_otherwise_bound(name):
            self.calls |= calls

    def _target(self, value: ast.AST) -> ast.AST:
        statement = self._parents[id(value)]
        return statement.targets[0] if isinstance(statement, ast.Assign) else statement.target  # type: ignore[attr-defined]

    def _rebinds(self, target: ast.AST, name: str) -> bool:
        value = getattr(self._parents[id(target)], "value", None)
        while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in _CHAIN:
            value = value.func.value
        return isinstance(value, ast.Name) and value.id == name and isinstance(self._parents[id(target)], ast.Assign)

    def _uses(self, name: str) -> Iterator[ast.Name]:
        """Yields where the module's name stands; a function's parameter of the same name is another one."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Name) and node.id == name and not self._is_parameter(node):
                yield node

    def _is_parameter(self, node: ast.Name) -> bool:
        inner: ast.AST = node
        while (outer := self._parents.get(id(inner))) is not None:
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) and any(each is inner for each in outer.body):
                arguments = [each.arg for each in ast.walk(outer.args) if isinstance(each, ast.arg)]
                if node.id in arguments:
                    return True
            inner = outer
        return False

    def _is_otherwise_bound(self, name: str) -> bool:
        fields = ("name", "asname", "rest")
        named = (getattr(node, field, None) for node in ast.walk(self._tree) for field in fields)
        declared = (node.names for node in ast.walk(self._tree) if isinstance(node, ast.Global))
        return name in named or any(name in names for names in declared)


class _Removal(ast.NodeTransformer):
    """Puts the collection into the place of each of these calls, and removes lines of which nothing else is left."""

    def __init__(self, calls: set[int]) -> None:
        self._calls = calls

    def visit_Call(self, node: ast.Call) -> ast.AST:
        is_one = id(node) in self._calls
        self.generic_visit(node)
        return node.func.value if is_one and isinstance(node.func, ast.Attribute) else node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        was_call = id(node.value) in self._calls
        self.generic_visit(node)
        return None if was_call and isinstance(node.value, ast.Name) else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        was_call = id(node.value) in self._calls
        self.generic_visit(node)
        return None if was_call and isinstance(node.value, ast.Name) else node


def _imported(tree: ast.Module) -> set[str]:
    """Returns what the class of versions is called in a module: `Versions`, `mlpipeline.Versions`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and _is_ours(node.module or ""):
            found |= {each.asname or each.name for each in node.names if each.name == "Versions"}
            found |= {f"{each.asname or each.name}.Versions" for each in node.names}
        elif isinstance(node, ast.Import):
            found |= {f"{each.asname or each.name}.Versions" for each in node.names if _is_ours(each.name)}
    bound = _bound(tree)
    return {name for name in found if name.partition(".")[0] not in bound}


def _bound(tree: ast.Module) -> set[str]:
    """Returns the names that a module gives to something, other than by importing it."""
    definitions = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    named = {node.name for node in ast.walk(tree) if isinstance(node, definitions)}
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return named | {node.id for node in names if not isinstance(node.ctx, ast.Load)}


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "mlpipeline"


def _is_plain(call: ast.Call, method: str) -> bool:
    """Returns whether the parameters of a call are constants, which the digest of a version's parameters tells apart.

    It leaves out a parameter that is None, which is as good as none only where each version has it anyway.
    """
    values = [*call.args, *(each.value for each in call.keywords)]
    if not all(isinstance(node, _PARTS + _SIGNS) for value in values for node in ast.walk(value)):
        return False
    if method == "rangeOnParameters":
        return not any(_is_none(node) for value in values for node in ast.walk(value))
    published = {*PUBLISHED, *ALIASES}
    if any(_is_none(each.value) for each in call.keywords if each.arg not in published):
        return False
    spread = [*call.args, *(each.value for each in call.keywords if each.arg in (None, "custom_paramters"))]
    return not any(_is_none(value) for each in spread if isinstance(each, ast.Dict) for value in each.values)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
