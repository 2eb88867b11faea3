"""Writes texts about source code from its syntax tree, without asking anybody."""

from __future__ import annotations

from collections.abc import Callable

from mlpipeline.config_text import near_miss
from mlpipeline.errors import UsageError
from mlpipeline.workflow.generate import docstrings, documentation, pytest_code, shape
from mlpipeline.workflow.types import TextGenerator


class LocalTextGenerator(TextGenerator):
    """Says what the code itself says: names, arguments, defaults, what is returned and raised."""

    def generate(self, task: str, source: str) -> str:
        """Returns text on the classes of a source: Markdown, the source with docstrings, or functions for pytest.

        Args:
            task: documentation, docstrings or tests.
            source: Python.

        Raises:
            UsageError: the task is unknown, or the source is no Python.
        """
        if task not in _TASKS:
            raise UsageError(f"there is no task {task!r}.{near_miss(task, _TASKS)} Known: {', '.join(_TASKS)}")
        shape.parsed(source)
        return _TASKS[task](source)


def _documentation(source: str) -> str:
    return documentation.page(shape.classes(shape.parsed(source)))


def _docstrings(source: str) -> str:
    wanted = {}
    for each in shape.classes(shape.parsed(source)):
        wanted[each.name] = docstrings.of_class(each)
        # where only private methods are given, those are meant; a constructor's arguments stand with its class
        asked = each.public or [method for method in each.methods if method.name != "__init__"]
        wanted |= {f"{each.name}.{method.name}": docstrings.of_method(method) for method in asked}
    return docstrings.insert(source, wanted)


def _tests(source: str) -> str:
    return pytest_code.functions(shape.classes(shape.parsed(source)))


_TASKS: dict[str, Callable[[str], str]] = {
    "documentation": _documentation,
    "docstrings": _docstrings,
    "tests": _tests,
}
