"""How much memory of its devices a run holds, now and at most, sampled while it lives.

Imported by the supervisor of a run that holds devices.
"""

from __future__ import annotations

import contextlib
import os
import site
import threading
import time
from collections.abc import Collection
from typing import Any

from mlpipeline import wire
from mlpipeline.execution.devices import Device, Looker
from mlpipeline.execution.limits import descendants

_FIRST_SECONDS = 0.05
_LONGEST_SECONDS = 1.0


class DeviceWatch:
    """Samples in a thread of its own: a driver that does not answer must not keep a run from ending.

    Args:
        devices: of the attempt's spec, each with its uuid and how much of it was in use before.
        path: where each change is written down, for who looks on; nowhere where it is empty.
        root: the process below which all of the run are.

    Attributes:
        peak: the most bytes seen at once on any one of the devices; None before the driver has answered.
    """

    def __init__(self, devices: Collection[dict[str, Any]], path: str = "", root: int | None = None) -> None:
        self.before = {each["uuid"]: int(each.get("used") or 0) for each in devices}
        self.root = os.getpid() if root is None else root
        self.peak: int | None = None
        self._path, self._told = path, -1
        self._looker = Looker()

    def start(self) -> None:
        """Begins to sample, until this process ends."""
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        site.main()  # a supervisor is started without the packages, among which nvidia-ml-py is
        pause = _FIRST_SECONDS
        while True:
            self.look()
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_SECONDS)

    def look(self) -> None:
        """Takes a sample."""
        seen = [each for each in self._looker.look().devices if each.uuid in self.before]
        if not seen:
            return
        tree = {self.root, *descendants(self.root)}
        taken = [held(each, tree, self.before[each.uuid]) for each in seen]
        self.peak = max(self.peak or 0, *taken)
        self._tell(sum(taken))

    def _tell(self, used: int) -> None:
        if not self._path or used == self._told:
            return
        with contextlib.suppress(OSError):  # a full disk: the next change is tried again, and no run fails for it
            wire.write_json(self._path, {"memory": used})
            self._told = used


def held(device: Device, tree: Collection[int], before: int) -> int:
    """Returns how much of a device's memory these processes hold, in bytes.

    Where the driver does not tell it by process, as in containers, all that was taken since counts, unless others
    are seen on the device.
    """
    mine = sum(each.memory for pid, each in device.processes.items() if pid in tree)
    if mine or any(each.name for pid, each in device.processes.items() if pid not in tree):
        return mine
    return max(0, device.memory_used - before)
