"""Checks values of a configuration against the types that a class's annotations name."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
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
_LISTS = (list, tuple, Sequence)
_MAPPINGS = (dict, Mapping)
_INNER = {list: 0, Sequence: 0, dict: 1, Mapping: 1}
"""Which member of a generic type is that of what it holds. What a tuple holds is not looked at."""


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
    if plain in _LISTS:
        return isinstance(value, list | tuple) and _all_fit(value, _inner(plain, members))
    if plain in _MAPPINGS:
        return isinstance(value, Mapping) and _all_fit(value.values(), _inner(plain, members))
    return _is_plain(value, plain)


def _inner(plain: typing.Any, members: tuple[typing.Any, ...]) -> tuple[typing.Any, ...]:
    """Returns the annotation of what a list or mapping holds; none where nothing is said of that."""
    place = _INNER.get(plain, len(members))
    return members[place : place + 1]


def _all_fit(values: Iterable[typing.Any], inner: tuple[typing.Any, ...]) -> bool:
    return all(fits(each, annotation) for annotation in inner for each in values)


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
    return " of ".join((told, *map(words, _inner(plain, members))))


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
