"""How long a version rests after attempts that were lost. Decides, and touches nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

_FIRST_SECONDS = 1.0
_GROWTH = 4.0
_LONGEST_SECONDS = 300.0


def pause_after(counted_attempts: int) -> timedelta:
    """Returns how long to wait after so many attempts were lost: 1 s, 4 s, 16 s, … at most 5 minutes."""
    if counted_attempts <= 0:
        return timedelta(0)
    return timedelta(seconds=min(_FIRST_SECONDS * _GROWTH ** min(counted_attempts - 1, 16), _LONGEST_SECONDS))


class Pauses:
    """The pauses as they stand at one moment."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._known: dict[int, tuple[timedelta, datetime]] = {}

    def until(self, ended_at: datetime, counted_attempts: int) -> datetime | None:
        """Returns when a pause is over; None where it is.

        An end in the future is a clock that jumped back: it must not make the pause longer than it is.
        """
        known = self._known.get(counted_attempts)
        if known is None:
            pause = pause_after(counted_attempts)
            known = self._known[counted_attempts] = (pause, self.now - pause)
        pause, over = known
        return ended_at + pause if over < ended_at <= self.now else None
