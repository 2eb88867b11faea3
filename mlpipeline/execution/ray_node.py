"""What runs on a node of Ray: the supervisor of an attempt, bound to its holder, and the end of what one has left.

Started as `python -I -S -c SUPERVISE <package parent> <attempt directory> <process id of the holder>`, and as
`python -I -S -c SWEEP <package parent> <attempt directory>`. Light modules only.
"""

from __future__ import annotations

import errno
import fcntl
import os

from mlpipeline import wire
from mlpipeline.execution import burial, limits, node

SUPERVISE = (
    "import sys; sys.path.append(sys.argv[1]); from mlpipeline.execution.ray_node import supervise; "
    "supervise(sys.argv[2], int(sys.argv[3]))"
)
SWEEP = "import sys; sys.path.append(sys.argv[1]); from mlpipeline.execution.ray_node import sweep; sweep(sys.argv[2])"
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
