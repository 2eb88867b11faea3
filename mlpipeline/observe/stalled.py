"""Which runs are silent for longer than is usual for them: no step, no output, no processor time; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from mlpipeline.observe.progress import Progress

AFTER_SECONDS = 120.0
"""What is silent for less is never called stalled."""

BEGINNING_SECONDS = 600.0
"""The same for a run that has told no step: whatever it downloads first may take its time."""

USUAL_STEPS = 20
"""So many of its own steps a run may take for one."""

BUSY_SHARE = 0.02
"""Of one core: libraries' idle threads wake up now and then, and take less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """When a run was last seen to do something.

    Attributes:
        started_at: when its attempt began.
        written_at: when its files of output, metrics and messages were last written to.
    """

    started_at: datetime | None
    written_at: Iterable[datetime | None] = ()


def patience(progress: Progress) -> float:
    """Returns for how many seconds a run may be silent."""
    if progress.step is None:
        return BEGINNING_SECONDS
    return max(AFTER_SECONDS, USUAL_STEPS / progress.rate if progress.rate else BEGINNING_SECONDS)


def silence(signs: Signs, progress: Progress, now: datetime) -> float | None:
    """Returns for how many seconds a run has been silent; None while that is not longer than usual.

    Whether it takes processor time is not known here: only of what this returns need it be asked.
    """
    told = [each for each in (signs.started_at, progress.updated_at, *signs.written_at) if each is not None]
    if not told:
        return None
    seconds = (now - max(told)).total_seconds()
    return seconds if seconds > patience(progress) else None


def is_busy(used: float | None, elapsed: float) -> bool:
    """Whether processes that took so many seconds of a processor, in so many of the clock, do something.

    What cannot be known counts as busy: nothing is called stalled on a suspicion.
    """
    return used is None or elapsed <= 0 or used / elapsed > BUSY_SHARE
