"""Named places where a test may stop or end a process. They cost one look at a constant where nobody asks for them."""

from __future__ import annotations

import os
import signal
import time

_ASKED = os.environ.get("MLP_FAILPOINT", "")
_PAUSE_SECONDS = 0.005


def reach(name: str) -> None:
    """Does what the variable `MLP_FAILPOINT` says about this place: `NAME=kill` or `NAME=wait:DIRECTORY`.

    Several are separated by `;`. Who waits makes the file `DIRECTORY/NAME.PID` and goes on when `DIRECTORY/NAME.go`
    is there: a test kills whom it likes meanwhile.
    """
    if _ASKED:
        _obey(name)


def _obey(name: str) -> None:
    asked = dict(each.partition("=")[::2] for each in _ASKED.split(";"))
    action, _, place = asked.get(name, "").partition(":")
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "wait":
        with open(f"{place}/{name}.{os.getpid()}", "w", encoding="ascii"):
            pass
        while not os.path.exists(f"{place}/{name}.go"):
            time.sleep(_PAUSE_SECONDS)
