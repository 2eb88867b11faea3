"""When a model may start: `not_before` and `not_after`, every day, in local time. Decides, and touches nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

DAY_MINUTES = 24 * 60


class Hours:
    """One moment, seen by those who may start at certain hours only.

    Args:
        now: the time, aware.
        local_minute: minutes since local midnight.
    """

    def __init__(self, now: datetime, local_minute: int) -> None:
        self.now, self.minute = now, local_minute
        self._known: dict[tuple[int | None, int | None], tuple[str, datetime] | None] = {}

    def until(self, not_before: int | None, not_after: int | None) -> tuple[str, datetime] | None:
        """Returns what is waited for, and until when; None within the hours, which may reach over midnight."""
        hours = (not_before, not_after)
        if hours not in self._known:
            self._known[hours] = self._until(*hours)
        return self._known[hours]

    def _until(self, not_before: int | None, not_after: int | None) -> tuple[str, datetime] | None:
        begin, minute = not_before or 0, self.minute
        stop = DAY_MINUTES if not_after is None else not_after
        if begin <= minute < stop if begin < stop else minute >= begin or minute < stop:
            return None
        minutes = (begin - minute) % DAY_MINUTES
        until = self.now.replace(second=0, microsecond=0) + timedelta(minutes=minutes)
        return f"waits for {begin // 60:02d}:{begin % 60:02d}", until
