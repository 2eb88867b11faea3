"""Attempts within this very process: for the debugger, and where processes cannot be had."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from mlpipeline import wire
from mlpipeline.execution import burial, environment, failure, loader, verdict, worker
from mlpipeline.execution.executor import Executor, Life
from mlpipeline.project import Project


class InlineExecutor(Executor):
    """Runs an attempt when it is submitted, and returns when it ended.

    Nothing isolates the code: an attempt that ends its process ends the scheduler, and is found lost afterwards.
    """

    name = "inline"

    def __init__(self, *, debugger: bool = False) -> None:
        self.debugger = debugger

    @classmethod
    def for_project(cls, project: Project, *, debugger: bool = False) -> Self:
        """Runs with the scheduler's own environment."""
        return cls(debugger=debugger)

    def submit(self, directory: Path) -> None:
        """Trains here and now."""
        spec = wire.read_json(directory / wire.SPEC)
        if spec is None:
            raise FileNotFoundError(f"{directory / wire.SPEC}")
        started = {"token": spec["token"], "pid": os.getpid(), "started_at": wire.utc_now()}
        wire.write_json(directory / wire.STARTED, started)
        modules, path, finders, cwd = set(sys.modules), list(sys.path), list(sys.meta_path), os.getcwd()
        before = dict(os.environ)
        try:
            os.environ.update(environment.of_devices(spec, before))
            error = worker.execute(directory, spec)
            if error is not None:
                failure.show(error)
                if self.debugger:
                    _debug(error)
        finally:
            sys.path[:], sys.meta_path[:] = path, finders
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(before)
            _unload(set(sys.modules) - modules)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        facts = verdict.Facts(
            status=0 if error is None else 1 << 8,
            asked="interrupt" if isinstance(error, KeyboardInterrupt) else "",
            timed_out=False,
            started=True,
            peak_bytes=usage.ru_maxrss * 1024,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            leftovers=0,
            dropped=0,
        )
        outcome = verdict.outcome(spec, wire.read_json(directory / wire.RESULT), facts)
        outcome |= {"started_at": started["started_at"], "ended_at": wire.utc_now()}
        wire.write_json(directory / wire.OUTCOME, outcome, sync=True)

    def adopt(self, directory: Path) -> Life:
        """Finds nothing alive: what ran inline ended with its scheduler."""
        return Life.GONE

    def life(self, directory: Path) -> Life:
        """Returns GONE: whoever asks is not within `submit`."""
        return Life.GONE

    def ask(self, directory: Path, action: str) -> None:
        """Writes the wish where the model reads it."""
        wire.write_json(directory / wire.CONTROL, {"action": action, "at": wire.utc_now()}, sync=True)

    def descriptors(self) -> Sequence[int]:
        """Returns none: nothing happens behind the scheduler's back."""
        return ()

    def forget(self, directory: Path) -> None:
        """Holds nothing."""

    def bury(self, directory: Path, token: str) -> bool:
        """Uses the local executor's way: the lock and the outcome are the same files."""
        return burial.bury(directory, token)

    def close(self) -> None:
        """Holds nothing."""


def _unload(names: set[str]) -> None:
    """Forgets the project's modules, so that the next version imports its own copy."""
    for name in names:
        module_loader = getattr(getattr(sys.modules.get(name), "__spec__", None), "loader", None)
        if isinstance(module_loader, loader.SourcesLoader):
            del sys.modules[name]


def _debug(error: BaseException) -> None:
    import pdb

    frames = [frame for frame in _frames(error) if not frame.tb_frame.f_code.co_filename.startswith(failure.OURS)]
    pdb.post_mortem(frames[-1] if frames else error.__traceback__)


def _frames(error: BaseException) -> list[TracebackType]:
    found = []
    trace = error.__traceback__
    while trace is not None:
        found.append(trace)
        trace = trace.tb_next
    return found
