"""The memory of this machine as the queue uses it: what runs will need, and who waits until it is free."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlpipeline import wire
from mlpipeline.execution import machine
from mlpipeline.execution.limits import descendants
from mlpipeline.execution.memory import resident
from mlpipeline.ledger import Key, Ledger
from mlpipeline.model_options import ModelOptions
from mlpipeline.project import Project
from mlpipeline.queue.verdicts import Refusal, Wanted
from mlpipeline.run import Run
from mlpipeline.selection import Selection

FLOOR = 0.05
"""This part of the machine's memory stays free, for the system and for what nobody foresaw."""

MOST_PASSED = 10
"""A run that waits for memory lets so many others pass; then nothing starts that would take what it waits for."""

MOST_WAITING = 100
"""When so many wait for memory, the others are not asked what they need: a turn must not take long."""

_LEARN_FROM = 5
_MARGIN = 1.1
"""A run may need a little more than earlier ones did."""


@dataclass(frozen=True, slots=True)
class Need:
    """How much a run will take, in bytes (0: nobody knows), and how that is known."""

    memory: int
    source: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What a live run may take in all, and what it has taken so far, in bytes."""

    need: int
    used: Callable[[], int]

    def to_come(self) -> int:
        """Returns what it may still take."""
        return max(0, self.need - self.used()) if self.need else 0


class Lending:
    """Hands memory out in one computation of the plan. Decides; only `Held.used` looks at processes.

    Args:
        memory: says how much there is; asked once, where it matters.
        held: by live runs.
        need: of a wish.
        passed: by the wishes' keys, how many started while they waited; changed here.
    """

    def __init__(
        self,
        memory: Callable[[], machine.Memory],
        held: Iterable[Held],
        need: Callable[[Wanted], Need],
        passed: dict[Key, int],
    ) -> None:
        self.look = memory
        self.held = list(held)
        self.need = need
        self.passed = passed
        self.waiting: dict[Key, str] = {}
        self.first: Key | None = None
        self._had_waited = 0
        self.given = 0
        self._promised = 0
        self._to_come: int | None = None

    def lend(self, wanted: Wanted) -> Refusal | None:
        """Books what a wish needs, or says why it cannot have that now."""
        is_alone = not self.held and not self.given
        if self.first is not None and not is_alone:
            return Refusal(f"waits for memory, after {self.waiting[self.first]}", is_ours=True)
        if len(self.waiting) >= MOST_WAITING and not is_alone:
            return Refusal(f"waits for memory, after {MOST_WAITING} others", is_ours=True)
        need = self.need(wanted)
        if not is_alone and need.memory > self.free():
            self.waiting[wanted.key] = f"{wanted.model}:{wanted.version}"
            self._note_first(wanted.key)
            return Refusal(self._told(need), is_ours=True)
        self._promised += need.memory
        self.given += 1
        for key in self.waiting:
            self.passed[key] = self.passed.get(key, 0) + 1
            self._note_first(key)
        self._had_waited = self.passed.pop(wanted.key, 0)
        return None

    def _note_first(self, key: Key) -> None:
        """Remembers the first of those that have let enough others pass."""
        if self.first is None and self.passed.get(key, 0) >= MOST_PASSED:
            self.first = key

    def take_back(self, wanted: Wanted) -> None:
        """Undoes the last booking: the wish lacks something else."""
        self._promised -= self.need(wanted).memory
        self.given -= 1
        for key in self.waiting:
            self.passed[key] = self.passed.get(key, 0) - 1
        if self.first is not None and self.passed.get(self.first, 0) < MOST_PASSED:
            self.first = None
        if self._had_waited:
            self.passed[wanted.key] = self._had_waited

    @functools.cached_property
    def memory(self) -> machine.Memory:
        """What the machine has."""
        return self.look()

    def free(self) -> int:
        """Returns what a further run may take, in bytes: what live ones will still want is theirs."""
        if self._to_come is None:
            self._to_come = sum(each.to_come() for each in self.held)
        return int(self.memory.available - self.memory.total * FLOOR) - self._promised - self._to_come

    def _told(self, need: Need) -> str:
        free = gigabytes(max(0, self.free()))
        if not need.memory:
            return f"waits for memory: {gigabytes(int(self.memory.total * FLOOR))} of {self.total} stay free"
        return f"waits for memory: needs {gigabytes(need.memory)} ({need.source}), {free} of {self.total} can be had"

    @property
    def total(self) -> str:
        """The machine's memory in words."""
        return gigabytes(self.memory.total)


class Memory:
    """The memory for one scheduler, or for somebody who asks what it would do.

    Args:
        project: whose settings hold; a scheduler puts edited ones here.
        ledger: what earlier runs needed.
    """

    def __init__(self, project: Project, ledger: Ledger) -> None:
        self.project = project
        self.ledger = ledger
        self.passed: dict[Key, int] = {}
        self._learnt: dict[tuple[str, str | None], int] = {}
        self._booked: dict[Path, int] = {}

    def lending(self, live: Iterable[tuple[Run, Path]]) -> Lending:
        """Returns who hands memory out.

        Args:
            live: runs with the directories of their attempts. Their specs say what they were lent, whatever has been
                edited since, and also to a scheduler that did not start them.
        """
        paths = [path for _, path in live]
        self._booked = {path: self._booked[path] if path in self._booked else _booked(path) for path in paths}
        held = [Held(need, functools.partial(used, path)) for path, need in self._booked.items()]
        return Lending(machine.memory, held, self.need, self.passed)

    def need(self, wanted: Wanted) -> Need:
        """Returns what a wish will take: what is stated, else what was learnt from earlier runs."""
        return self._need(wanted.model, wanted.version, wanted.options)

    def _need(self, model: str, version: str, options: ModelOptions) -> Need:
        if options.memory:
            return Need(options.memory, "stated in models.config")
        limit = self.project.settings.memory_limit
        for name, source in ((version, "as its last runs"), (None, "as other versions of its model")):
            if learnt := self._peak(model, name):
                return Need(min(learnt, limit) if limit else learnt, source)
        return Need(0)

    def _peak(self, model: str, version: str | None) -> int:
        if (model, version) not in self._learnt:
            self._learnt[model, version] = int(usual(self.ledger.peaks(model, version, _LEARN_FROM)) * _MARGIN)
        return self._learnt[model, version]

    def forget(self, moved: Iterable[tuple[str, str, int]]) -> None:
        """Forgets what was learnt of versions, given as model, version and replicate."""
        for model, version, _ in moved:
            self._learnt.pop((model, version), None)
            self._learnt.pop((model, None), None)

    def faults(self, selection: Selection) -> dict[str, str]:
        """Returns, by model, what is wrong with entries that state more than this machine has."""
        total = machine.memory().total
        return {
            each.model: f"{selection.place(each)}{each.model} asks for memory={gigabytes(each.options.memory)}, "
            f"and this machine has {gigabytes(total)}: ask for less"
            for each in selection.models
            if each.fault is None and each.options.memory and each.options.memory > total
        }


def usual(peaks: Sequence[int]) -> int:
    """Returns the largest of some peaks; of three or more one that is twice the next larger is an accident."""
    first, second, *_ = (*sorted(peaks, reverse=True), 0, 0)
    return second if len(peaks) > 2 and first > 2 * second else first


def _booked(directory: Path) -> int:
    return int((wire.read_json(directory / wire.SPEC) or {}).get("memory_need") or 0)


def used(directory: Path) -> int:
    """Returns what a live attempt's processes hold, in bytes."""
    supervisor = (wire.read_json(directory / wire.STARTED) or {}).get("pid")
    return resident(descendants(int(supervisor))) if supervisor else 0


def gigabytes(size: int) -> str:
    """Returns a size in words."""
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"
