"""How far a training is, by its own `progress.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a running attempt says that it is; `eta_seconds` is what is left at its present rate."""

    step: int | None = None
    total: int | None = None
    rate: float | None = None
    description: str = ""
    checkpoint_step: int | None = None
    updated_at: datetime | None = None
    eta_seconds: float | None = None


def read_progress(content: Mapping[str, Any] | Progress) -> Progress:
    """Reads a `progress.json`; whatever a model made of its numbers, this raises nothing. What was read is as it is."""
    if isinstance(content, Progress):
        return content
    step, total, rate = number_of(content.get("step")), number_of(content.get("total")), number_of(content.get("rate"))
    left = None
    if step is not None and total is not None and rate is not None and rate > 0:
        left = max(0.0, total - step) / rate
    checkpoint = number_of(content.get("checkpoint_step"))
    return Progress(
        step=None if step is None else int(step),
        total=None if total is None else int(total),
        rate=rate,
        description=str(content.get("description") or ""),
        checkpoint_step=None if checkpoint is None else int(checkpoint),
        updated_at=time_of(content.get("updated_at")),
        eta_seconds=left,
    )


def number_of(value: Any) -> float | None:
    """Returns a finite number as such; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Infinities and NaN cannot be shown as a step, a total or a rate.
    return float(value) if value == value and abs(value) < 1e300 else None


def time_of(value: Any) -> datetime | None:
    """Returns a moment written as ISO text; None for anything else."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else None


def waiting_reasons(status: Mapping[str, Any]) -> dict[str, str]:
    """Returns, by an attempt's directory, why it has not begun, as the scheduler's status says it."""
    rows = status.get("running") or ()
    return {str(row.get("directory")): str(row["reason"]) for row in rows if row.get("reason")}
