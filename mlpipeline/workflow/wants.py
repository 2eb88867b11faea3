"""What a class wants of its workflow: parts and keys of the configuration, by its annotations and its constructor."""

from __future__ import annotations

import functools
import inspect
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlpipeline.workflow.part import Part

MISSING: typing.Any = object()
"""Stands for a default that there is none of."""
_NOBODY = frozenset(("self", "cls"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A part that a class uses: its name, what it may be, and whether it may be left out."""

    name: str
    types: tuple[type, ...]
    optional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of the configuration that a class reads.

    Attributes:
        annotation: its type; `MISSING` where none is known.
        default: `MISSING` where it is required.
        in_constructor: whether it is an argument of the constructor, else it becomes an attribute.
    """

    name: str
    annotation: typing.Any = MISSING
    default: typing.Any = MISSING
    in_constructor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """All that a class wants. `takes_any`: its constructor takes every keyword."""

    needs: Mapping[str, Need]
    keys: Mapping[str, Key]
    takes_any: bool
    faults: tuple[str, ...]

    @property
    def defaults(self) -> dict[str, typing.Any]:
        """Returns the class's defaults by key."""
        return {name: key.default for name, key in self.keys.items() if key.default is not MISSING}


def wants(kind: type) -> Wants:
    """Reads what a class wants from its annotations and its constructor's arguments."""
    return _wants(kind)


@functools.cache
def _wants(kind: type) -> Wants:
    needs: dict[str, Need] = {}
    keys: dict[str, Key] = {}
    faults: list[str] = []
    for name, annotation, owner in _annotations(kind):
        evaluated = _evaluated(name, annotation, owner)
        if isinstance(evaluated, NameError):
            if getattr(kind, name, MISSING) is MISSING:
                told = f"{owner.__name__}.{name}: {evaluated}: import it where the class is defined"
                faults.append(f"{told}, not only for the type checker")
            keys[name] = Key(name=name, default=getattr(kind, name, MISSING))
        elif parts := _part_types(evaluated):
            needs[name] = Need(name=name, types=parts, optional=_may_be_none(evaluated))
        elif typing.get_origin(evaluated) is not typing.ClassVar and evaluated is not typing.ClassVar:
            keys[name] = Key(name=name, annotation=evaluated, default=_default(kind, name))
    any_keyword = _add_arguments(kind, keys)
    return Wants(needs=needs, keys=keys, takes_any=any_keyword, faults=tuple(faults))


def _annotations(kind: type) -> Iterator[tuple[str, typing.Any, type]]:
    """Yields annotations of the user's own classes, those of the nearest class last."""
    for owner in reversed(kind.__mro__):
        if owner is object or owner.__module__.startswith("typing") or _is_framework(owner):
            continue
        for name, annotation in inspect.get_annotations(owner).items():
            if not name.startswith("_"):
                yield name, annotation, owner


def _is_framework(owner: type) -> bool:
    """Whether a class is one of this package's own: its annotations are no wants of the user's."""
    return "_is_framework" in vars(owner) or owner.__module__ == "mlpipeline.model"


def _evaluated(name: str, annotation: typing.Any, owner: type) -> typing.Any:
    """Evaluates one annotation as the type checker would; NameError, as a value, where that cannot be done."""
    holder = type("Holder", (), {"__annotations__": {name: annotation}})
    module = sys.modules.get(owner.__module__)
    try:
        found = typing.get_type_hints(
            holder, dict(vars(module)) if module else {}, dict(vars(owner)), include_extras=False
        )
    except NameError as error:
        return error
    except Exception as error:  # an annotation may be any expression
        return NameError(f"{type(error).__name__}: {error}")
    return found[name]


def _part_types(annotation: typing.Any) -> tuple[type, ...]:
    members = typing.get_args(annotation) if _is_union(annotation) else (annotation,)
    found = [each for each in members if each is not types.NoneType]
    is_parts = bool(found) and all(isinstance(each, type) and issubclass(each, Part) for each in found)
    return tuple(found) if is_parts else ()


def _is_union(annotation: typing.Any) -> bool:
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _may_be_none(annotation: typing.Any) -> bool:
    return _is_union(annotation) and types.NoneType in typing.get_args(annotation)


def _default(kind: type, name: str) -> typing.Any:
    found = inspect.getattr_static(kind, name, MISSING)
    return MISSING if isinstance(found, property | types.MemberDescriptorType) else found


def _add_arguments(kind: type, keys: dict[str, Key]) -> bool:
    """Adds the constructor's arguments; returns whether it takes every keyword."""
    owner = next(each for each in kind.__mro__ if "__init__" in vars(each))
    if owner is object or _is_framework(owner):
        return False
    any_keyword = False
    for parameter in inspect.signature(owner.__init__).parameters.values():  # type: ignore[misc]
        if parameter.kind is parameter.VAR_KEYWORD:
            any_keyword = True
        elif parameter.name not in _NOBODY and parameter.kind is not parameter.VAR_POSITIONAL:
            default = MISSING if parameter.default is parameter.empty else parameter.default
            annotation: typing.Any = MISSING
            if parameter.annotation is not parameter.empty:
                found = _evaluated(parameter.name, parameter.annotation, owner)
                annotation = MISSING if isinstance(found, NameError) else found
            name = parameter.name
            keys[name] = Key(name=name, annotation=annotation, default=default, in_constructor=True)
    return any_keyword
