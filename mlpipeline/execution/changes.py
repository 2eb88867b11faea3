"""What differs between two copies of a model's sources, function by function, and between two sets of parameters."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlpipeline import params
from mlpipeline.execution.fingerprint import has_plain_versions, normalized_tree

MODULE_LEVEL = "module level"
_LONGEST = 40
_ABSENT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference.

    Attributes:
        kind: "code", "file" or "parameter".
        name: `Net.train_model`, a file's path, or a parameter's address.
        text: the whole of it in words, `Net.train_model in models/digits.py changed`.
    """

    kind: str
    name: str
    text: str


def of_code(
    before: Mapping[str, bytes], main_before: str, after: Mapping[str, bytes], main_after: str
) -> tuple[Change, ...]:
    """Returns what differs between two sets of sources, as far as the fingerprint counts it.

    Args:
        before: project-relative path to content.
        main_before: the key of the model's own file; it is compared with the other one's, whatever both are called.
        after: likewise.
        main_after: likewise.
    """
    old = {main_after if path == main_before else path: content for path, content in before.items()}
    plain = has_plain_versions(old, main_after), has_plain_versions(after, main_after)
    found: list[Change] = []
    for path in sorted({*old, *after}, key=lambda each: (each != main_after, each)):
        if path not in old:
            found.append(Change(kind="file", name=path, text=f"{path} is new"))
        elif path not in after:
            found.append(Change(kind="file", name=path, text=f"{path} is gone"))
        elif old[path] != after[path]:
            found += _of_file(path, old[path], after[path], plain if path == main_after else (False, False))
    return tuple(found)


def _of_file(path: str, before: bytes, after: bytes, plain: tuple[bool, bool]) -> list[Change]:
    whole = Change(kind="file", name=path, text=f"{path} changed")
    if not path.endswith(".py"):
        return [whole]
    try:
        old, new = _in_order(before, plain[0]), _in_order(after, plain[1])
    except (SyntaxError, ValueError, RecursionError):
        return [whole]
    if old == new:
        return []
    found = [*_compared(path, _by_name(old), _by_name(new))]
    return found or [Change(kind="file", name=path, text=f"the order of definitions in {path} changed")]


def _in_order(content: bytes, is_model: bool) -> list[tuple[str, str]]:
    """Returns the parts of a module with their syntax: the same for two modules if the fingerprint is."""
    return list(_of_body(normalized_tree(content, is_model).body, "", MODULE_LEVEL))


def _by_name(parts: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {MODULE_LEVEL: []}
    for name, text in parts:
        found.setdefault(name, []).append(text)
    return found


def _of_body(body: list[ast.stmt], prefix: str, rest: str) -> Iterator[tuple[str, str]]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield f"{prefix}{node.name}", ast.dump(node)
            case ast.ClassDef():
                name = f"{prefix}{node.name}"
                inner, node.body = node.body, []
                yield name, ast.dump(node)
                yield from _of_body(inner, f"{name}.", name)
            case ast.Pass() if prefix and len(body) == 1:
                continue  # what an empty class needs
            case _:
                yield rest, ast.dump(node)


def _compared(path: str, old: Mapping[str, list[str]], new: Mapping[str, list[str]]) -> Iterator[Change]:
    for name in [*new, *(name for name in old if name not in new)]:
        if old.get(name) == new.get(name):
            continue
        if name not in old or name not in new:
            verb, there = ("is new", old) if name not in old else ("is gone", new)
            owner = name.rpartition(".")[0]
            if owner and owner not in there:
                continue  # its class came or went as a whole
        else:
            verb = "changed"
        full = f"{name} of {path}" if name == MODULE_LEVEL else f"{name} in {path}"
        yield Change(kind="code", name=full if name == MODULE_LEVEL else name, text=f"{full} {verb}")


def of_params(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Returns which described parameters differ."""
    old, new = params.addressed(before), params.addressed(after)
    found = []
    for name in [*new, *(name for name in old if name not in new)]:
        was, is_now = old.get(name, _ABSENT), new.get(name, _ABSENT)
        if was is _ABSENT:
            text = f"{name} = {_shown(is_now)} is new"
        elif is_now is _ABSENT:
            text = f"{name} is gone (it was {_shown(was)})"
        elif json.dumps(was, sort_keys=True) != json.dumps(is_now, sort_keys=True):
            text = f"{name}: {_shown(was)} → {_shown(is_now)}"
        else:
            continue
        found.append(Change(kind="parameter", name=name, text=text))
    return tuple(found)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
