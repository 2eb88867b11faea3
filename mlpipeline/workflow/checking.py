"""Checks values of a configuration against the types that a class's annotations name."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlpipeline.config_text import near_miss

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
    Mapping: "a mapping",
    Sequence: "a list",
    Path: "a path",
    types.NoneType: "null",
}


def fits(value: typing.Any, annotation: typing.Any) -> bool:
    """Whether a value is of an annotated type. A whole number is a number, a text a path, a list a tuple; annotations
    that say something else than plain types let everything pass."""
    origin = typing.get_origin(annotation)
    members = typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, each) for each in members)
    if origin is typing.Literal:
        return any(type(value) is type(each) and value == each for each in members)
    if origin is typing.Annotated:
        return fits(value, members[0])
    plain = origin or annotation
    if plain in (list, tuple, Sequence):
        is_list = isinstance(value, list | tuple) or type(value) is plain
        item = members[0] if members and plain is not tuple else None
        return is_list and (item is None or all(fits(each, item) for each in value))
    if plain in (dict, Mapping):
        return isinstance(value, Mapping) and (
            len(members) < 2 or all(fits(each, members[1]) for each in value.values())
        )
    return _is_plain(value, plain)


def _is_plain(value: typing.Any, plain: typing.Any) -> bool:
    if plain is bool:
        return isinstance(value, bool)
    if plain is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if plain is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if plain is str:
        return isinstance(value, str)
    if plain is Path:
        return isinstance(value, str | Path)
    return value is None if plain in (None, types.NoneType) else True


def words(annotation: typing.Any) -> str:
    """Returns what a type is called in a message."""
    origin, members = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(words(each) for each in members)
    if origin is typing.Literal:
        return f"one of {', '.join(map(str, members))}"
    if origin is typing.Annotated:
        return words(members[0])
    plain = origin or annotation
    told = _WORDS.get(plain if plain is not None else types.NoneType, getattr(plain, "__name__", str(plain)))
    inner = {list: 0, Sequence: 0, dict: 1, Mapping: 1}.get(plain)
    return told if inner is None or len(members) <= inner else f"{told} of {words(members[inner])}"


def converted(value: typing.Any, annotation: typing.Any) -> typing.Any:
    """Returns a value as its annotation has it: a Path where one is asked for, a tuple, a float."""
    if annotation is Path and isinstance(value, str):
        return Path(value)
    if annotation is float and isinstance(value, int):
        return float(value)
    is_tuple = annotation is tuple or typing.get_origin(annotation) is tuple
    return tuple(value) if is_tuple and isinstance(value, list) else value


def unknown_names(value: typing.Any, known: typing.Collection[str]) -> list[tuple[str, str]]:
    """Returns each name in a value (a mapping's keys, a list's texts, a text) that is not known, with a sentence."""
    names = [value] if isinstance(value, str) else list(value) if isinstance(value, Mapping | list | tuple) else []
    return [
        (name, f"there is no {name!r}.{near_miss(name, known)}")
        for name in names
        if isinstance(name, str) and name not in known
    ]
