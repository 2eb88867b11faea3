"""The options that may follow a model's name in a models config."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, fields
from typing import Any

from mlpipeline.config_text import near_or_known, unquote
from mlpipeline.policy import Policies, Policy
from mlpipeline.values import POLICY_READERS, boolean, integer, minute_of_day, seconds, size, size_or_auto, text


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions(Policies):
    """How one model is to be treated. Sizes are bytes; times of day minutes after local midnight.

    Attributes:
        gpu_memory: of each device, so that runs share it; AUTO for what earlier runs had.
    """

    hold: bool = False
    priority: int = 0
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    gpus: int | None = None
    gpu_memory: int | str | None = None
    memory: int | None = None
    threads: int | None = None
    timeout_seconds: float | None = None
    max_attempts: int | None = None
    replicates: int = 1
    not_before: int | None = None
    not_after: int | None = None
    python: str | None = None
    on_killed: Policy | None = None
    on_oom: Policy | None = None
    on_exception: Policy | None = None
    on_timeout: Policy | None = None
    on_disk_full: Policy | None = None
    on_nan: Policy | None = None

    def describe(self) -> str:
        """Says what differs from the defaults, as it would be written."""
        parts = []
        for each in fields(self):
            value = getattr(self, each.name)
            if value == getattr(NO_OPTIONS, each.name):
                continue
            if each.name in ("not_before", "not_after"):
                value = f"{value // 60:02d}:{value % 60:02d}"
            elif isinstance(value, tuple):
                value = " ".join(value)
            parts.append(each.name if value is True else f"{each.name}={value}")
        return ", ".join(parts)


NO_OPTIONS = ModelOptions()


def _names(value: str) -> tuple[str, ...]:
    found = tuple(unquote(part) for part in re.findall(r'"[^"]*"|\S+', value))
    if not found:
        raise ValueError("names are missing")
    return found


_READERS: dict[str, Callable[[str], Any]] = {
    "hold": boolean,
    "priority": integer(-(10**6)),
    "only": _names,
    "skip": _names,
    "after": _names,
    "gpus": integer(0),
    "gpu_memory": size_or_auto,
    "memory": size,
    "threads": integer(1, 1024),
    "timeout_seconds": seconds,
    "max_attempts": integer(1),
    "replicates": integer(1),
    "not_before": minute_of_day,
    "not_after": minute_of_day,
    "python": text,
    **POLICY_READERS,
}


def read_options(written: str) -> tuple[ModelOptions, str | None]:
    """Reads `priority=5, only=shallow deep, hold`. Returns the options, and what is wrong with them."""
    values: dict[str, Any] = {}
    try:
        for part in re.findall(r'(?:"[^"]*"|[^,"])+', written):
            if part.partition("=")[0].strip():
                name, value = _option(part, values)
                values[name] = value
        _check(values)
    except ValueError as error:
        return NO_OPTIONS, str(error)
    return ModelOptions(**values), None


def _option(part: str, others: Container[str]) -> tuple[str, Any]:
    name, equals, value = (piece.strip() for piece in part.partition("="))
    if name not in _READERS:
        raise ValueError(f"unknown option {name!r}.{near_or_known(name, _READERS)}")
    if name in others:
        raise ValueError(f"option {name} is given twice")
    if not equals:
        if name != "hold":
            raise ValueError(f"option {name} needs a value: {name}=…")
        return name, True
    try:
        return name, _READERS[name](value if _READERS[name] is _names else unquote(value))
    except ValueError as error:
        raise ValueError(f"{name}={value}: {error}") from error


def _check(values: Mapping[str, Any]) -> None:
    both = set(values.get("only", ())) & set(values.get("skip", ()))
    if both:
        raise ValueError(f"only and skip both name {min(both)!r}")
    if values.get("gpus") == 0 and "gpu_memory" in values:
        raise ValueError("gpu_memory is memory of a device, and gpus=0 asks for none")
