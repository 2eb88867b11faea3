"""The attempts that live at this moment: submitted, watched, and recorded when they end."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from mlpipeline import events, wire
from mlpipeline.errors import DiskFull, LedgerError, NotWritable
from mlpipeline.execution.executor import Executor, Life
from mlpipeline.failpoints import reach
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.queue import submission
from mlpipeline.queue.forward import Forwarder
from mlpipeline.queue.output import HostFiles, details_of
from mlpipeline.run import Attempt, Cause, Run, State

BRIEF_SECONDS = 0.2
"""That a run has begun is recorded when it has lasted so long; of a shorter one its end says it."""


class Say(Protocol):
    """Says something in the log and on the terminal."""

    def __call__(self, message: str, level: str = "INFO", run: str | None = None) -> None: ...


@dataclass(slots=True, kw_only=True)
class Live:
    """An attempt whose end is not recorded yet."""

    run: Run
    attempt: Attempt
    directory: Path
    started: bool = False
    stuck: bool = False
    since: float = field(default_factory=time.monotonic)
    asked_to_yield: bool = False
    is_pruned: bool = False
    _facts: dict[str, Any] = field(default_factory=dict, init=False)

    @property
    def name(self) -> str:
        """The attempt as people write it."""
        return f"{self.run.id}.{self.attempt.number}"

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the status file says of it that never changes: made once, since a thousand may wait for hours."""
        if not self._facts:
            self._facts |= {
                "run": self.run.id,
                "attempt": self.attempt.number,
                "model": self.run.model,
                "version": self.run.version,
                "replicate": self.run.replicate,
                "submitted_at": self.attempt.submitted_at.isoformat(),
                "directory": self.attempt.directory,
            }
        return self._facts


class Attempts:
    """Everything that happens to attempts between the plan and the ledger, for one scheduler."""

    def __init__(self, project: Project, ledger: Ledger, executor: Executor, files: HostFiles, say: Say) -> None:
        self.project = project
        self.ledger = ledger
        self.executor = executor
        self.files = files
        self.say = say
        self.live: dict[str, Live] = {}
        self.reported: list[tuple[str, int]] = []
        self.taken_up: list[Run] = []
        self.forwarder = Forwarder(project, files)

    def adopt(self) -> None:
        """Takes up what an earlier scheduler left: live attempts, and results that it did not write down."""
        for run in self.ledger.live():
            attempt = run.attempts[-1]
            directory = self.project.root / attempt.directory
            live = Live(run=run, attempt=attempt, directory=directory, started=attempt.state is State.RUNNING)
            self.live[run.id] = live
            self.forwarder.resume(live.name)
            if self.executor.adopt(directory) is Life.ALIVE:
                self.say(f"adopted {_title(run)}: it went on training meanwhile", run=live.name)
        for run, attempt in self.ledger.unreported():
            if self.files.has_block(run.id, attempt.number):
                self.ledger.record(events.Reported(run_id=run.id, number=attempt.number))
            else:
                self._report(run, attempt, self.project.root / attempt.directory)

    def submit(self, prepared: submission.Prepared) -> None:
        """Records an attempt durably, then starts it.

        Raises:
            DiskFull, NotWritable, LedgerError: nothing was started, and nothing will be.
        """
        run, attempt, directory = prepared.run, prepared.attempt, prepared.directory
        self.ledger.record(events.Submitted(run=run))
        live = Live(run=run, attempt=attempt, directory=directory)
        self.live[run.id] = live
        changed = "".join(f" with {name} = {value}" for name, value in attempt.changes.items())
        self.say(f"start {_title(run)}{changed}", run=live.name)
        reach("scheduler.recorded")
        try:
            self.executor.submit(directory)
        except OSError as error:
            # The record stands; without a process it is found lost at once, and tried again after a pause.
            self.say(f"{_title(run)}: no process could be started: {error}", "ERROR", live.name)
        reach("scheduler.started")

    def reconcile(self) -> list[tuple[Run, Attempt]]:
        """Records what has moved, by the attempts' own files and their executor's facts. Returns what ended.

        Raises:
            DiskFull, NotWritable, LedgerError: nothing can be recorded now, and nothing has ended before that.
        """
        ended = []
        moved = self.executor.moved()
        for live in [each for each in self.live.values() if moved is None or each.directory in moved]:
            try:
                if (end := self._look(live)) is not None:
                    ended.append(end)
            except (DiskFull, NotWritable, LedgerError):
                if not ended:
                    raise
                break  # what has ended is told first; the same is met again in the next turn
            # One run's trouble must not stop the queue; it is looked at again in the next turn.
            except OSError as error:
                self._stuck(live, f": {error}")
            except Exception:
                self._stuck(live, f"\n{traceback.format_exc()}")
        return ended

    def _stuck(self, live: Live, why: str) -> None:
        if not live.stuck:
            live.stuck = True
            self.say(f"{_title(live.run)}: cannot be looked after{why}", "ERROR", live.name)

    def _look(self, live: Live) -> tuple[Run, Attempt] | None:
        outcome = self._outcome(live)
        if outcome is None and not live.started and time.monotonic() - live.since >= BRIEF_SECONDS:
            self._note_start(live)
        if outcome is None and self.executor.life(live.directory) is Life.GONE:
            outcome = self._outcome(live) or self._bury(live)
        if outcome is not None:
            return self._conclude(live, outcome)
        self.forwarder.forward(live.name, live.directory)
        return None

    def _note_start(self, live: Live) -> None:
        started = wire.read_json(live.directory / wire.STARTED)
        if started is None or started.get("token") != live.attempt.token:
            return
        at = _time(started["started_at"]) or datetime.now(UTC)
        wire.sync_directory(live.directory)  # the supervisor may be about to: the ledger must not know more than it
        self.ledger.record(
            events.Started(
                run_id=live.run.id, number=live.attempt.number, token=live.attempt.token, at=at, pid=started.get("pid")
            )
        )
        live.started = True

    def _outcome(self, live: Live) -> dict[str, Any] | None:
        outcome = wire.read_json(live.directory / wire.OUTCOME)
        if outcome is None or outcome.get("token") != live.attempt.token:
            return None
        return outcome

    def _bury(self, live: Live) -> dict[str, Any] | None:
        """Nothing is called lost while a process carries its token."""
        if self.executor.bury(live.directory, live.attempt.token):
            return self._outcome(live)
        if not live.stuck:
            live.stuck = True
            self.say(
                f"{_title(live.run)}: its supervisor is gone, but processes of it will not end", "ERROR", live.name
            )
        return None

    def _conclude(self, live: Live, outcome: dict[str, Any]) -> tuple[Run, Attempt]:
        self.forwarder.finish(live.name, live.directory)
        event = ended_event(live.run.id, live.attempt.number, outcome)
        wire.sync_directory(live.directory)  # as above: the outcome's name may be on its way to the disk still
        reach("scheduler.ended")
        self.ledger.record(event)
        reach("scheduler.recorded_end")
        self.executor.forget(live.directory)
        del self.live[live.run.id]
        run = self.ledger.run(live.run.id)
        attempt = run.attempts[live.attempt.number - 1]
        self._announce(run, attempt)
        self._report(run, attempt, live.directory)
        return run, attempt

    def _announce(self, run: Run, attempt: Attempt) -> None:
        name = f"{run.id}.{attempt.number}"
        text = f"{attempt.state.value} {_title(run)} in {attempt.seconds or 0:.1f} s"
        if attempt.state is State.SUCCEEDED:
            shown = ", ".join(short_metrics(attempt.metrics))
            told = f" ({attempt.message})" if attempt.message else ""
            self.say(f"{text}{told}: {shown}" if shown else f"{text}{told}", run=name)
        else:
            level = "INFO" if attempt.state is State.YIELDED else "ERROR"
            self.say(f"{text}: {attempt.message}", level, name)

    def _report(self, run: Run, attempt: Attempt, directory: Path) -> None:
        """Appends the block of results; one that could not be written is found missing at the next start."""
        try:
            self.files.block(run, attempt, details_of(directory))
            self.reported.append((run.id, attempt.number))
        except (DiskFull, OSError) as error:
            self.say(f"{_title(run)}: its results are recorded, but not in the output file yet: {error}", "ERROR")

    def settle(self) -> None:
        """Makes the blocks last that were written since the last call, and notes that they stand in the file.

        What comes to nothing is made up for at the next start, where blocks that are not noted are looked for.
        """
        taken_up, self.taken_up = self.taken_up, []
        for run in taken_up:
            self._report(run, run.last, self.project.root / run.last.directory)
        reported, self.reported = self.reported, []
        try:
            if reported:
                self.files.sync()
                with self.ledger.together():
                    for run_id, number in reported:
                        self.ledger.record(events.Reported(run_id=run_id, number=number))
        except (DiskFull, NotWritable, LedgerError, OSError) as error:
            self.say(f"results are recorded, but perhaps not in the output file yet: {error}", "ERROR")


def _title(run: Run) -> str:
    seed = f" seed {run.replicate}" if run.replicate else ""
    return f"{run.model}:{run.version}{seed}"


def short_metrics(metrics: Mapping[str, Any]) -> list[str]:
    """Returns metrics as `test accuracy 0.9722`, test before train."""
    shown = []
    for name in ("test", "train", *sorted(set(metrics) - {"test", "train"})):
        group = metrics.get(name)
        for key, value in group.items() if isinstance(group, dict) else ():
            shown.append(f"{name} {key} {value:.4g}" if isinstance(value, float) else f"{name} {key} {value}")
    return shown[:6]


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def ended_event(run_id: str, number: int, outcome: dict[str, Any]) -> events.Ended:
    """Makes the ledger's event of an `outcome.json`."""
    return events.Ended(
        run_id=run_id,
        number=number,
        token=outcome["token"],
        at=_time(outcome.get("ended_at")) or datetime.now(UTC),
        state=State(outcome["state"]),
        cause=Cause(outcome.get("cause") or "none"),
        message=outcome.get("message") or "",
        exit_code=outcome.get("exit_code"),
        signal=outcome.get("signal"),
        started_at=_time(outcome.get("started_at")),
        peak_memory_bytes=outcome.get("peak_memory_bytes"),
        cpu_seconds=outcome.get("cpu_seconds"),
        steps=outcome.get("steps"),
        metrics=outcome.get("metrics") or {},
    )
