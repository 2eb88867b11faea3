"""The types that a new component may be of: those that are built in, and those that the project or a package has."""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import Any

from mlpipeline.config_text import near_or_known, shown
from mlpipeline.errors import UsageError
from mlpipeline.scaffold.names import Name
from mlpipeline.workflow import types as built_in
from mlpipeline.workflow.classes import LEVELS, Classes
from mlpipeline.workflow.interface import parameters
from mlpipeline.workflow.sources import Sources

BUILT_IN = tuple(name for name in built_in.__all__ if name not in built_in.CONTRACT)

_MODULE = '''"""{title}: a {type_name} of this project."""

from {type_module} import {type_name}


class {class_name}({type_name}):
    """Say in one sentence what it does.

    Annotations in the class's body are keys of the configuration: `rate: float = 0.1`.
    """
{methods}'''
_TEST = '''"""{title} keeps the interface of its type, and is found by its name."""

import unittest

from components.{module_name} import {class_name}
from mlpipeline.workflow import load
from mlpipeline.workflow.interface import interface_faults


class Test{class_name}(unittest.TestCase):
    def test_it_has_every_method_of_its_type(self):
        self.assertEqual(interface_faults({class_name}), ())

    def test_a_workflow_finds_it(self):
        runner = load({{"component": {{"{module_name}": "{class_name}"}}}})
        self.assertIsInstance(runner.{module_name}, {class_name})
'''


def defined(root: Path) -> dict[str, list[str]]:
    """Returns the files of the project that define each class of its levels. Imports nothing."""
    sources = Sources(root)
    places = [root / f"{level}s" for level in LEVELS if (root / f"{level}s").is_dir()]
    found = Classes(sources, places, []).defined()
    return {name: [sources.relative(each) for each in files] for name, files in found.items()}


def own(root: Path, type_name: str, name: Name) -> dict[str, bytes]:
    """Returns the files of a component of a type that is not built in: all abstract methods are there, to be written.

    Raises:
        UsageError: there is no such type, or the class has no abstract methods.
    """
    kind = _type(root, type_name)
    methods = sorted(getattr(kind, "__abstractmethods__", ()))
    if not methods:
        raise UsageError(f"--type {type_name}: it is no type: it has no abstract methods")
    values = {"title": name.title, "module_name": name.module, "class_name": name.kind, "type_name": kind.__name__}
    files = defined(root).get(type_name)
    # By its file: while it was read here it may have been given another name.
    home = kind.__module__ if files is None else ".".join(Path(files[0]).with_suffix("").parts)
    texts = "".join(_method(each, inspect.getattr_static(kind, each)) for each in methods)
    module = _MODULE.format(**values, type_module=home, methods=texts)
    test = _TEST.format(**values)
    return {
        f"components/{name.module}.py": module.encode(),
        f"tests/test_component_{name.module}.py": test.encode(),
    }


def _type(root: Path, name: str) -> type:
    from mlpipeline import plugins
    from mlpipeline.workflow.node import Node, Place

    place = root / "components"
    known = [*BUILT_IN, *defined(root), *plugins.names("component")]
    if "." not in name and ":" not in name and name not in known:
        raise UsageError(f"--type {shown(name)}: there is no such type.{near_or_known(name, known)}")
    faults: list[Any] = []
    classes = Classes(Sources(root), [place] if place.is_dir() else [], faults)
    found = classes.find("component", Node(value=name, place=Place("--type")))
    if found is None:
        raise UsageError("; ".join(f"--type {shown(name)}: {each.message}" for each in faults))
    return found


def _method(name: str, declared: Any) -> str:
    is_property = isinstance(declared, property)
    taken = [each.replace(annotation=inspect.Parameter.empty) for each in parameters(declared) or []]
    told = ", ".join(["self", *([str(inspect.Signature(taken))[1:-1]] if taken else [])])
    doc = inspect.getdoc(declared) or "Say what it returns."
    doc = textwrap.indent(f'"""{doc}{chr(10) if chr(10) in doc else ""}"""', " " * 8).replace("\n        \n", "\n\n")
    head = ["    @property"] if is_property else []
    body = [f"    def {name}({told}):", doc, f'        raise NotImplementedError("{name}: write it")']
    return "\n" + "\n".join([*head, *body]) + "\n"
