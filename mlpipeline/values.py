"""Reads the values of settings and options: numbers, sizes, durations, times of day, names."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from typing import Any

from mlpipeline.policy import KINDS, read_policy

_UNITS = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "k": 2**10,
    "m": 2**20,
    "g": 2**30,
    "t": 2**40,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
AUTO = "auto"
_DURATIONS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def text(value: str) -> str:
    """Any text that is not empty."""
    if not value:
        raise ValueError("a value is missing")
    return value


def integer(least: int, most: int = 10**18) -> Callable[[str], int]:
    """Makes a reader of whole numbers from `least` to `most`."""

    def read(value: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            raise ValueError("a whole number is needed")
        number = int(value)
        if number < least:
            raise ValueError(f"must be {least} or more")
        if number > most:
            raise ValueError(f"must be {most} or less")
        return number

    return read


def seconds(value: str) -> float:
    """A duration: a number of seconds, or with a unit: `90`, `1.5h`, `30 min`."""
    match = re.fullmatch(r"([0-9.]+)\s*([a-z]*)", value.lower())
    if match is None or match[2] not in _DURATIONS:
        raise ValueError("a number of seconds is needed, for example 90 or 1.5h")
    try:
        number = float(match[1]) * _DURATIONS[match[2]]
    except ValueError:
        raise ValueError("a number of seconds is needed, for example 90 or 1.5h") from None
    if not 0 < number < math.inf:
        raise ValueError("must be more than 0")
    return number


def size(value: str) -> int:
    """A size in bytes: `8GB` (10**9), `8GiB` or `8G` (2**30)."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)", value.lower())
    if match is None or match[2] not in _UNITS:
        raise ValueError("a size is needed, for example 8GB or 512 MiB")
    number = int(float(match[1]) * _UNITS[match[2]])
    if number <= 0:
        raise ValueError("must be more than 0")
    return number


def size_or_auto(value: str) -> int | str:
    """A size, or `auto` for what earlier runs say."""
    return AUTO if value.lower() == AUTO else size(value)


def devices(value: str) -> str:
    """Which devices are handed out: `auto`, `none`, the first `2`, or a list of indices and UUIDs: `0, 2`, `1,`."""
    if value.lower() in (AUTO, "none") or value.isdecimal():
        return value.lower()
    names = [name.strip() for name in value.split(",") if name.strip()]
    if not names or not all(re.fullmatch(r"[0-9]+(:[0-9]+)?|(GPU|MIG)-[\w/-]+", name) for name in names):
        raise ValueError("auto, none, a number, or a list such as `0, 2` is needed (a list of one: `1,`)")
    return ", ".join(names) + ("," if len(names) == 1 else "")


def minute_of_day(value: str) -> int:
    """A local time of day, as minutes after midnight."""
    match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", value)
    if match is None:
        raise ValueError("a time of day is needed, for example 22:00")
    return int(match[1]) * 60 + int(match[2])


def boolean(value: str) -> bool:
    """`true` or `false`, as INI files spell them."""
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if value.lower() not in known:
        raise ValueError("true or false is needed")
    return known[value.lower()]


def one_of(*names: str) -> Callable[[str], str]:
    """Makes a reader of some names."""

    def read(value: str) -> str:
        if value not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return value

    return read


def optional(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Makes a reader that takes `none` for no value."""

    def reader(value: str) -> Any:
        return None if value.lower() == "none" else read(value)

    return reader


def variables(value: str) -> dict[str, str]:
    """Environment variables: `A=1, B=2`."""
    found = {}
    for part in filter(None, (each.strip() for each in value.split(","))):
        name, equals, content = part.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name.strip()):
            raise ValueError(f"{part!r} is not NAME=value")
        found[name.strip()] = content.strip()
    return found


POLICY_READERS: dict[str, Callable[[str], Any]] = {kind: functools.partial(read_policy, kind) for kind in KINDS}
"""How each policy is read, in `[MLP]` and among a model's options."""
