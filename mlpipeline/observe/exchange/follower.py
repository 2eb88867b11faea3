"""Follows runs as a process of its own, and tells TensorBoard and MLflow what they record; each thing once."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from mlpipeline import standings, tracking, wire
from mlpipeline.errors import LedgerError, MlpipelineError, RunNotFound
from mlpipeline.failpoints import reach
from mlpipeline.ledger import Ledger
from mlpipeline.observe.exchange import portable
from mlpipeline.observe.exchange.deliveries import Deliveries
from mlpipeline.observe.exchange.sinks import EventFiles, MlflowRuns, Sink
from mlpipeline.project import Project
from mlpipeline.run import IMPORTED, Run, State

_LOOK_SECONDS, _FULL_SECONDS = 1.0, 60.0
_NEWEST = 50
_LONGEST_PAUSE = 60.0
_LOCK_SECONDS = 60.0


class Follower:
    """Tells one tool.

    Args:
        project: whose runs.
        sink: the tool.
        deliveries: what it has been told.
        since: runs that were made before are none of its business, at first.
    """

    def __init__(self, project: Project, sink: Sink, deliveries: Deliveries, since: datetime) -> None:
        self.project, self.sink, self.deliveries = project, sink, deliveries
        # Of the kind of tool: another address gets all that the former one should have got.
        self.since = deliveries.since(sink.key.partition(" ")[0], since)
        self.told = deliveries.told(sink.key)
        self.trouble = self._why = ""
        self._failures, self._again = 0, 0.0
        self._given_up: dict[str, str] = {}
        self._looked = -_FULL_SECONDS

    def look(self, ledger: Ledger, *, is_last: bool = False) -> None:
        """Tells what is new; a tool that does not answer is asked again after a pause, which grows."""
        is_down = time.monotonic() < self._again
        if is_down and not is_last:
            return
        waiting = list(self._waiting(ledger, is_last=is_last))
        if is_down:  # who ends now does not wait for it a second time
            self._tell_trouble(len(waiting))
            return
        for place, run in enumerate(waiting):
            try:
                self._follow(run)
            except (MlpipelineError, OSError, ValueError) as error:
                if self.sink.answers():
                    self._give_up(run, error)
                    continue
                self._failures += 1
                self._again = time.monotonic() + min(_LONGEST_PAUSE, 2.0**self._failures)
                self._looked = -_FULL_SECONDS
                self._why = str(error)
                self._tell_trouble(len(waiting) - place)
                return
        self._failures, self.trouble = 0, ""

    def _tell_trouble(self, missing: int) -> None:
        self.trouble = f"[TRACKING] {self._why}. What it lacks is told when it answers (runs: {missing})"

    def _give_up(self, run: Run, error: Exception) -> None:
        """Leaves a run alone that cannot be told, until it goes on."""
        self._given_up[run.id] = _mark(run)
        sys.stderr.write(f"{run.id}: {error}\n")

    def _waiting(self, ledger: Ledger, *, is_last: bool) -> Iterator[Run]:
        if is_last or time.monotonic() - self._looked >= _FULL_SECONDS:
            self._looked = time.monotonic()
            marks = standings.states(ledger.connection, self.since)
            names = [name for name, mark in marks if self.told.get(name) != mark or not _is_final(mark)]
            runs: Iterable[Run | None] = (_run(ledger, name) for name in names)
        else:
            newest = ledger.runs(limit=_NEWEST)
            runs = {run.id: run for run in (*ledger.live(), *reversed(newest))}.values()
        for run in runs:
            if run is not None and run.created_at >= self.since and run.last.executor != IMPORTED:
                is_open = self.told.get(run.id) != _mark(run) or not run.state.is_final
                if is_open and self._given_up.get(run.id) != _mark(run):
                    yield run

    def _follow(self, run: Run) -> None:
        delivery = self.deliveries.get(self.sink.key, run.id)
        story = portable.of_run(self.project.root, self.project.runs_dir, run, curves=False)
        for attempt in run.attempts[delivery.attempt - 1 :]:
            if attempt.number > delivery.attempt:
                delivery = delivery.at_attempt(attempt.number)
            path = self.project.root / attempt.directory / wire.METRICS
            while rows := delivery.read(path):
                delivery = self.sink.record(story, rows, delivery)
                reach("tracking.sent")
                self.deliveries.put(delivery)
        if delivery.told != _mark(run):
            delivery = self.sink.tell(story, delivery).as_told(_mark(run))
            reach("tracking.told")
            self.deliveries.put(delivery)
            self.told[run.id] = delivery.told


def _mark(run: Run) -> str:
    return f"{run.last.number} {run.state.value}"


def _is_final(mark: str) -> bool:
    return State(mark.partition(" ")[2]).is_final


def _run(ledger: Ledger, name: str) -> Run | None:
    try:
        return ledger.run(name)
    except RunNotFound:  # the outputs were removed meanwhile
        return None


def main(root: str, host: str, since: str) -> None:
    """Works until the scheduler that started it is gone, which closes its standard input; then once more."""
    project = Project.load(Path(root), host=host)
    with contextlib.ExitStack() as stack:
        if not _locked(project, stack):
            return
        deliveries = stack.enter_context(closing(Deliveries(project.tracking_path)))
        settings = tracking.read(project)
        sinks: list[Sink] = [EventFiles(project.outputs_dir / "tensorboard")] if settings.tensorboard else []
        sinks += [MlflowRuns(settings.mlflow, settings.experiment)] if settings.mlflow else []
        followers = [Follower(project, sink, deliveries, datetime.fromisoformat(since)) for sink in sinks]
        is_over = False
        while not is_over:
            is_over = _is_over(_LOOK_SECONDS)
            _look(project, followers, is_last=is_over)


def _look(project: Project, followers: list[Follower], *, is_last: bool) -> None:
    try:
        with closing(Ledger.open_readonly(project.ledger_path)) as ledger:
            for follower in followers:
                follower.look(ledger, is_last=is_last)
    except LedgerError as error:  # seen again at the next look
        sys.stderr.write(f"{error}\n")
    troubles = [follower.trouble for follower in followers if follower.trouble]
    if troubles != list(tracking.warnings(project)):
        with contextlib.suppress(OSError):  # the disk is full: the queue says so itself
            wire.write_json(tracking.troubles_path(project), {"troubles": troubles, "at": wire.utc_now()})


def _is_over(seconds: float) -> bool:
    """Waits so long. Returns whether nobody holds the other end of the standard input any more."""
    ready, _, _ = select.select([0], [], [], seconds)
    return bool(ready) and not os.read(0, 1)


def _locked(project: Project, stack: contextlib.ExitStack) -> bool:
    """Waits till the process of an earlier scheduler has told all. Returns False where that takes too long."""
    file = stack.enter_context(open(f"{project.tracking_path}.lock", "a"))  # noqa: SIM115 - the stack closes it
    end = time.monotonic() + _LOCK_SECONDS
    while time.monotonic() < end:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.2)
        else:
            return True
    raise SystemExit(1)
