"""Where runs happen, as the scheduler sees it: hand an attempt over, learn that it moved, ask it to stop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self

from mlpipeline.execution.warm_parent import WarmParent
from mlpipeline.project import Project
from mlpipeline.settings import Settings


class Life(StrEnum):
    """What is known about an attempt that has left no outcome."""

    ALIVE = "alive"
    GONE = "gone"
    UNKNOWN = "unknown"


class Executor(ABC):
    """A place where attempts run. The attempt's directory is all that it shares with the scheduler.

    An executor holds nothing that a new scheduler could not find again: `adopt` is called for every attempt that the
    ledger calls live, whoever submitted it.
    """

    name: str
    warm: WarmParent | None = None
    """The process that forks for this executor, and for who describes models, where it has one."""
    is_here: bool = True
    """Whether attempts run on this machine: then its memory and its devices are handed out to them. Others are placed
    by an engine, which knows its machines."""
    slots: int = 1
    """How many attempts are submitted at a time where neither the settings nor the command line say so."""
    threads: int | None = None
    """How many threads an attempt has where the settings say nothing; None shares this machine's cores."""
    look_seconds: float | None = None
    """How often attempts are looked at that cannot wake the scheduler; None where looking costs next to nothing."""

    @classmethod
    @abstractmethod
    def for_project(cls, project: Project, *, debugger: bool = False) -> Self:
        """Makes the executor that a project's settings describe."""

    @abstractmethod
    def submit(self, directory: Path) -> None:
        """Starts the attempt whose `spec.json` lies in `directory`.

        Raises:
            OSError: when no process could be started; nothing runs then.
        """

    def flush(self) -> None:
        """Sends on what was submitted since the last call: an engine takes many at once more cheaply than one by one.

        What cannot be sent now is kept and sent later by `tend`; `reasons` says why it waits.
        """
        return

    @abstractmethod
    def adopt(self, directory: Path) -> Life:
        """Takes up an attempt that an earlier scheduler started, and says whether it lives."""

    @abstractmethod
    def life(self, directory: Path) -> Life:
        """Says whether the attempt lives, by facts that belong to this executor."""

    def moved(self) -> Collection[Path] | None:
        """Returns the attempts that are worth a look since the last call; None for all of them."""
        return None

    def reasons(self) -> Mapping[Path, str]:
        """Returns why submitted attempts have not begun, in words; those left out of which there is nothing to say."""
        return {}

    @abstractmethod
    def ask(self, directory: Path, action: str) -> None:
        """Passes a wish on: `checkpoint`, `yield`, `stop`, `prune` (carried out by the model), `cancel`,
        `interrupt` (carried out on its processes). Returns before it is carried out."""

    def tend(self) -> list[tuple[str, str]]:
        """Does what is due now and then. Returns what is to be said in the log: texts with their levels."""
        return []

    @abstractmethod
    def descriptors(self) -> Sequence[int]:
        """Returns file descriptors that become readable when an attempt may have ended."""

    @abstractmethod
    def forget(self, directory: Path) -> None:
        """Releases what is held for an attempt whose outcome was recorded."""

    @abstractmethod
    def bury(self, directory: Path, token: str) -> bool:
        """Ends every process that still carries a lost attempt's token. Returns whether none is left."""

    @abstractmethod
    def close(self) -> None:
        """Releases everything. Attempts go on."""


def slots_of(settings: Settings, executor: Executor | type[Executor]) -> int:
    """Returns how many attempts are submitted at a time: as the settings say, else as the executor likes it."""
    return settings.slots if executor.is_here or "slots" in settings.given else executor.slots
