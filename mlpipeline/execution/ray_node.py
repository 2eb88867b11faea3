"""What runs on a node of Ray: the supervisor of an attempt, bound to its holder, and the end of what one has left.

Started as `python -I -S -c SUPERVISE <package parent> <attempt directory> <process id of the holder>`, as
`python -I -S -c SWEEP <package parent> <attempt directory>`, and, for `doctor`, as
`python -I -c LOOK <package parent> <project> <its outputs>`. Light modules only.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sys

from mlpipeline import wire
from mlpipeline.execution import burial, limits, node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SUPERVISE = (
    "import sys; sys.path.append(sys.argv[1]); from mlpipeline.execution.ray_node import supervise; "
    "supervise(sys.argv[2], int(sys.argv[3]))"
)
SWEEP = "import sys; sys.path.append(sys.argv[1]); from mlpipeline.execution.ray_node import sweep; sweep(sys.argv[2])"
LOOK = "import sys; sys.path.append(sys.argv[1]); from mlpipeline.execution.ray_node import tell; tell(*sys.argv[2:])"
ALIVE = 3
"""The exit status of a sweep that found the supervisor at work."""


def supervise(directory: str, holder: int) -> None:
    """Supervises an attempt; asks for its end when its holder dies, whose place is another's then."""
    limits.be_told_of_parents_end(holder)
    node.main(directory)


def sweep(directory: str) -> None:
    """Ends every process of an attempt on this machine, and this process: with 0 when none is left.

    Raises:
        SystemExit: with ALIVE where its supervisor lives, with words where something will not end.
    """
    spec = wire.read_json_patiently(f"{directory}/{wire.SPEC}")
    if spec is None:
        raise SystemExit(f"{directory}: no {wire.SPEC}")
    descriptor = os.open(f"{directory}/{wire.LOCK}", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise SystemExit(ALIVE) from None
        raise
    if not burial.end_all(limits.carried(spec["token"], limits.file_mark(descriptor))):
        raise SystemExit(f"processes of it on {os.uname().nodename} will not end")


def look(root: str, outputs: str) -> dict[str, Any]:
    """Returns what this machine and its interpreter are, and what it sees of a project.

    Args:
        root: the project's directory.
        outputs: a directory that a run must write to.
    """
    from mlpipeline.execution import probe

    seen: dict[str, Any]
    try:
        found = os.stat(outputs)
        seen = {"directory": [found.st_ino, found.st_mtime_ns], "may_write": os.access(outputs, os.W_OK | os.X_OK)}
    except OSError as error:
        seen = {"directory": None, "error": error.strerror}
    return {**probe.facts(root), **seen}


def tell(root: str, outputs: str) -> None:
    """Prints what `look` finds."""
    sys.stdout.write(json.dumps(look(root, outputs)))
