"""How runs and attempts stand in the ledger's tables, and how they are read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mlpipeline.run import Attempt, Cause, Run, State

RUN_COLUMNS = (
    "id",
    "model",
    "version",
    "replicate",
    "seed",
    "sources",
    "code_digest",
    "params_digest",
    "params",
    "invocation",
    "model_dir",
    "created_at",
    "retry_asked",
)
ATTEMPT_COLUMNS = tuple(Attempt.__slots__)


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, State | Cause):
        return value.value
    if isinstance(value, str | int | float) or value is None:
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=True)


def run_values(run: Run) -> tuple[Any, ...]:
    """Returns a run's columns, without its state."""
    return tuple(_stored(getattr(run, name)) for name in RUN_COLUMNS)


def attempt_values(attempt: Attempt) -> tuple[Any, ...]:
    """Returns an attempt's columns."""
    return tuple(_stored(getattr(attempt, name)) for name in ATTEMPT_COLUMNS)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def read_run(row: Sequence[Any], attempts: tuple[Attempt, ...]) -> Run:
    """Makes a run of its columns."""
    values = dict(zip(RUN_COLUMNS, row, strict=True))
    values["params"] = json.loads(values["params"])
    values["created_at"] = datetime.fromisoformat(values["created_at"])
    values["retry_asked"] = bool(values["retry_asked"])
    return Run(attempts=attempts, **values)


def read_attempt(row: Sequence[Any]) -> Attempt:
    """Makes an attempt of its columns."""
    values = dict(zip(ATTEMPT_COLUMNS, row, strict=True))
    for name in ("submitted_at", "started_at", "ended_at"):
        values[name] = _time(values[name])
    values["state"] = State(values["state"])
    values["cause"] = Cause(values["cause"])
    values["metrics"] = json.loads(values["metrics"])
    values["reported"] = bool(values["reported"])
    return Attempt(**values)
