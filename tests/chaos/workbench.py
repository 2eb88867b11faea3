"""The real scheduler on a real project and ledger, with attempts that do only what a test says, and die as it says."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from unittest import mock

from mlpipeline import events, requests, wire
from mlpipeline.errors import DiskFull
from mlpipeline.execution.executor import Executor, Life
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.queue import attempts, digests, output, scheduler, submission
from mlpipeline.queue.catalog import DescribedVersion, Description
from mlpipeline.queue.claims import Claims
from mlpipeline.queue.options import Options
from mlpipeline.queue.scheduler import Scheduler
from mlpipeline.run import Run

from .queue_model import LIMIT, SLOTS, VERSIONS, Entry

_LONG_AGO = "2026-01-01T00:00:00+00:00"


class Crash(BaseException):
    """The scheduler is killed here."""


class FakeExecutor(Executor):
    """Attempts without processes. What lives, and what was asked of it, outlasts every scheduler."""

    name = "fake"

    def __init__(self) -> None:
        self.alive: dict[Path, dict[str, Any]] = {}
        self.started: list[dict[str, Any]] = []
        self.asked: dict[Path, str] = {}
        self.done: set[tuple[object, ...]] = set()

    @classmethod
    def for_project(cls, project: Project, *, debugger: bool = False) -> Self:
        """Needs nothing of the project."""
        return cls()

    def submit(self, directory: Path) -> None:
        """Starts an attempt; what must hold at this moment is asked here."""
        spec = wire.read_json(directory / wire.SPEC)
        assert spec is not None, f"{directory} is started without its spec"
        assert len(self.alive) < SLOTS, "I6: more live than there are slots"
        assert wish_of(spec) not in self.done, "I4: what is done starts again"
        for each in self.alive.values():
            assert each["run_id"] != spec["run_id"], "I3: two live attempts of one run"
            assert each["model_dir"] != spec["model_dir"], "I6: two runs in one model directory"
        self.alive[directory] = spec
        self.started.append(spec)

    def adopt(self, directory: Path) -> Life:
        """Says whether it lives."""
        return self.life(directory)

    def life(self, directory: Path) -> Life:
        """Says whether it lives."""
        return Life.ALIVE if directory in self.alive else Life.GONE

    def ask(self, directory: Path, action: str) -> None:
        """Remembers the wish."""
        self.asked[directory] = action

    def descriptors(self) -> Sequence[int]:
        """There are none."""
        return ()

    def forget(self, directory: Path) -> None:
        """Nothing is held."""

    def bury(self, directory: Path, token: str) -> bool:
        """Writes the outcome that the attempt could not write."""
        assert directory not in self.alive, "a living attempt is buried"
        if wire.read_json(directory / wire.OUTCOME) is None:
            write_outcome(directory, token, "lost", "lost_supervisor")
        return True

    def close(self) -> None:
        """Nothing is held."""


def wish_of(spec: Mapping[str, Any]) -> tuple[object, ...]:
    """Returns what an attempt is for."""
    return tuple(spec[name] for name in ("model", "version", "replicate", "code_digest"))


def write_outcome(directory: Path, token: str, state: str, cause: str) -> None:
    """Ends an attempt, long ago: no pause is left to wait for."""
    started = wire.read_json(directory / wire.STARTED) or {}
    content = {"token": token, "state": state, "cause": cause, "message": cause, "ended_at": _LONG_AGO}
    wire.write_json(directory / wire.OUTCOME, content | {"started_at": started.get("started_at")})


attempts.BRIEF_SECONDS = 0.0  # a beginning is recorded when it is seen: the model knows no clock


class ReadyCatalog:
    """Describes models by reading a number in their files: no child is needed."""

    def __init__(self, project: Project, *, keep: bool, warm: object = None) -> None:
        self.project, self.warm = project, None
        self.known: dict[str, Description] = {}
        self.children: Mapping[str, object] = {}
        self.waiting: Mapping[str, object] = {}

    def refresh(self, models: Iterable[str], python: Mapping[str, str | None]) -> None:
        """Reads what has changed."""
        for model in models:
            code = (self.project.models_dir / model).read_text()
            fresh = _described(model, code)
            if self.known.get(model) != fresh:
                self.known[model] = fresh

    def collect(self) -> list[Description]:
        """Nothing is ever under way."""
        return []

    def pending(self, models: Sequence[str]) -> frozenset[str]:
        """Nothing is ever under way."""
        return frozenset()

    def directories(self, models: Iterable[str]) -> set[Path]:
        """Nothing is watched."""
        return set()

    def descriptors(self) -> list[int]:
        """There are none."""
        return []

    def close(self) -> None:
        """Nothing is held."""


def _described(model: str, code: str) -> Description:
    if code == "broken":
        return Description(model=model, fault=f"{model}: broken", files={})
    versions = (
        DescribedVersion(name=name, order=place, suffix=None, params={"place": place}, params_digest=f"p{place}")
        for place, name in enumerate(VERSIONS[model])
    )
    return Description(
        model=model, sources=f"sources-{model}-{code}", code_digest=code, versions=tuple(versions), files={}
    )


class Workbench:
    """A project and the present life of its scheduler."""

    def __init__(self, root: Path) -> None:
        (root / "models").mkdir()
        settings = f"host = here\nslots = {SLOTS}\nmax_attempts = {LIMIT}\n"
        (root / "mlp.config").write_text(f"[MLP]\n{settings}")
        self.project = Project.load(root)
        for model in VERSIONS:
            self.code(model, "1")
        self.wish([])
        for directory in (self.project.runs_dir, self.project.requests_dir, self.project.revisions_dir):
            directory.mkdir(parents=True)
        self.executor = FakeExecutor()
        self.scheduler: Scheduler | None = None

    def wish(self, entries: Sequence[Entry]) -> None:
        """Writes the list, long enough ago to be settled."""
        lines = "\n".join(entry.written() for entry in entries)
        path = self.project.models_config
        beside = path.with_suffix(".new")
        beside.write_text(f"[MLP]\nuse_blacklist = false\n\n[WHITELISTED_MODELS]\n{lines}\n\n[BLACKLISTED_MODELS]\n")
        os.utime(beside, (time.time() - 60,) * 2)
        beside.rename(path)

    def code(self, model: str, code: str) -> None:
        """Writes a model's file."""
        (self.project.models_dir / model).write_text(code)

    def ask(self, action: str, target: str) -> None:
        """Asks something of the scheduler. Requests of one millisecond have no order, so the next one is another's."""
        now = requests.submit(self.project, action, target)[:10]
        while requests.new_id(time.time_ns() // 1_000_000, bytes(10))[:10] == now:
            pass

    def start(self) -> Scheduler:
        """Starts a scheduler as `Scheduler.run` does, up to its first turn."""
        options = Options(use_history=True, watch=True, quiet=True)
        ledger = Ledger.open(self.project.ledger_path)
        files = output.HostFiles(self.project, enabled=True)
        with mock.patch.multiple(scheduler, Catalog=ReadyCatalog, Watcher=mock.MagicMock()):
            self.scheduler = made = Scheduler(self.project, options, ledger, self.executor, files)
        made.surroundings.enabled = False
        made.submitter.prepare()
        made.attempts.adopt()
        return made

    def turn(self) -> None:
        """One turn; a scheduler that is not there is started first. Crash: the scheduler is gone."""
        try:
            (self.scheduler or self.start()).turn()
        except Crash:
            self.abandon()

    def abandon(self) -> None:
        """Drops the scheduler as a kill would: nothing is said, nothing is written."""
        gone, self.scheduler = self.scheduler, None
        if gone is not None:
            gone.ledger.connection.close()
            gone.wakeup.close()

    def close(self) -> None:
        """Ends the scheduler in good order."""
        gone, self.scheduler = self.scheduler, None
        if gone is not None:
            gone.close()
            gone.ledger.close()

    def runs(self) -> list[Run]:
        """Returns what the ledger holds."""
        ledger = Ledger.open_readonly(self.project.ledger_path)
        try:
            return ledger.runs(newest_first=False)
        finally:
            ledger.close()


POINTS: Mapping[str, tuple[object, str]] = {
    "record": (Ledger, "record"),
    "claim": (Claims, "take"),
    "prepare": (submission, "write"),
    "remember": (digests, "remember"),
    "write": (wire, "write_json"),
    "sync": (wire, "sync_directory"),
    "start": (FakeExecutor, "submit"),
    "bury": (FakeExecutor, "bury"),
    "forget": (FakeExecutor, "forget"),
    "block": (output.HostFiles, "block"),
    "log": (output.HostFiles, "log"),
    "answer": (requests, "answer"),
}
"""Where a scheduler can be killed: before or after any of these calls."""


@contextmanager
def crashing(point: str, call: int, *, after: bool) -> Iterator[None]:
    """Kills the scheduler at the n-th call of a point."""
    owner, name = POINTS[point]
    real: Callable[..., Any] = getattr(owner, name)
    left = call

    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and not after:
            raise Crash
        answer = real(*args, **kwargs)
        if left == 0:
            raise Crash
        return answer

    with mock.patch.object(owner, name, dying):
        yield


@contextmanager
def failing(point: str) -> Iterator[None]:
    """Makes the disk full, or processes rare, at the first call of a point that starts attempts."""
    owner, name = {"record": (Ledger, "record"), "sync": POINTS["sync"], "start": POINTS["start"]}[point]
    real: Callable[..., Any] = getattr(owner, name)
    is_over = False

    def refusing(*args: Any, **kwargs: Any) -> Any:
        nonlocal is_over
        is_other = point == "record" and not isinstance(args[1], events.Submitted)
        if point == "sync":  # a directory is synced, too, before the ledger hears that its attempt began or ended
            is_known = any((Path(args[0]) / name).exists() for name in (wire.STARTED, wire.OUTCOME))
            is_other = is_known or f"{os.sep}runs{os.sep}" not in str(args[0])
        if is_over or is_other:
            return real(*args, **kwargs)
        is_over = True
        raise DiskFull("no space") if point == "record" else OSError(errno.ENOSPC, "no space")

    with mock.patch.object(owner, name, refusing):
        yield
