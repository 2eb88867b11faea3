"""What is known of this machine's devices from one look to the next: what came and went, and what runs left on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from mlpipeline.execution.devices import NO_DRIVER, NO_PACKAGE, Device, Seen
from mlpipeline.queue.allotment import MOST_BASELINE_BYTES, Allotment, Hold, gigabytes

SETTLING_SECONDS = 5.0
"""So long after a run its devices' memory may take to become free."""

_DRIVER_BYTES = 512 * 2**20


class _Left(NamedTuple):
    """Who had a device last, and when its memory must be free again, by the monotonic clock."""

    holder: str
    until: float


class Inventory:
    """Remembers. Whoever looks at the devices tells it what was seen.

    Args:
        say: how something odd is announced, once.
        user: whose processes may be what a run of ours left.

    Attributes:
        known: by uuid, every device that was seen, as it was seen last.
        gone: those of them that are not there now.
        kept: by uuid, why a device is kept back although nothing of ours is on it.
    """

    def __init__(self, say: Callable[[str, str], None], user: str) -> None:
        self.say = say
        self.user = user
        self.known: dict[str, Device] = {}
        self.gone: set[str] = set()
        self.kept: dict[str, str] = {}
        self.trouble = ""
        self._baselines: dict[str, int] = {}
        self._left: dict[str, _Left] = {}
        self._told: set[str] = set()

    def observe(self, seen: Seen, holds: Sequence[Hold], ours: Collection[int], now: float) -> None:
        """Takes note of what was seen.

        Args:
            seen: by the last look.
            holds: what runs have.
            ours: their processes.
            now: by the monotonic clock.
        """
        present = {each.uuid: each for each in seen.devices}
        if seen.trouble != self.trouble:
            self.trouble = seen.trouble
            if seen.trouble and seen.trouble != NO_DRIVER:
                self.say(seen.trouble, "INFO" if seen.trouble == NO_PACKAGE else "WARNING")
        self._compare(present, holds)
        self.known = dict(sorted((self.known | present).items(), key=lambda item: _place(item[1])))
        allotment = Allotment(list(present.values()), holds, ours=ours)
        for device in present.values():
            self._settle(device, allotment, now)
            if device.uuid not in self._left and allotment.is_unused(device):
                self._baselines[device.uuid] = min(device.memory_used, MOST_BASELINE_BYTES)

    def _compare(self, present: Collection[str], holds: Sequence[Hold]) -> None:
        for uuid, device in self.known.items():
            if uuid in self.gone and uuid in present:
                self.gone.discard(uuid)
                self.say(f"GPU {device.index} is back", "INFO")
            elif uuid not in self.gone and uuid not in present:
                self.gone.add(uuid)
                holders = ", ".join(each.holder for each in holds if each.uuid == uuid)
                told = f" while {holders} trains on it: that goes on, and nothing else gets it" if holders else ""
                self.say(f"GPU {device.index} ({device.name}) is gone{told}", "WARNING")

    def release(self, uuid: str, holder: str, now: float) -> None:
        """Remembers that a run is over: its device must be empty before somebody else gets it."""
        self._left[uuid] = _Left(holder, now + SETTLING_SECONDS)

    @property
    def is_settling(self) -> bool:
        """Whether a device is about to become free."""
        return any(uuid not in self._told for uuid in self._left)

    def _settle(self, device: Device, allotment: Allotment, now: float) -> None:
        left = self._left.get(device.uuid)
        if left is None:
            return
        strangers = allotment.strangers(device)
        is_others = any(device.processes[pid].user not in ("", self.user) for pid in strangers)
        is_empty = device.memory_used <= self._baselines.get(device.uuid, 0) + _DRIVER_BYTES and not strangers
        if is_empty or is_others or not allotment.is_unheld(device):
            del self._left[device.uuid]
            self.kept.pop(device.uuid, None)
            if device.uuid in self._told:
                self._told.discard(device.uuid)
                self.say(f"GPU {device.index} no longer holds what {left.holder} left", "INFO")
            return
        named = f": {allotment.named(device, strangers)}" if strangers else ""
        self.kept[device.uuid] = (
            f"GPU {device.index} still holds {gigabytes(device.memory_used)} after {left.holder} ended{named}"
        )
        if now >= left.until and device.uuid not in self._told:
            self._told.add(device.uuid)
            self.say(f"{self.kept[device.uuid]}: it is not handed out before that is free", "WARNING")

    def allotment(self, devices: Sequence[Device], holds: Sequence[Hold], ours: Collection[int]) -> Allotment:
        """Returns what can be handed out now, of these devices."""
        there = [each for each in devices if each.uuid not in self.gone]
        return Allotment(there, holds, ours=ours, kept=self.kept)


def _place(device: Device) -> list[int]:
    return [int(part) for part in device.index.split(":")]
