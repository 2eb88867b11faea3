"""Spaces of hyper-parameters as a workflow file writes them, read as the searches of the queue take them."""

from __future__ import annotations

from collections.abc import Mapping

from mlpipeline.config_text import near_or_known
from mlpipeline.errors import VersionsError
from mlpipeline.searches import Between, Choice, space_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEYS = ("low", "high", "log", "choices")


def read(given: Mapping[str, Any]) -> dict[str, Choice | Between]:
    """Returns the space of each parameter.

    A list holds values to choose from; `{low: .01, high: .3, log: true}` is a range, of whole numbers where both ends
    are; `{choices: […]}` is a list too; any other value is fixed.

    Raises:
        VersionsError: (a ValueError) one is none of them; the parameter is named.
    """
    return {str(name): _space(str(name), each) for name, each in given.items()}


def _space(name: str, given: Any) -> Choice | Between:
    if isinstance(given, list | tuple):
        return space_of(name, list(given))
    if not isinstance(given, Mapping):
        return Choice((given,))
    for key in given:
        if key not in _KEYS:
            raise VersionsError(f"{name}: there is no {key!r} in a space.{near_or_known(str(key), _KEYS)}")
    if given.keys() == {"choices"} and isinstance(given["choices"], list):
        return space_of(name, given["choices"])
    if not {"low", "high"} <= given.keys() or "choices" in given:
        raise VersionsError(f"{name}: {dict(given)!r} is no space: give low and high, or a list of values")
    log = given.get("log", False)
    if not isinstance(log, bool):
        raise VersionsError(f"{name}: log is {log!r}: it must be true or false")
    return space_of(name, (given["low"], given["high"], *(("log",) if log else ())))
