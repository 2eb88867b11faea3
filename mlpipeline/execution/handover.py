"""A supervisor that was forked from a process full of libraries goes on in a light interpreter of its own.

`exec` keeps the process: its id, its children, its record lock, its deadlines. What it knows goes through a file in
memory. A run of a second never pays for this; one of a night does not hold the pages of a library that it never uses.

Imported by the light interpreter: light modules only.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from mlpipeline.execution import memory
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.execution.supervisor import SIGNALS, Supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CODE = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from mlpipeline.execution.handover import take_over; take_over(int(sys.argv[2]))"
)
_KEPT = ("worker", "asked", "started_at", "deadline", "timed_out", "kill_at", "kernel_kills", "lock", "output")
_OF_PUMP = ("dropped", "written", "left_out")
_TEXTS = ("pending", "tail")


def hand_over(supervisor: Supervisor) -> None:
    """Replaces this process by a light one that goes on with the same attempt. Returns only where that is refused.

    Signals wait meanwhile: none is lost.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        state = os.memfd_create("mlpipeline-supervisor")
        with open(state, "w", encoding="utf-8", closefd=False) as file:
            json.dump(_told(supervisor), file)
        for descriptor in (state, supervisor.lock, supervisor.output):
            os.set_inheritable(descriptor, True)
        os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", _CODE, PACKAGE_PARENT, str(state)])
    except OSError:  # it goes on as it is
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _told(supervisor: Supervisor) -> dict[str, Any]:
    group, watch, pump = supervisor.group, supervisor.watch, supervisor.pump
    return {
        "directory": supervisor.directory,
        "own": {name: getattr(supervisor, name) for name in _KEPT},
        "clock": supervisor.clock.offset,
        "pump": {name: getattr(pump, name) for name in _OF_PUMP}
        | {name: getattr(pump, name).decode("latin-1") for name in _TEXTS},
        "group": [group.path, group.before] if group else None,
        "watch": [watch.limit, watch.peak, watch.exceeded],
        "device_peak": supervisor.devices.peak if supervisor.devices else None,
    }


def take_over(descriptor: int) -> None:
    """Goes on as the supervisor whose state lies in a file; ends this process when the outcome is on disk."""
    with open(descriptor, encoding="utf-8") as file:
        file.seek(0)
        state = json.load(file)
    supervisor = Supervisor(state["directory"])
    for name, value in state["own"].items():
        setattr(supervisor, name, value)
    for kept in (supervisor.lock, supervisor.output):
        os.set_inheritable(kept, False)
    supervisor.clock.offset = state["clock"]
    for name in _OF_PUMP:
        setattr(supervisor.pump, name, state["pump"][name])
    for name in _TEXTS:
        setattr(supervisor.pump, name, state["pump"][name].encode("latin-1"))
    if state["group"]:
        supervisor.group = memory.Group(*state["group"])
    limit, supervisor.watch.peak, supervisor.watch.exceeded = state["watch"]
    supervisor.watch.limit = limit
    supervisor.device_peak = state["device_peak"]
    supervisor.listen()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    supervisor.finish()
    os._exit(0)
