"""What is wanted and how it stands: the words of the plan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from mlpipeline.ledger import Key, Standing
from mlpipeline.model_options import ModelOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One version with one seed that is to be trained.

    Attributes:
        position: of its model in the list.
        rank: of its version within the model.
        model_dir: the directory that it needs for itself.
        params: of the version, by name.
        trial: what was drawn for it, where it is one of a search.
    """

    model: str
    version: str
    replicate: int
    seed: int
    key: Key
    options: ModelOptions
    position: int
    rank: int
    model_dir: str
    params: Mapping[str, Any] = field(default_factory=dict, compare=False)
    trial: Mapping[str, Any] | None = field(default=None, compare=False)


FOR_A_SLOT = "waits for a slot"
"""The reason of what is due, and only other runs are in the way."""
IN_USE = "its model directory is in use"
"""The reason of what waits for the end of another run of its own."""


class Verdict(StrEnum):
    """How a wish stands in the plan."""

    DUE = "due"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    GAVE_UP = "gave_up"
    HELD = "held"
    WAITING = "waiting"


class Item(NamedTuple):
    """A wish with its verdict and the reason in words; `until` where a known moment ends the wait."""

    wanted: Wanted
    verdict: Verdict
    reason: str
    until: datetime | None = None
    standing: Standing | None = None


class Elsewhere(NamedTuple):
    """How a wish stands by what another host did about it last."""

    verdict: Verdict
    reason: str


class Refusal(NamedTuple):
    """Why a wish cannot have what it needs. `is_ours`: runs of ours have it, and will give it back."""

    reason: str
    is_ours: bool


class Lender(Protocol):
    """Who has something to give that runs need: devices, memory."""

    def lend(self, wanted: Wanted) -> Refusal | None:
        """Books what a wish needs, or says why it cannot have that now."""

    def take_back(self, wanted: Wanted) -> None:
        """Undoes the booking that was made last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The queue as it is now: every wish in order of execution, and those to be submitted at once."""

    items: tuple[Item, ...]
    submit: tuple[Wanted, ...]
    wake_at: datetime | None


def seed_of(model: str, version: str, replicate: int) -> int:
    """Returns a version's seed: a stable hash, below 2**31, so that more replicates change no earlier one."""
    digest = hashlib.sha256(f"{model}\0{version}\0{replicate}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF
