"""Attempts as processes of this machine, each under a supervisor that outlives the scheduler."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from mlpipeline import wire
from mlpipeline.execution import burial, machine
from mlpipeline.execution.environment import PACKAGE_PARENT
from mlpipeline.execution.executor import Executor, Life
from mlpipeline.execution.orders import RUN
from mlpipeline.execution.supervisor import BOOTSTRAP
from mlpipeline.execution.warm_parent import Answer, WarmParent
from mlpipeline.project import Project

_FLOCK = "hhqqi4x"  # struct flock on 64-bit Linux: type, whence, start, length, pid

_LAST_MOMENTS_MS = 2000


def lock_holder(path: str | os.PathLike[str]) -> int | None:
    """Returns the process that holds the record lock on a file, None when nobody does. Changes nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    finally:
        os.close(descriptor)
    return None if kind == fcntl.F_UNLCK else int(pid)


class LocalExecutor(Executor):
    """Starts supervisors and learns of their ends through process descriptors."""

    name = "local"

    def __init__(self, variables: Mapping[str, str] | None = None, *, warm: WarmParent | None = None) -> None:
        self.variables = dict(variables or {})
        self.warm = warm
        self.waiting: dict[Path, bool] = {}
        self.children: set[int] = set()
        self.pids: dict[Path, int] = {}
        self.watched: dict[Path, int] = {}

    @classmethod
    def for_project(cls, project: Project, *, debugger: bool = False) -> Self:
        """Takes the variables for workers from the settings, and whether processes are forked from a warm one."""
        settings = project.settings
        if settings.preload == "none" or settings.python is not None:
            return cls(settings.env)
        warm = WarmParent(
            {**os.environ, **settings.env},
            preload=settings.preload,
            threads=settings.threads or max(1, machine.cores() // settings.slots),
            load_seconds=settings.describe_timeout_seconds,
            release_seconds=settings.idle_release_seconds,
        )
        return cls(settings.env, warm=warm)

    def submit(self, directory: Path) -> None:
        """Starts a supervisor in a session of its own: forked where that can be, else as a process of its own.

        While packages are being imported for it, it waits; it counts as alive from now on.
        """
        pid = self._forked(directory)
        if pid is Answer.LATER:
            self.waiting.setdefault(directory, False)
            return
        if pid is Answer.COLD:
            pid = self._spawn(directory)
            self.children.add(pid)
        self._watch(directory, pid)

    def _forked(self, directory: Path) -> int | Answer:
        spec = wire.read_json(directory / wire.SPEC) or {}
        if self.warm is None or spec.get("python"):
            return Answer.COLD
        return self.warm.submit(RUN, str(directory), heavy=bool(spec.get("heavy")))

    def _watch(self, directory: Path, pid: int) -> None:
        self.pids[directory] = pid
        try:
            self.watched[directory] = os.pidfd_open(pid)
        except ProcessLookupError:
            self.watched[directory] = os.eventfd(1)  # it has ended already: readable at once, as a pidfd would be

    def tend(self) -> list[tuple[str, str]]:
        """Looks after the warm process, and starts what waited for it."""
        if self.warm is None:
            return []
        self.warm.look()
        for directory, is_asked_to_end in list(self.waiting.items()):
            del self.waiting[directory]
            self.submit(directory)
            if directory in self.waiting:
                self.waiting[directory] = is_asked_to_end
            elif is_asked_to_end:
                self._terminate(directory)
        return self.warm.news()

    def _spawn(self, directory: Path) -> int:
        null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        output = str(directory / wire.OUTPUT)
        out = (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        command = [sys.executable, "-I", "-S", "-c", BOOTSTRAP, PACKAGE_PARENT, str(directory)]
        return os.posix_spawn(
            sys.executable,
            command,
            {**os.environ, **self.variables},
            file_actions=[null, out, (os.POSIX_SPAWN_DUP2, 1, 2)],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD],
        )

    def adopt(self, directory: Path) -> Life:
        """Watches a supervisor that another scheduler started, if it lives."""
        holder = lock_holder(directory / wire.LOCK)
        if holder is None:
            return Life.GONE
        if directory not in self.watched and holder > 0:  # 0: a process of another namespace, which has no name here
            try:
                self.watched[directory] = os.pidfd_open(holder)
            except ProcessLookupError:
                return Life.GONE
        return Life.ALIVE

    def life(self, directory: Path) -> Life:
        """Says whether the supervisor holds its lock, or was started and has not come to take it yet."""
        if directory in self.waiting:
            return Life.ALIVE
        descriptor = self.watched.get(directory)
        if (holder := lock_holder(directory / wire.LOCK)) is not None:
            if descriptor is not None and holder > 0 and _is_readable(descriptor):
                self._watch_instead(directory, holder)
            return Life.ALIVE
        if descriptor is not None and not _is_readable(descriptor):
            return Life.ALIVE
        return Life.GONE

    def _watch_instead(self, directory: Path, holder: int) -> None:
        """Watches who holds the lock: the process that was started found it taken, and has ended."""
        try:
            descriptor = os.pidfd_open(holder)
        except ProcessLookupError:
            return  # it has ended since: the next look finds that
        os.close(self.watched[directory])
        self.watched[directory] = descriptor

    def ask(self, directory: Path, action: str) -> None:
        """Writes the wish where the worker reads it, and signals the supervisor for what only it can do."""
        wire.write_json(directory / wire.CONTROL, {"action": action, "at": wire.utc_now()}, sync=True)
        if action not in ("cancel", "interrupt") or self.life(directory) is not Life.ALIVE:
            return
        if directory in self.waiting:
            self.waiting[directory] = True
            return
        self.adopt(directory)
        self._terminate(directory)

    def _terminate(self, directory: Path) -> None:
        if (descriptor := self.watched.get(directory)) is not None:
            # A process descriptor names this process for ever; its id may be another's by now.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGTERM)

    def descriptors(self) -> Sequence[int]:
        """Returns one process descriptor for each supervisor, and what tells that packages are imported."""
        return [*self.watched.values(), *(self.warm.descriptors() if self.warm is not None else ())]

    def forget(self, directory: Path) -> None:
        """Waits for the supervisor, which has written its outcome and is about to end, and collects it."""
        self.waiting.pop(directory, None)
        descriptor = self.watched.pop(directory, None)
        if descriptor is not None:
            _is_readable(descriptor, _LAST_MOMENTS_MS)
            os.close(descriptor)
        self.pids.pop(directory, None)
        # One that is stopped, or hangs in the kernel, is collected when another one is: nobody waits for it.
        for each in self.children - set(self.pids.values()):
            if os.waitpid(each, os.WNOHANG)[0]:
                self.children.discard(each)

    def bury(self, directory: Path, token: str) -> bool:
        """Makes sure that a lost attempt stays dead."""
        return burial.bury(directory, token)

    def close(self) -> None:
        """Closes all descriptors. Supervisors go on; what still waits for packages imports them itself."""
        for directory in self.waiting:
            self._spawn(directory)
        self.waiting.clear()
        for descriptor in self.watched.values():
            os.close(descriptor)
        self.watched.clear()
        if self.warm is not None:
            self.warm.close()


def _is_readable(descriptor: int, milliseconds: int = 0) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(milliseconds))
