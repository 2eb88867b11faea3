"""What can happen to a run, and what the run is afterwards. Decides, and touches nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from mlpipeline import run as runs
from mlpipeline.run import Cause, Run, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A run was handed to an executor; its last attempt is the new one."""

    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The attempt's supervisor has come to life."""

    run_id: str
    number: int
    token: str
    at: datetime
    pid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The attempt came to its end, whichever."""

    run_id: str
    number: int
    token: str
    at: datetime
    state: State
    cause: Cause = Cause.NONE
    message: str = ""
    exit_code: int | None = None
    signal: int | None = None
    started_at: datetime | None = None
    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None
    steps: int | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The block of results stands in the output file."""

    run_id: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAsked:
    """Somebody wants a finished run to be tried again."""

    run_id: str
    at: datetime
    note: str = ""


OfRun = Started | Ended | Reported | RetryAsked
Event = Submitted | OfRun


def apply(run: Run, event: OfRun) -> Run | None:
    """Returns the run after an event, None where the event's token is stale or it says nothing new.

    Raises:
        IllegalTransition: when the event contradicts the run's state.
    """
    match event:
        case RetryAsked():
            return None if run.retry_asked or not run.state.is_final else replace(run, retry_asked=True)
        case Reported():
            return _reported(run, event.number)
        case Started() | Ended():
            return _moved(run, event)


def _reported(run: Run, number: int) -> Run | None:
    if not any(each.number == number and not each.reported for each in run.attempts):
        return None
    attempts = (replace(each, reported=True) if each.number == number else each for each in run.attempts)
    return replace(run, attempts=tuple(attempts))


def _moved(run: Run, event: Started | Ended) -> Run | None:
    attempt = next((each for each in run.attempts if each.number == event.number), None)
    if attempt is None or attempt.token != event.token:
        return None
    if isinstance(event, Started):
        if attempt.state is not State.SUBMITTED:
            return None
        return runs.advance(run, event.number, State.RUNNING, started_at=event.at)
    if attempt.state is event.state:
        return None
    return _ended(run, attempt.state, event)


def _ended(run: Run, state: State, event: Ended) -> Run:
    if state is State.SUBMITTED and event.started_at is not None:
        # The end arrived before anybody saw the start: both happened.
        run = runs.advance(run, event.number, State.RUNNING, started_at=event.started_at)
    names = ("cause", "message", "exit_code", "signal", "peak_memory_bytes", "cpu_seconds", "steps", "metrics")
    changes = {name: getattr(event, name) for name in names}
    return runs.advance(run, event.number, event.state, ended_at=event.at, **changes)
