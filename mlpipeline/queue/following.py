"""The process that tells TensorBoard and MLflow of runs while a scheduler lives, where `[TRACKING]` asks for it."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from mlpipeline import tracking
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.project import Project

LOG = "tracking.log"
_CODE = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from mlpipeline.observe.exchange.follower import main; main(*sys.argv[2:])"
)
_PATIENCE_SECONDS = 10.0
_PAUSES = (1.0, 10.0, 60.0)
"""Before it is started anew where it was killed; the last one holds from then on."""


class _Follower:
    """A child that is started again where something kills it; a thread waits for it, and no turn of the queue does."""

    def __init__(self, project: Project, since: datetime) -> None:
        self._project, self._since = project, since
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="following", daemon=True)
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread.start()

    def _run(self) -> None:
        for pause in itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1])):
            try:
                child = self._start()
            except OSError:  # no process can be had for the moment
                child = None
            if child is not None and child.wait() == 0:
                return
            if self._over.wait(pause):
                return

    def _start(self) -> subprocess.Popen[bytes] | None:
        project = self._project
        told = [str(project.root), project.host, self._since.isoformat()]
        with self._lock:
            if self._over.is_set():
                return None
            with open(project.requests_dir / LOG, "ab") as log:
                self._child = subprocess.Popen(
                    [sys.executable, "-c", _CODE, PACKAGE_PARENT, *told],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    cwd=project.root,
                    start_new_session=True,
                )
            return self._child

    def close(self) -> bool:
        """Says that nothing follows. Returns whether all was told by then; else the child goes on for a moment."""
        with self._lock:
            self._over.set()
            if self._child is not None and self._child.stdin is not None:
                self._child.stdin.close()
        self._thread.join(_PATIENCE_SECONDS)
        return not self._thread.is_alive()


@contextlib.contextmanager
def tracking_beside(project: Project, say: Callable[[str, str], None]) -> Iterator[None]:
    """Has other tools told of runs meanwhile, where the settings ask for it.

    Who tells them is a process of its own: however long a server takes to answer, no run and no turn waits for it. It
    ends by itself when the scheduler has ended, however that was.
    """
    if not tracking.read(project).is_wanted:
        yield
        return
    follower = _Follower(project, datetime.now(UTC))
    try:
        yield
    finally:
        if not follower.close():
            say("other tools are still being told of the last runs: a process does it by itself", "INFO")
        for trouble in tracking.warnings(project):
            say(trouble, "WARNING")
