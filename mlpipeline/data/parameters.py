"""Parameters by scikit-learn's rules, without it: a constructor stores them under their names, and does no more."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Hashable
from typing import Any, Self

from mlpipeline import errors
from mlpipeline.config_text import near_miss


class Parameterized:
    """Has parameters that can be read, set, compared and shown; `sklearn.base.clone` makes a fresh one of the same."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the constructor's arguments by name.

        Args:
            deep: whether those of a parameter that has some itself come too, as `part__parameter`.
        """
        # Not getattr: where a property bears the name of a parameter, it tells what became of it.
        found = {name: vars(self)[name] for name in signature(type(self))}
        if deep:
            parts = {name: value for name, value in found.items() if _is_part(value)}
            for name, part in parts.items():
                found |= {f"{name}__{key}": each for key, each in part.get_params().items()}
        return found

    def set_params(self, **values: Any) -> Self:
        """Sets parameters, `part__parameter` among them; what was learnt with others stays until the next fit.

        Raises:
            ParameterError: (a ValueError) there is no such parameter.
        """
        for key, value in values.items():
            name, _, inner = key.partition("__")
            if name not in signature(type(self)):
                known, kind = sorted(signature(type(self))), type(self).__name__
                near = near_miss(name, known)
                raise errors.ParameterError(f"{kind} has no parameter '{name}'.{near} It has {', '.join(known)}")
            if inner:
                vars(self)[name].set_params(**{inner: value})
            else:
                setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """Shows what differs from the defaults."""
        shown = []
        for name, parameter in signature(type(self)).items():
            value = vars(self)[name]
            if parameter.default is parameter.empty:
                shown.append(repr(value))
            elif value is not parameter.default and repr(value) != repr(parameter.default):
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


def signature(kind: type) -> dict[str, inspect.Parameter]:
    """Returns the parameters of a class by name."""
    return _signature_of(kind)


@functools.cache
def _signature_of(kind: Hashable) -> dict[str, inspect.Parameter]:
    listed = inspect.signature(kind.__init__).parameters  # type: ignore[misc]
    return {name: parameter for name, parameter in listed.items() if name != "self"}


def _is_part(value: Any) -> bool:
    return hasattr(value, "get_params") and not isinstance(value, type)
