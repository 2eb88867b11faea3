"""Refuses parameters that cannot be used."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mlpipeline import errors
from mlpipeline.config_text import near_miss


def whole(name: str, value: Any, least: int) -> None:
    """Refuses what is no whole number of at least this."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise errors.ParameterError(f"{name} is {value!r}: it must be a whole number, {least} or more")


def number(name: str, value: Any, least: float, below: float = math.inf, *, is_open: bool = False) -> None:
    """Refuses what is no number from `least` up, and below `below`; where `is_open`, not `least` itself."""
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not usable or value < least or value >= below or (is_open and value == least):
        low = f"above {least:g}" if is_open else f"{least:g} or more"
        high = "" if math.isinf(below) else f", and below {below:g}"
        raise errors.ParameterError(f"{name} is {value!r}: it must be a number {low}{high}")


def choice(name: str, value: Any, known: Sequence[str]) -> None:
    """Refuses what is none of the words."""
    if value not in known:
        near = near_miss(value, known) if isinstance(value, str) else ""
        raise errors.UnknownOption(f"{name} is {value!r}.{near} It must be one of {', '.join(known)}")
