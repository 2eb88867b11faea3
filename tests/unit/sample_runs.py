"""Runs for tests: short to write, complete enough for a ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mlpipeline.run import Attempt, Cause, Run, State

NOW = datetime(2026, 11, 21, 4, 5, 6, tzinfo=UTC)


def sample_attempt(
    run_id: str, number: int = 1, state: State = State.SUCCEEDED, cause: Cause = Cause.NONE, message: str = ""
) -> Attempt:
    """Returns an attempt that was submitted a minute ago and took 30 seconds."""
    started = None if state is State.SUBMITTED else NOW - timedelta(seconds=59)
    ended = NOW - timedelta(seconds=29) if state.is_final else None
    return Attempt(
        run_id=run_id,
        number=number,
        token=f"{run_id}-{number}",
        state=state,
        executor="local",
        directory=f"models/outputs/runs/{run_id}/{number}",
        submitted_at=NOW - timedelta(seconds=60),
        started_at=started,
        ended_at=ended,
        cause=cause,
        message=message,
        exit_code=None,
        signal=None,
        peak_memory_bytes=None,
        cpu_seconds=None,
        steps=None if ended is None else 120,
        metrics={"train": {"loss": 0.1}, "test": {"accuracy": 0.97216}} if state is State.SUCCEEDED else {},
        reported=True,
    )


def sample_run(
    suffix: str = "aaaaaa",
    *attempts: Attempt,
    model: str = "digits.py",
    version: str = "wide",
    params: Mapping[str, Any] | None = None,
) -> Run:
    """Returns a run whose id ends in `suffix`; with no attempts given it has succeeded at once."""
    run_id = f"20261121-040406-{suffix}"
    return Run(
        id=run_id,
        model=model,
        version=version,
        replicate=0,
        seed=7,
        sources="5" * 64,
        code_digest="c" * 16,
        params_digest="d" * 16,
        params=dict(params or {"hidden": 32}),
        invocation="first",
        model_dir=f"{model}-{version}",
        created_at=NOW - timedelta(seconds=60),
        retry_asked=False,
        attempts=attempts or (sample_attempt(run_id),),
    )


def run_in(state: State, suffix: str = "aaaaaa", cause: Cause = Cause.NONE, message: str = "", **more: Any) -> Run:
    """Returns a run whose only attempt is in this state."""
    attempt = sample_attempt(f"20261121-040406-{suffix}", 1, state, cause, message)
    return sample_run(suffix, attempt, **more)
