"""Proves that models resume: trains some steps straight, then again with a kill in the middle, and compares."""

from __future__ import annotations

import contextlib
import math
import secrets
import select
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlpipeline import checkpoint as checkpoints
from mlpipeline import plugins
from mlpipeline.execution import machine
from mlpipeline.execution.executor import Executor, Life
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.queue import resumption, submission, wishes
from mlpipeline.queue.catalog import Catalog
from mlpipeline.queue.launch import check_selection
from mlpipeline.queue.live_selection import LiveSelection
from mlpipeline.queue.plan import Wanted
from mlpipeline.queue.preloading import Preloading
from mlpipeline.queue.resumption import Finding, Result, Training
from mlpipeline.queue.signals import SignalFlags
from mlpipeline.queue.studies import Studies
from mlpipeline.queue.wakeup import Wakeup
from mlpipeline.run import Cause, Run, State
from mlpipeline.rundir import AttemptDir, Outcome, read_metrics
from mlpipeline.selection import Selection

STEPS = 20
PATIENCE_SECONDS = 120.0
"""How long a model may take to begin a loop of `run.steps`, where no timeout_seconds says how long it may take."""
_BETWEEN = 3
"""How many steps lie between the one that is to be saved and the kill."""
_WAKE_SECONDS = 0.5
_TELL_SECONDS = 5.0

_WRITE_CHECKPOINTS = "call self.run.checkpoint(save) in the loop and self.run.restore(load) in pre_execution_hook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What came of one version; of a whole model where `version` is None.

    Attributes:
        traceback: what the code raised or printed last, where it failed.
    """

    model: str
    version: str | None
    finding: Finding
    steps: int | None = None
    killed_step: int | None = None
    checkpoint_step: int | None = None
    traceback: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether it makes the exit status 1."""
        return self.finding.result in (Result.BROKEN, Result.FAILED)

    def to_json(self) -> dict[str, Any]:
        """Returns what `--json` shows."""
        found = asdict(self)
        finding: dict[str, Any] = found.pop("finding")
        return found | finding


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """An attempt that is over. `is_idle`: it was ended since it began no loop of `run.steps`."""

    run: Run
    directory: AttemptDir
    outcome: Outcome
    is_idle: bool = False

    @property
    def training(self) -> Training:
        result = self.directory.result or {}
        return Training(
            rows=tuple(read_metrics(self.directory.metrics)),
            evaluation=self.outcome.metrics,
            steps=result.get("steps") or (self.directory.progress or {}).get("step") or 0,
            taken=result.get("steps_taken") or 0,
        )

    @property
    def message(self) -> str:
        idle = f"began no loop of run.steps within {PATIENCE_SECONDS:g} s, and has no timeout_seconds"
        return idle if self.is_idle else self.outcome.message

    @property
    def traceback(self) -> str:
        told = ((self.directory.result or {}).get("error") or {}).get("traceback")
        return str(told or "")


def drills(
    project: Project, names: tuple[str, ...], *, steps: int = STEPS, say: Callable[[str], None]
) -> Generator[Drill, None, None]:
    """Drills what is named, or what models_test.config lists, in a private temporary directory.

    Args:
        project: nothing of it is touched.
        names: `MODEL[:VERSION]`, listed or not.
        steps: how many steps are trained each time.
        say: told what is going on.

    Raises:
        ConfigurationError: models_test.config is faulty.
        KeyboardInterrupt: on SIGINT, SIGTERM or SIGHUP, when everything that was started has ended.
    """
    listed = LiveSelection(project, names, testing=True, say=lambda *_: None, keep=False)
    check_selection(listed)
    private = Path(tempfile.mkdtemp(prefix="mlpipeline-drill-"))
    try:
        apart = project.with_outputs(private)
        for directory in (apart.runs_dir, apart.model_dirs, apart.sources_dir):
            directory.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(_Driller(apart, steps, say)) as driller:
            yield from driller.run(listed.current)
    finally:
        shutil.rmtree(private, ignore_errors=True)


class _Driller:
    """Works through the versions one by one."""

    def __init__(self, project: Project, steps: int, say: Callable[[str], None]) -> None:
        self.project, self.steps, self.say = project, steps, say
        self.invocation = secrets.token_hex(6)
        # A kill needs a process of its own, wherever runs happen otherwise.
        self.executor: Executor = plugins.load("executor", "local").for_project(project)
        self.catalog = Catalog(project, keep=True, warm=self.executor.warm)
        self.wakeup = Wakeup()
        self.signals = SignalFlags(self.wakeup.write)
        self.signals.install()

    def close(self) -> None:
        for each in (self.catalog.close, self.executor.close, self.signals.restore, self.wakeup.close):
            each()

    def run(self, selection: Selection) -> Iterator[Drill]:
        self._describe(selection)
        self.known = Studies(self.project, Ledger.in_memory(), testing=True).extended(selection, self.catalog.known)
        for model, fault in wishes.faults(selection, self.known).items():
            yield Drill(model=model, version=None, finding=_failed(fault))
        wanted = wishes.wanted(selection, self.known, testing=True)
        for each in sorted(wanted, key=lambda each: (each.position, each.rank)):
            if not each.options.hold:
                yield self._tried(each)

    def _tried(self, wanted: Wanted) -> Drill:
        try:
            return self._drill(wanted)
        except OSError as error:  # the temporary directory is full, or there are too many processes
            return Drill(model=wanted.model, version=wanted.version, finding=_failed(f"cannot start: {error}"))

    def _describe(self, selection: Selection) -> None:
        listed = [each for each in selection.models if each.fault is None]
        models = [each.model for each in listed]
        self.catalog.refresh(models, {each.model: each.options.python for each in listed})
        Preloading(self.project, self.catalog, keep=False).tell(self.catalog.waiting)
        while self.catalog.pending(models):
            self._sleep(*self.catalog.descriptors())
            with contextlib.suppress(OSError):  # the next drill describes them again
                self.catalog.collect()

    def _drill(self, wanted: Wanted) -> Drill:
        title = f"{wanted.model}:{wanted.version}"
        self.say(f"{title}: training {self.steps} steps straight")
        straight = self._train(wanted, {"max_steps": self.steps})
        if (unfit := _unfit(straight)) is not None:
            return _told(wanted, unfit, straight)
        steps = straight.training.steps
        shutil.rmtree(self.project.model_dirs / wanted.model_dir)
        middle = steps // 2
        script = {"max_steps": steps, "checkpoint_at": middle, "kill_at": min(middle + _BETWEEN, steps - 1)}
        self.say(f"{title}: {steps} steps again, to be killed in the middle")
        killed = self._train(wanted, script)
        saved = checkpoints.find(self.project.model_dirs / wanted.model_dir)
        if (finding := _not_killed(killed, saved)) is not None or saved is None:
            return _told(wanted, finding or _failed(killed.message), killed, steps=steps)
        at = killed.training.steps
        self.say(f"{title}: killed after step {at}, going on from the checkpoint at step {saved.step}")
        resumed = self._train(wanted, {"max_steps": steps}, killed.run)
        if resumed.outcome.state is State.SUCCEEDED:
            finding = resumption.compare(straight.training, killed.training, resumed.training, saved.step)
        else:
            text = f"broken (the resumed training failed: {resumed.message})"
            finding = Finding(result=Result.BROKEN, text=text)
        return _told(wanted, finding, resumed, steps=steps, killed_step=at, checkpoint_step=saved.step)

    def _train(self, wanted: Wanted, script: Mapping[str, int], earlier: Run | None = None) -> _Ended:
        occasion = submission.Occasion(
            project=self.project,
            invocation=self.invocation,
            executor=self.executor.name,
            threads=self.project.settings.threads or machine.cores(),
            fresh=False,
            testing=False,
            drill=script,
        )
        prepared = submission.draft(occasion, wanted, self.known[wanted.model], earlier)
        submission.write(occasion, wanted, prepared)
        directory = AttemptDir(prepared.directory)
        limit = wanted.options.timeout_seconds or self.project.settings.timeout_seconds
        self.executor.submit(directory.path)
        is_idle = False
        try:
            is_idle = self._watch(
                directory, prepared.attempt.token, script["max_steps"], math.inf if limit else PATIENCE_SECONDS
            )
        finally:
            outcome = self._end(directory, prepared.attempt.token)
        return _Ended(run=prepared.run, directory=directory, outcome=outcome, is_idle=is_idle)

    def _watch(self, directory: AttemptDir, token: str, steps: int, patience: float) -> bool:
        """Waits for the attempt's end. Returns early, and True, when it begins no loop for too long."""
        began = told = time.monotonic()
        while self._outcome(directory, token) is None:
            self._sleep()
            now, progress = time.monotonic(), directory.progress
            if progress is None and now - began >= patience:
                return True
            if progress is not None and now - told >= _TELL_SECONDS:
                told = now
                self.say(f"  step {progress['step']} of {steps}")
        return False

    def _outcome(self, directory: AttemptDir, token: str) -> Outcome | None:
        if directory.outcome is None and self.executor.life(directory.path) is Life.GONE:
            self.executor.bury(directory.path, token)
        return directory.outcome

    def _end(self, directory: AttemptDir, token: str) -> Outcome:
        """Ends what still runs, so that nothing is left behind, and returns how it ended."""
        if self._outcome(directory, token) is None:
            self.executor.ask(directory.path, "cancel")
        while (outcome := self._outcome(directory, token)) is None:
            self._poll()
        self.executor.forget(directory.path)
        return outcome

    def _poll(self, *descriptors: int) -> None:
        poll = select.poll()
        for descriptor in (*descriptors, *self.executor.descriptors()):
            poll.register(descriptor, select.POLLIN)
        poll.poll(_WAKE_SECONDS * 1000)
        for text, _ in self.executor.tend():
            self.say(text)

    def _sleep(self, *descriptors: int) -> None:
        self._poll(self.wakeup.read, *descriptors)
        if self.signals.interrupts or self.signals.terminations or self.signals.hangups:
            raise KeyboardInterrupt


def _told(wanted: Wanted, finding: Finding, last: _Ended, **facts: int) -> Drill:
    bad = finding.result in (Result.BROKEN, Result.FAILED)
    traceback = last.traceback if bad else ""
    return Drill(model=wanted.model, version=wanted.version, finding=finding, traceback=traceback, **facts)


def _failed(message: str) -> Finding:
    return Finding(result=Result.FAILED, text=f"failed ({message})")


def _unfit(straight: _Ended) -> Finding | None:
    """Says why there is nothing to interrupt, if so."""
    if straight.is_idle:
        text = f"{straight.message}: cannot be stopped in the middle"
        return Finding(result=Result.NO_STEPS, text=text)
    if straight.outcome.state is not State.SUCCEEDED:
        return _failed(straight.message)
    if straight.directory.progress is None:
        return Finding(result=Result.NO_STEPS, text="does not use run.steps: cannot be stopped in the middle")
    if straight.training.steps < 2:
        return Finding(result=Result.NO_STEPS, text="takes fewer than two steps: there is no middle to stop it in")
    return None


def _not_killed(killed: _Ended, saved: checkpoints.Checkpoint | None) -> Finding | None:
    """Says why the training that was to be killed came to its end, if so."""
    if killed.outcome.cause is Cause.KILLED and saved is not None:
        return None
    if killed.outcome.state is not State.SUCCEEDED:
        return _failed(f"in the training that was to be killed: {killed.message}")
    why = "an interrupted run begins anew" if saved is None else "it saves after its loop only"
    text = f"has no checkpoints to go on from ({why}): {_WRITE_CHECKPOINTS}"
    return Finding(result=Result.NO_CHECKPOINTS, text=text)
