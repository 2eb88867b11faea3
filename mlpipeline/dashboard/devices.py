"""How much memory of its devices each run holds now; the driver is asked only where runs hold some."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from mlpipeline.execution.device_watch import held
from mlpipeline.execution.devices import Device, Prober
from mlpipeline.observe.usage import processes_of

_SECONDS = 2.0


class Devices:
    """What the driver said lately; one that does not answer keeps no page waiting for long."""

    def __init__(self) -> None:
        self._prober = Prober(patience=_SECONDS)
        self._seen: Mapping[str, Device] = {}
        self._until = 0.0
        self._lock = threading.Lock()

    def held(self, directory: str, given: Iterable[Any]) -> int | None:
        """Returns how many bytes of its devices a run holds in all; None where that is not known.

        Args:
            directory: of its attempt, which lives.
            given: its devices, as the attempt's spec names them.
        """
        named = [each for each in given if isinstance(each, dict) and each.get("uuid")]
        if not named or not (tree := set(processes_of(directory))):
            return None
        seen = self._look()
        known = [(seen[each["uuid"]], int(each.get("used") or 0)) for each in named if each["uuid"] in seen]
        return sum(held(device, tree, before) for device, before in known) if known else None

    def _look(self) -> Mapping[str, Device]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._seen = {each.uuid: each for each in self._prober.probe().devices}
                self._until = time.monotonic() + _SECONDS
            return self._seen
