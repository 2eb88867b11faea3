"""Everything that is lent to runs besides slots: memory and devices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlpipeline.queue.devices import Devices
from mlpipeline.queue.memory import Memory
from mlpipeline.queue.verdicts import Lender
from mlpipeline.run import Run


def lenders(memory: Memory, devices: Devices, live: Sequence[tuple[Run, Path]], slots: int) -> list[Lender]:
    """Returns who lends in one computation of the plan.

    Args:
        memory: of this machine.
        devices: of this machine.
        live: runs with the directories of their attempts.
        slots: how many runs train at a time; 0 where nothing is to start any more.
    """
    found: list[Lender] = [memory.lending(live)]
    if (devices_lent := devices.lending(live, slots)) is not None:
        found.append(devices_lent)
    return found
