"""Which devices a run gets, and why it waits where it gets none. Decides, and touches nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mlpipeline.config_text import near_miss
from mlpipeline.execution.devices import Device
from mlpipeline.model_options import ModelOptions
from mlpipeline.queue.verdicts import Refusal
from mlpipeline.values import AUTO

MOST_BASELINE_BYTES = 2 * 2**30
"""What a driver and a desktop may have of a device that counts as free. More is somebody whom we cannot see."""

_MOST = 3


@dataclass(frozen=True, slots=True)
class Ask:
    """What one run needs.

    Attributes:
        count: how many devices; None for all that are free.
        memory: bytes on each, where it shares; None where it wants each for itself.
        is_said: whether the model's line asks for it.
    """

    count: int | None
    memory: int | None = None
    is_said: bool = True


NOTHING = Ask(0)


class Hold(NamedTuple):
    """What a run has of one device: so many bytes of it, or all (None). `before` were in use when it was given."""

    uuid: str
    holder: str
    memory: int | None
    before: int = 0


def ask_of(options: ModelOptions, *, somebody_asks: bool, slots: int, learnt: int | None) -> Ask:
    """Returns what a run needs.

    Args:
        options: of its model.
        somebody_asks: whether any listed model says what it needs; those that say nothing then need no device.
        slots: how many runs train at a time.
        learnt: the most memory that earlier runs of the version had of a device.
    """
    if asks(options):
        count = 1 if options.gpus is None else options.gpus
        memory = learnt if options.gpu_memory == AUTO else options.gpu_memory
        return Ask(count, memory if isinstance(memory, int) else None)
    if options.gpus == 0 or somebody_asks:
        return NOTHING
    return Ask(None if slots == 1 else 1, is_said=False)


def asks(options: ModelOptions) -> bool:
    """Whether a model's line asks for devices."""
    return bool(options.gpus) or (options.gpu_memory is not None and options.gpus is None)


def chosen(setting: str, devices: Sequence[Device]) -> tuple[list[Device], str]:
    """Returns the devices that the setting `gpus` names, and what is wrong with it.

    `none` (or 0) names none, `auto` all, a number the first so many, a list its members by index or by the beginning
    of their identity.
    """
    if setting.lower() in ("none", "0"):
        return [], ""
    if setting.lower() == AUTO:
        return list(devices), ""
    if setting.isdecimal():
        return list(devices[: int(setting)]), ""
    names = [name.strip() for name in setting.split(",") if name.strip()]
    found = [each for each in devices if any(_is_named(each, name) for name in names)]
    unknown = [name for name in names if not any(_is_named(each, name) for each in devices)]
    if not unknown:
        return found, ""
    there = ", ".join(f"GPU {each.index} ({each.uuid})" for each in devices) or "none"
    hint = near_miss(unknown[0], [each.uuid for each in devices])
    return found, f"gpus = {setting}: there is no device {unknown[0]!r} now.{hint} There is: {there}"


def _is_named(device: Device, name: str) -> bool:
    return name == device.index or (len(name) > len("GPU-") and device.uuid.startswith(name))


def gigabytes(size: int) -> str:
    """Returns a size as people write it in a models config."""
    return f"{size / 1e9:.1f} GB"


class Allotment:
    """Hands devices out, one run after another, as they stand at one moment.

    Args:
        devices: those that may be handed out and are there.
        holds: what runs have of them.
        ours: the processes of those runs.
        kept: by uuid, why a device is kept back after a run.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        holds: Iterable[Hold] = (),
        *,
        ours: Collection[int] = (),
        kept: Mapping[str, str] | None = None,
    ) -> None:
        self.devices = list(devices)
        self.holds = list(holds)
        self.ours = ours
        self.kept = kept or {}
        self.first_waiting = ""
        self._refusals: dict[Ask, Refusal] = {}

    def take(self, ask: Ask, holder: str) -> tuple[Device, ...] | Refusal:
        """Gives a run its devices, or says why it waits.

        Nobody overtakes one that waits for devices that other runs of ours hold: they will be free one day.
        """
        if ask.count == 0:
            return ()
        if self.first_waiting:
            return Refusal(f"waits for a device, after {self.first_waiting}", is_ours=True)
        if ask in self._refusals:
            return self._refusals[ask]  # nothing is given back meanwhile
        found = self._candidates(ask)
        if len(found) < (ask.count or 1):
            return self._refusals.setdefault(ask, self._waits(ask, holder, found))
        taken = tuple(found[: ask.count])
        self.holds += [Hold(each.uuid, holder, ask.memory, each.memory_used) for each in taken]
        return taken

    def _candidates(self, ask: Ask) -> list[Device]:
        """Returns the devices that would do, the best ones first: for one that shares those with most room."""
        devices = self._fitting(ask)
        if ask.memory is None:
            free = [each for each in devices if not self.obstacle(each)]
            return free[:1] if ask.count is None and free and free[0].is_instance else free
        found = [each for each in devices if not self.sharing_obstacle(each, ask.memory)]
        return sorted(found, key=self.room, reverse=True)

    def _fitting(self, ask: Ask) -> list[Device]:
        """A process can use one instance of a divided device only: who asks for several gets whole ones."""
        whole = [each for each in self.devices if not each.is_instance]
        return self.devices if ask.count == 1 or (ask.count is None and not whole) else whole

    def _waits(self, ask: Ask, holder: str, found: Sequence[Device]) -> Refusal:
        usable = self._fitting(ask)
        reasons = [self._reason(each, ask) for each in usable if each not in found]
        ending = [each for each in usable if each not in found and self._holds(each) and not self.strangers(each)]
        is_ours = len(found) + len(ending) >= (ask.count or 1)
        if is_ours:
            self.first_waiting = holder
        several = f"{ask.count} devices, {len(found)} free" if ask.count and ask.count > 1 else "a device"
        more = f"; {len(reasons) - _MOST} more" if len(reasons) > _MOST else ""
        hint = "" if ask.is_said else " (`gpus=0` in models.config if it needs none)"
        reason = f"waits for {several}: {'; '.join(reasons[:_MOST]) or 'none is there'}{more}{hint}"
        return Refusal(reason, is_ours)

    def _reason(self, device: Device, ask: Ask) -> str:
        return self.obstacle(device) if ask.memory is None else self.sharing_obstacle(device, ask.memory)

    def _holds(self, device: Device) -> list[Hold]:
        return [each for each in self.holds if each.uuid == device.uuid]

    def strangers(self, device: Device) -> list[int]:
        """Returns the processes on a device that are not ours.

        One that cannot be seen is taken for ours where a run of ours has the device: in a container the driver may
        give processes other numbers than they have there.
        """
        held = bool(self._holds(device))
        return [pid for pid, each in device.processes.items() if pid not in self.ours and (each.name or not held)]

    def obstacle(self, device: Device) -> str:
        """Returns why a device cannot be had alone; empty where it can."""
        if holds := self._holds(device):
            return f"GPU {device.index} trains {', '.join(each.holder for each in holds[:_MOST])}"
        if device.uuid in self.kept:
            return self.kept[device.uuid]
        if strangers := self.strangers(device):
            return f"GPU {device.index} is used by {self.named(device, strangers)}"
        if device.memory_used > MOST_BASELINE_BYTES:
            return f"GPU {device.index} has {gigabytes(device.memory_used)} in use, by no process that can be seen"
        return ""

    def sharing_obstacle(self, device: Device, memory: int) -> str:
        """Returns why so much of a device cannot be had; empty where it can."""
        holds = self._holds(device)
        if any(each.memory is None for each in holds):
            return self.obstacle(device)
        if device.uuid in self.kept:
            return self.kept[device.uuid]
        room = self.room(device)
        if room >= memory:
            return ""
        users = [each.holder for each in holds[:_MOST]]
        if strangers := self.strangers(device):
            users.append(self.named(device, strangers))
        told = f": it has {', '.join(users)}" if users else ""
        return f"GPU {device.index} has room for {gigabytes(max(0, room))}, not {gigabytes(memory)}{told}"

    def room(self, device: Device) -> int:
        """Returns how much of a device's memory is free and will not be taken by those who have a share, in bytes."""
        promised = sum(each.memory or 0 for each in self._holds(device))
        return device.memory_free - max(0, promised - self._taken(device))

    def _taken(self, device: Device) -> int:
        """Returns how much of a device runs of ours use: by their processes, or else by what was taken since."""
        strangers = self.strangers(device)
        mine = sum(each.memory for pid, each in device.processes.items() if pid not in strangers)
        if mine or strangers:
            return mine
        before = min((each.before for each in self._holds(device)), default=0)
        return max(0, device.memory_used - before)

    def is_unheld(self, device: Device) -> bool:
        """Whether no run of ours has any of a device."""
        return not self._holds(device)

    def is_unused(self, device: Device) -> bool:
        """Whether neither we nor anybody else is on a device."""
        return self.is_unheld(device) and not self.strangers(device)

    def named(self, device: Device, pids: Sequence[int]) -> str:
        """Returns processes in words: `process 4711 (python, user anna, 12.1 GB)`."""
        told = []
        for pid in pids[:_MOST]:
            each = device.processes[pid]
            who = [each.name, f"user {each.user}"] if each.name else ["not visible from here"]
            told.append(f"process {pid} ({', '.join([*who, gigabytes(each.memory)])})")
        return ", ".join(told)
