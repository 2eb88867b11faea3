"""Runs and attempts: their states, the transitions between them, their names. Decides, and touches nothing."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from mlpipeline.errors import IllegalTransition, UsageError

BY_HAND = "by hand"
"""Stands for the executor where a person fitted a model outside the queue."""
IMPORTED = "imported"
"""Stands for the executor where another tool, or another project, trained it; and for the invocation."""
IMPORTED_AS_DONE = "imported as done"
"""Stands for the invocation of an imported run that answers a wish, because a person said so."""
OUTSIDE = frozenset((BY_HAND, IMPORTED))
"""Executors that are none: nothing of the queue ran there, so nothing of it runs again."""


class State(StrEnum):
    """How far an attempt has come. A run's state is its last attempt's."""

    SUBMITTED = "submitted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    YIELDED = "yielded"
    LOST = "lost"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows within the same attempt."""
        return not TRANSITIONS[self]


class Cause(StrEnum):
    """Why an attempt ended as it did."""

    NONE = "none"
    EXCEPTION = "exception"
    IMPORT_ERROR = "import_error"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUT_OF_MEMORY = "out_of_memory"
    CUDA_OUT_OF_MEMORY = "cuda_out_of_memory"
    KILLED = "killed"
    SEGMENTATION_FAULT = "segmentation_fault"
    EXIT = "exit"
    DISK_FULL = "disk_full"
    LOST_SUPERVISOR = "lost_supervisor"
    REBOOT = "reboot"
    NAN = "nan"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    PREEMPTED = "preempted"
    NODE_FAILED = "node_failed"
    PRUNED = "pruned"
    REFUSED = "refused"


_ENDS = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.YIELDED, State.LOST})
TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.SUBMITTED: frozenset({State.RUNNING, State.FAILED, State.CANCELLED, State.LOST}),
    State.RUNNING: _ENDS,
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
    State.YIELDED: frozenset(),
    State.LOST: frozenset(),
}
"""From each state, the states that may follow. Finished states are final: a retry is a new attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a run. `directory` is relative to the project; times are aware; sizes are bytes.

    Attributes:
        changes: parameters that a policy gave other values than the version's, a smaller batch size after the memory
            ran out, say.
    """

    run_id: str
    number: int
    token: str
    state: State
    executor: str
    directory: str
    submitted_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cause: Cause = Cause.NONE
    message: str = ""
    exit_code: int | None = None
    signal: int | None = None
    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None
    steps: int | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    reported: bool = False

    @property
    def seconds(self) -> float | None:
        """How long it took; None where that is not known."""
        return None if self.ended_at is None else self.seconds_by(self.ended_at)

    def seconds_by(self, now: datetime) -> float | None:
        """Returns how long it took, or takes by now: never below 0, even where the clock was set back.

        None before it started.
        """
        if self.started_at is None:
            return None
        return max(0.0, ((self.ended_at or now) - self.started_at).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The wish to train one version with one seed under one fingerprint, and every try at it."""

    id: str
    model: str
    version: str
    replicate: int
    seed: int
    sources: str
    code_digest: str
    params_digest: str
    params: Mapping[str, Any]
    invocation: str
    model_dir: str
    created_at: datetime
    retry_asked: bool = False
    attempts: tuple[Attempt, ...] = ()

    @property
    def last(self) -> Attempt:
        """The newest attempt.

        Raises:
            IndexError: when there is none yet.
        """
        return self.attempts[-1]

    @property
    def state(self) -> State:
        """The newest attempt's state."""
        return self.last.state

    @property
    def counted_attempts(self) -> int:
        """How many attempts count against `max_attempts`."""
        return sum(counts(attempt.state, attempt.cause) for attempt in self.attempts)


def counts(state: State, cause: Cause) -> bool:
    """Whether an attempt counts against `max_attempts`: one that made room, or was asked to end, does not."""
    return state not in (State.YIELDED, State.CANCELLED) and cause not in (Cause.INTERRUPTED, Cause.PREEMPTED)


def advance(run: Run, number: int, state: State, **changes: Any) -> Run:
    """Returns the run with one attempt in a new state.

    Raises:
        IllegalTransition: when the table does not allow it; the message tells the run's whole story.
    """
    attempt = next((each for each in run.attempts if each.number == number), None)
    if attempt is None or state not in TRANSITIONS[attempt.state]:
        came = "no such attempt" if attempt is None else attempt.state.value
        raise IllegalTransition(f"attempt {number}: {came} -> {state.value} is not possible\n{story(run)}")
    changed = replace(attempt, state=state, **changes)
    return replace(run, attempts=tuple(changed if each is attempt else each for each in run.attempts))


def story(run: Run) -> str:
    """Tells everything that happened to a run, one line per attempt."""
    lines = [f"run {run.id}: {run.model}:{run.version}, replicate {run.replicate}, created {run.created_at:%F %T}"]
    for each in run.attempts:
        ended = f", ended {each.ended_at:%F %T}" if each.ended_at else ""
        why = f": {each.message}" if each.message else ""
        lines.append(f"  attempt {each.number}: {each.state.value}, submitted {each.submitted_at:%F %T}{ended}{why}")
    return "\n".join(lines)


def refusal(executor: str) -> str:
    """Says why a run that is not the queue's is not tried again, and what to do in place of it."""
    return (
        "fitted by hand: fit it again" if executor == BY_HAND else "imported: list its model, and the queue trains it"
    )


def new_run_id(now: datetime, random_bytes: bytes) -> str:
    """Makes an id, `yyyymmdd-hhmmss-abcdef`, from the UTC time and at least 4 random bytes."""
    letters = base64.b32encode(random_bytes).decode("ascii").lower()[:6]
    return f"{now:%Y%m%d-%H%M%S}-{letters}"


def parse_reference(text: str) -> tuple[str, int | None]:
    """Splits `ID-PREFIX` or `ID-PREFIX.N` into prefix and attempt.

    Raises:
        UsageError: when it is neither.
    """
    match = re.fullmatch(r"([0-9]{1,8}(?:-[0-9]{0,6})?(?:-[a-z2-7]{0,6})?)(?:\.([0-9]+))?", text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no run id: ids look like 20261121-042337-k7x2qa; see `mlpipeline history`")
    return match[1], int(match[2]) if match[2] else None
