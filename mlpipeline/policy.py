"""What follows when an attempt ended badly: tried again, held, or left failed; and with which changed parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mlpipeline.run import Cause


class Action(StrEnum):
    """What the queue does by itself. `ignore` is for figures that are no numbers alone: the run goes on."""

    RETRY = "retry"
    HOLD = "hold"
    FAIL = "fail"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A parameter that is multiplied or divided before the next attempt: `batch_size/2`."""

    name: str
    operator: str
    factor: float

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{self.factor:g}"

    def applied(self, value: Any) -> int | float | None:
        """Returns the new value; whole numbers stay whole and above 0. None where there is no number to change,
        or the number would stay what it is."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        changed = value / self.factor if self.operator == "/" else value * self.factor
        changed = max(1, int(changed)) if isinstance(value, int) else changed
        return None if changed == value else changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What one kind of end leads to. With a change, one more attempt is made with it, and then the run is held."""

    action: Action
    change: Change | None = None

    def __str__(self) -> str:
        return str(self.change or self.action.value)


_RETRY, _HOLD, _FAIL = (Policy(action=each) for each in (Action.RETRY, Action.HOLD, Action.FAIL))

KINDS: Mapping[str, tuple[Cause, ...]] = {
    "on_killed": (Cause.KILLED, Cause.LOST_SUPERVISOR, Cause.REBOOT, Cause.PREEMPTED, Cause.NODE_FAILED),
    "on_oom": (Cause.OUT_OF_MEMORY, Cause.CUDA_OUT_OF_MEMORY, Cause.MEMORY_LIMIT),
    "on_exception": (Cause.EXCEPTION, Cause.IMPORT_ERROR, Cause.EXIT, Cause.SEGMENTATION_FAULT, Cause.REFUSED),
    "on_timeout": (Cause.TIME_LIMIT,),
    "on_disk_full": (Cause.DISK_FULL,),
    "on_nan": (Cause.NAN,),
}
"""The settings and the causes that each is for."""

_DEFAULTS = {"on_killed": _RETRY, "on_oom": _HOLD}
_KIND_OF = {cause: kind for kind, causes in KINDS.items() for cause in causes}
HINTS = {
    "on_oom": "on_oom = batch_size/2 in mlp.config would try it again with half of it",
    "on_timeout": "raise timeout_seconds, or train less",
    "on_disk_full": "free some space",
}


class Policies:
    """Settings, or options of a model, that have a policy for each of KINDS, None where they say nothing of it."""

    __slots__ = ()

    @property
    def policies(self) -> dict[str, Policy]:
        """What is to be done after each kind of bad end, where it is said."""
        return {kind: policy for kind in KINDS if (policy := getattr(self, kind)) is not None}


def find(cause: Cause, *given: Mapping[str, Policy]) -> Policy:
    """Returns the policy for a cause: the first of the given mappings that says something, else the default."""
    kind = _KIND_OF.get(cause, "")
    found = next((each[kind] for each in given if kind in each), None)
    return found or _DEFAULTS.get(kind, _FAIL)


def hint(cause: Cause) -> str:
    """Returns what a person may do about it beside retrying; may be empty."""
    return HINTS.get(_KIND_OF.get(cause, ""), "")


def read_policy(kind: str, text: str) -> Policy:
    """Reads `retry`, `hold`, `fail`, or a change such as `batch_size/2`; `ignore` for on_nan.

    Raises:
        ValueError: with what is needed.
    """
    allowed = ["retry", "hold", "fail", *(["ignore"] if kind == "on_nan" else [])]
    if text in allowed:
        return Policy(action=Action(text))
    match = re.fullmatch(r"([A-Za-z_]\w*)\s*([*/])\s*([0-9]*\.?[0-9]+)", text)
    if match is None or not float(match[3]) > 0:
        raise ValueError(f"must be {', '.join(allowed)}, or a change such as batch_size/2")
    return Policy(action=Action.RETRY, change=Change(name=match[1], operator=match[2], factor=float(match[3])))
