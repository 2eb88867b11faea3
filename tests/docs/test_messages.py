"""Every error says what is wrong, where, and what to do: all classes of errors, and every place that raises one."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import mlpipeline
from mlpipeline import errors
from tests.docs.blocks import ROOT

# What somebody can do, or the values or names that would be right.
REMEDY = re.compile(
    r"[:;] |`[^`]+`|mlpipeline [a-z]+|"
    r"\b(?:add|ask|call|choose|copy|free|give|install|leave|make|mend|name|raise|remove|rename|retry|run|say|see|set|take|"
    r"train|try|unset|upgrade|use|wait|write)\b|"
    r"\b(?:must|needed|needs?|only|instead|goe?s? with|stand alone|It has|It takes|There are|is one of|are told)\b",
    re.IGNORECASE,
)
# A hint that was computed, such as the nearest name, stands right behind the sentence.
HINT = re.compile(r"[.!]\{\}|\{\}\Z")
# A value, a name as it is written in code, files and on the command line, or a thing in words.
THING = re.compile(r"^(the|there (is|are)|an?|no) \w+|\{\}|--\w|`|'[^']+'|\w[_./]\w|\w\(\)|\b[A-Z]\w*[A-Z]\w*\b")
# What is said by these is said to a part of mlpipeline, which words it for people.
_DEFINES = re.compile(r"^class \w+\((?:errors\.)?(?:\w*Error|\w*Fault|Refus\w+|\w+Exception)\b", re.MULTILINE)
INNER = {"Refusal", "NoContent"}
# scikit-learn's checks of estimators demand these words.
SKLEARN = ("expecting {} features as input", "input_features ")


@dataclass(frozen=True)
class Raised:
    """An error that the code raises: where, of which class, with which words ({} for each value)."""

    where: str
    name: str
    text: str | None


def words(node: ast.expr | None) -> str | None:
    """The text of a message, as far as it stands in the code."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in parts)  # type: ignore[misc]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return (words(left) or "{}") + (words(right) or "{}")
    return None


@cache
def classes() -> dict[str, type[BaseException]]:
    """All classes of our errors, by name."""
    for module in pkgutil.walk_packages(mlpipeline.__path__, "mlpipeline."):
        source = importlib.util.find_spec(module.name)
        if source is not None and source.origin and _DEFINES.search(Path(source.origin).read_text("utf-8")):
            importlib.import_module(module.name)
    found: dict[str, type[BaseException]] = {}
    waiting: list[type[BaseException]] = [errors.MlpipelineError]
    while waiting:
        each = waiting.pop()
        if each.__module__.startswith("mlpipeline"):
            found[each.__name__] = each
            waiting += each.__subclasses__()
    return found


def raised() -> Iterator[Raised]:
    """Every `raise` of one of our errors with a message of its own."""
    for path in sorted((ROOT / "mlpipeline").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name = ast.unparse(node.exc.func).rpartition(".")[2]
                if name in classes() and name not in INNER:
                    text = words(node.exc.args[0]) if node.exc.args else None
                    if text is not None and any(each in text for each in SKLEARN):
                        continue
                    yield Raised(f"{path.relative_to(ROOT)}:{node.lineno}", name, text)


def test_there_is_one_tree_of_errors_and_it_is_large() -> None:
    assert len(classes()) > 30
    assert sum(each.text is not None for each in raised()) > 600


@pytest.mark.parametrize("name", sorted(classes()))
def test_the_docstring_of_an_error_is_a_message_for_people(name: str) -> None:
    message = inspect.cleandoc(classes()[name].__doc__ or "").splitlines()
    assert message, f"{name} has no docstring, and so no message"
    assert re.match(r"[A-Z].*[.]\Z", message[0]), f"{name}: '{message[0]}' is no sentence"
    if name != "MlpipelineError" and issubclass(classes()[name], errors.UsageError):
        assert REMEDY.search(message[0]), f"{name}: '{message[0]}' does not say what to do"


def test_every_message_names_a_thing() -> None:
    assert [each for each in raised() if each.text and not THING.search(each.text)] == []


def test_every_message_says_what_to_do_or_what_would_be_right() -> None:
    without = [each for each in raised() if each.text and not REMEDY.search(each.text) and not HINT.search(each.text)]
    assert without == []


def test_the_nearest_name_is_not_all_that_a_message_offers() -> None:
    """Where no name is near, `near_miss` says nothing: the names that there are have to follow, or another remedy."""
    found = []
    for path in sorted((ROOT / "mlpipeline").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                last = node.exc.args[0]
                value = last.values[-1] if isinstance(last, ast.JoinedStr) else None
                call = value.value if isinstance(value, ast.FormattedValue) else None
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("near_miss"):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(last)}")
    assert found == []


def test_no_message_is_empty() -> None:
    assert [each for each in raised() if each.text == ""] == []
