"""An estimator's parameters in a file, and back: numbers, text, and whatever an encoder's parameters may be."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from inspect import Parameter
from typing import Any

from mlpipeline.data.encoders import stored
from mlpipeline.data.parameters import signature
from mlpipeline.errors import DataFault
from mlpipeline.learning.estimator import Estimator

_log = logging.getLogger(__name__)
_FLOAT = "float"
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The parameters of an estimator, as a file holds them.

    Attributes:
        values: by name, as `stored.dump` gives them.
        brought: names of those that the estimator's own files bring: estimators of scikit-learn.
        lost: what no file can hold, by name, as it shows itself: an optimizer or a function, which fitting alone needs.
    """

    values: dict[str, Any] = field(default_factory=dict)
    brought: list[str] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)


def dump(estimator: Estimator) -> Kept:
    """Returns the parameters of an estimator as JSON can hold them.

    Raises:
        DataFault: one cannot be kept in a file, and has no default; it is named.
    """
    found = Kept()
    for name, value in estimator.get_params(deep=False).items():
        default = signature(type(estimator))[name].default
        if hasattr(value, "get_params") and default is None:
            found.brought.append(name)
            continue
        try:
            found.values[name] = stored.dump(value)
        except DataFault as error:
            if default is Parameter.empty:
                kind = type(value).__name__
                raise DataFault(f"the parameter {name} of {type(estimator).__name__} is {kind}: {error}") from error
            found.lost[name] = repr(value)[:_SHOWN]
    return found


def load(kind: type[Estimator], kept: Kept) -> Estimator:
    """Returns an estimator with the parameters that `dump` gave; those that the class has got since have defaults.

    Raises:
        DataFault: the class has no such parameter any more.
    """
    if gone := sorted({*kept.values, *kept.brought, *kept.lost} - signature(kind).keys()):
        raise DataFault(
            f"{kind.__name__} has no parameter {', '.join(gone)} any more: install the release that saved it"
        )
    for name, shown in kept.lost.items():
        _log.warning("%s: %s was %s, which no file can hold: set it before you fit again", kind.__name__, name, shown)
    return kind(**{name: stored.load(value) for name, value in kept.values.items()})


def check_brought(estimator: Estimator, kept: Kept) -> None:
    """Makes sure that an estimator's own files have brought what its parameters lacked.

    Raises:
        DataFault: one is missing still.
    """
    if missing := [name for name in kept.brought if getattr(estimator, name) is None]:
        raise DataFault(f"{type(estimator).__name__}._load has not set {', '.join(missing)}, as it has to")


def shown(value: Any) -> Any:
    """Returns a parameter for people: as JSON has it where it can, else as it shows itself."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    return repr(value)[:_SHOWN]


def exact(value: Any) -> Any:
    """Returns JSON-like data in which numbers that JSON has no word for are mappings."""
    if isinstance(value, float) and not math.isfinite(value):
        return {_FLOAT: str(value)}
    if isinstance(value, Mapping):
        return {key: exact(each) for key, each in value.items()}
    return [exact(each) for each in value] if isinstance(value, list | tuple) else value


def inexact(value: Any) -> Any:
    """Returns what `exact` made this of; tuples have become lists."""
    if isinstance(value, dict):
        if value.keys() == {_FLOAT} and isinstance(value[_FLOAT], str):
            return float(value[_FLOAT])
        return {key: inexact(each) for key, each in value.items()}
    return [inexact(each) for each in value] if isinstance(value, list) else value
