"""Values to choose from: combinations and draws of parameters, and names for them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mlpipeline import params
from mlpipeline.errors import VersionsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONGEST_NAME = 120
_LONGEST_NAME_BYTES = 200
_DRAWS_PER_SAMPLE = 200


def combinations(spread: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Returns the product of the values; the last parameter changes fastest."""
    return [dict(zip(spread, row, strict=True)) for row in itertools.product(*spread.values())]


def draw(n: int, seed: int, parameters: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Returns n different draws, the same ones for the same seed on every machine, and what is constant.

    Raises:
        VersionsError: a space is malformed, or all of them together give fewer than n different draws.
    """
    import random

    draws = random.Random(f"mlpipeline {seed}")
    varied = {key: space for key, space in parameters.items() if is_listed(space) or callable(space)}
    rows: dict[str, dict[str, Any]] = {}
    for _ in range(n * _DRAWS_PER_SAMPLE):
        if len(rows) >= n:
            break
        row = {key: _drawn(key, space, draws) for key, space in varied.items()}
        rows.setdefault(params.digest(params.describe(row)), row)
    if len(rows) < n:
        raise VersionsError(f"the spaces give {len(rows)} different versions, not {n}: ask for fewer or widen them")
    return list(rows.values()), {key: value for key, value in parameters.items() if key not in varied}


def names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns a name for each row, such as `hidden=32,lr=0.1`.

    Different values that read alike (two objects of one class) still get different names, the same ones every day.
    """
    plain = [_combined_name(row) for row in rows]
    marks = [params.digest(params.describe(row)) for row in rows]
    first = dict(zip(reversed(plain), reversed(marks), strict=True))
    return [name if first[name] == mark else f"{name},#{mark[:6]}" for name, mark in zip(plain, marks, strict=True)]


def fault_of_name(name: object) -> str | None:
    """Returns why this cannot be the name of a version; None when it can."""
    if not isinstance(name, str):
        return f"its name is a {type(name).__name__}: give a text"
    if not name.strip() or name != name.strip():
        return "its name is empty or begins or ends with a blank: give it a plain name"
    if name.startswith("."):
        return "its name begins with a dot: files named after it would be hidden"
    if any(bad in name for bad in ("/", "\\", "::")):
        return "its name holds '/', '\\' or '::', which separate names from each other: leave them out"
    if len(name.encode("utf-8", "replace")) > _LONGEST_NAME_BYTES:
        return f"its name is longer than {_LONGEST_NAME_BYTES} bytes: directories are named after it"
    if not all(char.isprintable() for char in name):
        return "its name holds a control character: leave it out"
    return None


def is_listed(value: Any) -> bool:
    """Returns whether this is many values, not one: a list, tuple, range, generator or one-dimensional array."""
    if isinstance(value, str | bytes | Mapping) or callable(value) or isinstance(value, type):
        return False
    if isinstance(value, list | tuple | set | frozenset | range | Iterator):
        return True
    shape = getattr(value, "shape", None)
    return isinstance(shape, tuple) and len(shape) == 1 and hasattr(value, "tolist")


def listed(key: str, value: Iterable[Any]) -> list[Any]:
    """Returns the values to choose from.

    Raises:
        VersionsError: there are none, or they have no order.
    """
    if isinstance(value, set | frozenset):
        raise VersionsError(f"{key}: a set has no order: give a list")
    values = value.tolist() if hasattr(value, "tolist") else list(value)
    if not values:
        raise VersionsError(f"{key}: the list of values is empty: give at least one value")
    return list(values)


def _combined_name(row: Mapping[str, Any]) -> str:
    name = ",".join(f"{key}={_text(value)}" for key, value in row.items())
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 10].rstrip()},#{params.digest(params.describe(row))[:8]}"


def _text(value: Any) -> str:
    if isinstance(value, float):
        text = f"{value:.6g}"
    elif value is None or isinstance(value, bool | int | str):
        text = str(value)
    elif isinstance(value, list | tuple):
        text = "-".join(map(_text, value))
    else:
        text = getattr(value, "__name__", None) or type(value).__name__
    for bad in ("/", "\\", "::"):
        text = text.replace(bad, "-")
    return "".join(char if char.isprintable() else "-" for char in text).strip()


def _drawn(key: str, space: Any, draws: Any) -> Any:
    if callable(space):
        return space(draws)
    if not isinstance(space, tuple):
        values = listed(key, space)
        return values[int(draws.random() * len(values))]
    match space:
        case (int() as low, int() as high) if low <= high:
            return low + int(draws.random() * (high - low + 1))
        case (int() | float() as low, int() | float() as high) if low <= high:
            return low + draws.random() * (high - low)
        case (int() | float() as low, int() | float() as high, "log") if 0 < low <= high:
            value = low * (high / low) ** draws.random()
            return round(value) if isinstance(low, int) and isinstance(high, int) else value
    raise VersionsError(f"{key}: {space!r} is no space: give (low, high), (low, high, 'log') or a list")
