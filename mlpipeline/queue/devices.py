"""The devices of this machine as the queue uses them: looked at, asked for, handed out, booked as long as runs live."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlpipeline import wire
from mlpipeline.execution.devices import Device, Prober, user
from mlpipeline.execution.limits import boot_id, descendants, start_ticks
from mlpipeline.ledger import Key, Ledger
from mlpipeline.lock import holder
from mlpipeline.project import Project
from mlpipeline.queue.allotment import NOTHING, Allotment, Ask, Hold, ask_of, asks, chosen, gigabytes
from mlpipeline.queue.inventory import Inventory
from mlpipeline.queue.verdicts import Refusal, Wanted
from mlpipeline.run import Run, State
from mlpipeline.selection import Listed, Selection
from mlpipeline.values import AUTO

LOOK_SECONDS = 0.1
_NOTHING_THERE_SECONDS = 10.0
_LEARN_FROM = 5
_MARGIN = 1.1
"""A run may need a little more than earlier ones did."""

VISIBLE = "CUDA_VISIBLE_DEVICES"


class Devices:
    """The devices for one scheduler, or for somebody who asks what it would do.

    Args:
        project: whose settings hold; a scheduler puts edited ones here.
        ledger: what earlier runs of a version needed.
        say: how something odd is announced, once.
    """

    def __init__(self, project: Project, ledger: Ledger, say: Callable[[str, str], None]) -> None:
        self.project = project
        self.ledger = ledger
        self.say = say
        # Test mode has outputs of its own; the project's queue may have devices at the same time.
        self.beside = None if project.outputs is None else replace(project, outputs=None)
        self.prober = Prober()
        self.inventory = Inventory(say, user(os.getuid()))
        self.holds: list[Hold] = []
        self.ours: set[int] = set()
        self.slots = 1
        self.somebody_asks = False
        self._due = 0.0
        self._lending: Lending | None = None
        self._told = False
        self._misnamed = ""
        self._of_attempt: dict[Path, list[Hold]] = {}
        self._learnt: dict[tuple[str, str], int | None] = {}

    def look(self, live: Iterable[tuple[Run, Path]]) -> None:
        """Looks at the devices, and at what live attempts have of them.

        Args:
            live: runs with the directories of their attempts.
        """
        if self._is_off():
            return
        now = time.monotonic()
        attempts = [*((f"{run.model}:{run.version}", path) for run, path in live), *self._beside()]
        known = self._of_attempt
        self._of_attempt = {path: known[path] if path in known else _holds(path, name) for name, path in attempts}
        holds = [hold for each in self._of_attempt.values() for hold in each]
        ended = [each for each in self.holds if each not in holds]
        self.holds = holds
        for each in ended:
            self.inventory.release(each.uuid, each.holder, now)
        if ended or now >= self._due:
            # First the devices: a process that is on one by then is found among ours, if it is.
            seen = self.prober.probe()
            self.ours = _processes([path for path, each in self._of_attempt.items() if each])
            self.inventory.observe(seen, holds, self.ours, now)
            self._due = now + (LOOK_SECONDS if self.inventory.known else _NOTHING_THERE_SECONDS)

    def _beside(self) -> list[tuple[str, Path]]:
        """Returns the live attempts of the queue beside which models are tried."""
        if self.beside is None:
            return []
        with closing(Ledger.open_readonly(self.beside.ledger_path)) as ledger:
            found = [(f"{run.model}:{run.version}", self.beside.root / run.last.directory) for run in ledger.live()]
        is_served = holder(self.beside) is not None
        return [(f"{name} (of the queue)", path) for name, path in found if _lives(path, is_served=is_served)]

    def _is_off(self) -> bool:
        return self.project.settings.gpus in ("none", "0")

    def lending(self, live: Iterable[tuple[Run, Path]], slots: int) -> Lending | None:
        """Looks, and returns who hands out what there is; None where every run takes what it finds.

        Args:
            live: runs with the directories of their attempts.
            slots: how many runs train at a time.
        """
        self.slots = slots or self.slots
        self.look(live)
        self._lending = Lending(self) if self.are_handed_out else None
        return self._lending

    def tell(self) -> None:
        """Says once that something waits for what is not ours to give back, until nothing does."""
        stuck = self._lending.stuck if self._lending is not None else ""
        if stuck and not self._told:
            self.say(stuck, "INFO")
        self._told = bool(stuck)

    def given(self, key: Key) -> list[dict[str, Any]] | None:
        """Returns what the spec of a wish says of its devices; None where it takes what it finds."""
        return None if self._lending is None else self._lending.given.get(key, [])

    @property
    def is_awaited(self) -> bool:
        """Whether something starts once a device is free."""
        return self._lending is not None and bool(self._lending.refused)

    @property
    def are_handed_out(self) -> bool:
        """Whether runs see the devices that they were given and no others. Where none was ever seen, all is left as
        it is."""
        return self._is_off() or bool(self.inventory.known)

    def usable(self) -> list[Device]:
        """Returns the devices that the settings name, also those that are gone at present."""
        settings = self.project.settings
        devices = list(self.inventory.known.values())
        visible = settings.env.get(VISIBLE, os.environ.get(VISIBLE))
        if visible is not None:
            devices, _ = chosen(f"{visible}," if visible.strip() not in ("", "-1") else "none", devices)
        found, misnamed = chosen(settings.gpus, devices)
        if misnamed != self._misnamed:
            self._misnamed = misnamed
            self.say(f"mlp.config: {misnamed}" if misnamed else "mlp.config: gpus names what there is again", "WARNING")
        return found

    def allotment(self) -> Allotment:
        """Returns what can be handed out now."""
        return self.inventory.allotment(self.usable(), self.holds, self.ours)

    def ask(self, wanted: Wanted) -> Ask:
        """Returns what a run needs."""
        is_auto = wanted.options.gpu_memory == AUTO
        learnt = self._peak(wanted.model, wanted.version) if is_auto else None
        found = ask_of(wanted.options, somebody_asks=self.somebody_asks, slots=self.slots, learnt=learnt)
        return NOTHING if self._is_off() else found

    def _peak(self, model: str, version: str) -> int | None:
        """Returns what a version will need of a device, by what its last runs had."""
        if (model, version) not in self._learnt:
            runs = self.ledger.runs(model=model, version=version, states={State.SUCCEEDED}, limit=_LEARN_FROM)
            outcomes = (wire.read_json(self.project.root / run.last.directory / wire.OUTCOME) or {} for run in runs)
            peaks = [int(each["peak_gpu_memory_bytes"]) for each in outcomes if each.get("peak_gpu_memory_bytes")]
            self._learnt[model, version] = int(max(peaks) * _MARGIN) if peaks else None
        return self._learnt[model, version]

    def forget(self, moved: Iterable[tuple[str, str, int]]) -> None:
        """Forgets what was learnt of versions, given as model, version and replicate."""
        for model, version, _ in moved:
            self._learnt.pop((model, version), None)

    def faults(self, selection: Selection) -> dict[str, str]:
        """Returns, by model, what is wrong with entries that ask for more than this machine has."""
        self.somebody_asks = any(each.fault is None and asks(each.options) for each in selection.models)
        if self.somebody_asks and not self._is_off() and not self._due:
            self.look([])
        devices = self.usable()
        told = [(each, self._excess(each, devices)) for each in selection.models if asks(each.options)]
        return {each.model: selection.place(each) + excess for each, excess in told if excess}

    def _excess(self, listed: Listed, devices: Sequence[Device]) -> str:
        count, memory = listed.options.gpus or 1, listed.options.gpu_memory
        fitting = devices if count == 1 else [each for each in devices if not each.is_instance]
        if count > len(fitting):
            told = f"{listed.model} asks for {count} GPU{'s' * (count > 1)}, and {self._number(fitting)}"
            return f"{told}: {self.inventory.trouble}" if self.inventory.trouble else told
        large = max(each.memory_total for each in fitting)
        if isinstance(memory, int) and memory > large:
            return f"{listed.model} asks for {gigabytes(memory)} of a GPU, and the largest has {gigabytes(large)}"
        return ""

    def _number(self, devices: Sequence[Device]) -> str:
        known = len(self.inventory.known)
        if len(devices) == known:
            return f"this machine has {known or 'none'}"
        few = f"only {len(devices)}" if devices else "none"
        return f"of the {known} of this machine {few} can be handed out for that"

    def to_status(self) -> list[dict[str, Any]]:
        """Returns a row for each device that can be handed out."""
        allotment, gone = self.allotment(), self.inventory.gone
        return [
            {
                "index": each.index,
                "uuid": each.uuid,
                "name": each.name,
                "memory_total": each.memory_total,
                "memory_free": None if each.uuid in gone else each.memory_free,
                "note": "is gone" if each.uuid in gone else allotment.obstacle(each),
            }
            for each in self.usable()
        ]

    def close(self) -> None:
        """Lets go of the driver."""
        self.prober.close()


def rows(devices: Iterable[Device], memory: int | None) -> list[dict[str, Any]]:
    """Returns what an attempt's spec says of its devices.

    Args:
        devices: that it was given.
        memory: how much of each; None for all.
    """
    return [
        {"uuid": each.uuid, "index": each.index, "name": each.name, "memory": memory, "used": each.memory_used}
        for each in devices
    ]


def _holds(directory: Path, name: str) -> list[Hold]:
    given = (wire.read_json(directory / wire.SPEC) or {}).get("devices") or []
    return [
        Hold(str(each["uuid"]), name, each.get("memory"), int(each.get("used") or 0))
        for each in given
        if isinstance(each, Mapping)
    ]


def _processes(directories: Iterable[Path]) -> set[int]:
    found: set[int] = set()
    for directory in directories:
        supervisor = (wire.read_json(directory / wire.STARTED) or {}).get("pid")
        if supervisor is not None:
            found |= {supervisor, *descendants(supervisor)}
    return found


def _lives(directory: Path, *, is_served: bool) -> bool:
    """Whether an attempt of another scheduler lives, by its own files; one that has not started does if it will."""
    if wire.read_json(directory / wire.OUTCOME) is not None:
        return False
    started = wire.read_json(directory / wire.STARTED)
    if started is None:
        return is_served
    return started.get("boot_id") == boot_id() and start_ticks(int(started["pid"])) == started.get("start_ticks")


class Lending:
    """What is handed out in one computation of the plan.

    Attributes:
        given: by the wishes' keys and seeds, the rows of their specs.
        refused: why others wait.
        stuck: the first of them that waits for somebody else's process, or for the queue beside which models are tried.
    """

    def __init__(self, devices: Devices) -> None:
        self.devices = devices
        self.allotment = devices.allotment()
        self.given: dict[Key, list[dict[str, Any]]] = {}
        self.refused: dict[Key, str] = {}
        self.stuck = ""

    def lend(self, wanted: Wanted) -> Refusal | None:
        """Books what a wish needs, or says why it cannot have that now."""
        ask = self.devices.ask(wanted)
        found = self.allotment.take(ask, f"{wanted.model}:{wanted.version}")
        if isinstance(found, Refusal):
            self.refused[wanted.key] = found.reason
            if not self.stuck and (not found.is_ours or self.devices.beside is not None):
                self.stuck = f"{wanted.model}:{wanted.version} {found.reason}"
            return found
        self.given[wanted.key] = rows(found, ask.memory)
        return None

    def take_back(self, wanted: Wanted) -> None:
        """Undoes the booking that was made last."""
        count = len(self.given.pop(wanted.key))
        del self.allotment.holds[len(self.allotment.holds) - count :]
