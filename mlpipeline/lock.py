"""One scheduler per project and host, and who it is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mlpipeline import wire
from mlpipeline.errors import NotWritable, SchedulerRunning
from mlpipeline.filesystems import remedy
from mlpipeline.project import Project

_PATIENCE_SECONDS = 0.3
"""A reading command that asks whether somebody holds the lock holds it for a moment itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The scheduler that holds a project."""

    pid: int
    host: str
    since: str
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since} ({self.command})"


class SchedulerLock:
    """A lock that ends with its process, whatever happens to it."""

    def __init__(self, project: Project) -> None:
        from filelock import FileLock

        self.project = project
        self.lock = FileLock(project.lock_path, timeout=_PATIENCE_SECONDS, poll_interval=0.02, fallback_to_soft=False)

    def acquire(self) -> None:
        """Takes the lock.

        Raises:
            SchedulerRunning: somebody has it; the message says who and since when.
            NotWritable: the lock file cannot be made.
        """
        from filelock import Timeout

        try:
            self.lock.acquire()
        except Timeout as error:
            story = holder(self.project)
            raise SchedulerRunning(
                f"a scheduler works on this project already: {story or 'it has just started'}. "
                "`mlpipeline status` shows it, `mlpipeline stop` ends it"
            ) from error
        except (OSError, NotImplementedError) as error:
            place = self.project.lock_path
            told = remedy(error, place) if isinstance(error, OSError) else f"({error}): set outputs_dir to another disk"
            raise NotWritable(f"{place}: cannot be locked {told}") from error
        content = {
            "pid": os.getpid(),
            "host": self.project.host,
            "since": datetime.now(UTC).astimezone().isoformat(sep=" ", timespec="seconds"),
            "command": " ".join(["mlpipeline", *sys.argv[1:]]),
        }
        # The lock is held by now: a full disk costs the story, not the scheduler.
        with contextlib.suppress(OSError):
            wire.write_json(_story(self.project), content)

    def release(self) -> None:
        """Gives the lock back."""
        with contextlib.suppress(OSError):
            _story(self.project).unlink(missing_ok=True)
        self.lock.release()


def _story(project: Project) -> Path:
    return project.lock_path.with_suffix(".json")


def holder(project: Project) -> Holder | None:
    """Returns who holds the project, None when nobody does. Changes no byte."""
    try:
        descriptor = os.open(project.lock_path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        content = wire.read_json(_story(project)) or {}
        return Holder(
            pid=int(content.get("pid") or 0),
            host=str(content.get("host") or project.host),
            since=str(content.get("since") or "just now"),
            command=str(content.get("command") or "mlpipeline"),
        )
    except OSError:
        return None  # a file system without locks: `acquire` says so
    finally:
        os.close(descriptor)
    return None
