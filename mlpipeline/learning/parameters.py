"""An estimator's parameters in a file, and back: numbers, text, and whatever an encoder's parameters may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlpipeline.data.encoders import stored
from mlpipeline.data.parameters import signature
from mlpipeline.errors import DataFault
from mlpipeline.learning.estimator import Estimator

_FLOAT = "float"
_SHOWN = 200


def dump(estimator: Estimator, directory: Path) -> dict[str, Any]:
    """Returns the parameters of an estimator as JSON can hold them.

    Args:
        estimator: whose they are.
        directory: where what JSON cannot hold goes.

    Raises:
        DataFault: one cannot be kept in a file; it is named.
    """
    found = {}
    for name, value in estimator.get_params(deep=False).items():
        try:
            found[name] = stored.dump(value)
        except DataFault as error:
            kind = type(value).__name__
            raise DataFault(f"the parameter {name} of {type(estimator).__name__} is {kind}: {error}") from error
    return found


def load(kind: type[Estimator], kept: Mapping[str, Any], directory: Path) -> Estimator:
    """Returns an estimator with the parameters that `dump` gave; those that the class has got since have defaults.

    Raises:
        DataFault: the class has no such parameter any more.
    """
    known = signature(kind)
    if gone := sorted(kept.keys() - known.keys()):
        raise DataFault(f"{kind.__name__} has no parameter {', '.join(gone)} any more")
    return kind(**{name: stored.load(value) for name, value in kept.items()})


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
