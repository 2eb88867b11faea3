"""Whether a class keeps the interface of its type: nothing missing, and every call taken that the type allows."""

from __future__ import annotations

import functools
import inspect
from inspect import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_VARIABLE = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def interface_faults(kind: type) -> tuple[str, ...]:
    """Returns how a class falls short of the interface of its type: methods that are missing, or take other calls."""
    return _interface_faults(kind)


@functools.cache
def _interface_faults(kind: type) -> tuple[str, ...]:
    missing = sorted(getattr(kind, "__abstractmethods__", ()))
    faults = [f"has no {_text(name, inspect.getattr_static(kind, name))}: define it" for name in missing]
    for basis in kind.__mro__[1:]:
        for name, declared in vars(basis).items():
            if getattr(declared, "__isabstractmethod__", False) and name not in missing:
                actual = inspect.getattr_static(kind, name)
                if not _keeps(declared, actual):
                    faults.append(
                        f"{_text(name, actual)} must be {_text(name, declared)}, as {basis.__name__} declares it"
                    )
    return tuple(dict.fromkeys(faults))


def _keeps(declared: Any, actual: Any) -> bool:
    wanted, given = parameters(declared), parameters(actual)
    if wanted is None:
        return True
    return given is not None and _takes(wanted, given)


def parameters(method: Any) -> list[Parameter] | None:
    """Returns what a method takes besides its object or class, given as it stands in the class's body; None for what
    is no method."""
    function = method.__func__ if isinstance(method, staticmethod | classmethod) else method
    if isinstance(function, type) or not callable(function):
        return None
    found = list(inspect.signature(function).parameters.values())
    is_bare = isinstance(method, staticmethod) or not found or found[0].kind is Parameter.VAR_POSITIONAL
    return found if is_bare else found[1:]


def _takes(wanted: list[Parameter], given: list[Parameter]) -> bool:
    """Whether what is given takes every call that is wanted: the same names in the same order, more only with
    defaults."""
    wants = [each for each in wanted if each.kind not in _VARIABLE]
    names = {each.name for each in wants}
    more = [each for each in given if each.kind not in _VARIABLE and each.name not in names]
    takes_all = all(_takes_one(want, place, given) for place, want in enumerate(wants))
    return takes_all and all(each.default is not each.empty for each in more)


def _takes_one(want: Parameter, place: int, given: list[Parameter]) -> bool:
    """Whether one argument is taken that is wanted at a place."""
    plain = [each for each in given if each.kind not in _VARIABLE]
    found = next((each for each in plain if each.name == want.name), None)
    if found is None:
        return _takes_unnamed(want, given)
    placed = [each.name for each in plain if each.kind is not Parameter.KEYWORD_ONLY]
    is_placed = want.kind is Parameter.KEYWORD_ONLY or placed[place : place + 1] == [want.name]
    return is_placed and (want.default is want.empty or found.default is not found.empty)


def _takes_unnamed(want: Parameter, given: list[Parameter]) -> bool:
    """Whether `*args` and `**keywords` take an argument that no parameter is named for."""
    kinds = {each.kind for each in given}
    is_placed = want.kind is Parameter.KEYWORD_ONLY or Parameter.VAR_POSITIONAL in kinds
    return is_placed and Parameter.VAR_KEYWORD in kinds


def _text(name: str, method: Any) -> str:
    """Returns a method's head as one would write it, without types."""
    found = parameters(method)
    if found is None:
        return name
    bare = [each.replace(annotation=Parameter.empty) for each in found]
    owner = [] if isinstance(method, staticmethod) else ["cls" if isinstance(method, classmethod) else "self"]
    told = str(inspect.Signature(bare))[1:-1]
    return f"{name}({', '.join([*owner, *([told] if told else [])])})"


def method_faults(kind: type, name: str) -> str | None:
    """Returns why a name is no method that a configuration may call or check; None where it is one."""
    if name.startswith("_"):
        return f"{name} is not public"
    found = inspect.getattr_static(kind, name, None)
    if parameters(found) is not None:
        return None
    from mlpipeline.config_text import near_miss

    return f"{kind.__name__} has no method {name!r}.{near_miss(name, public_methods(kind))}"


def public_methods(kind: type) -> tuple[str, ...]:
    """Returns the names of the methods of a user's class, without those that every part has."""
    return _public_methods(kind)


@functools.cache
def _public_methods(kind: type) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for owner in kind.__mro__:
        if owner is object or "_is_framework" in vars(owner) or owner.__module__ == "mlpipeline.model":
            continue
        found = (name for name, member in vars(owner).items() if _is_method(name, member))
        names |= dict.fromkeys(found)
    return tuple(names)


def _is_method(name: str, member: Any) -> bool:
    return not name.startswith("_") and inspect.isfunction(member)
