"""Whether a scheduler has nothing left to do, and what its exit status is then."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlpipeline.queue.scheduler import Scheduler


def is_finished(scheduler: Scheduler) -> bool:
    """Whether this invocation has nothing left to do."""
    if scheduler.stopping == "detach":
        return True
    if scheduler.attempts.live:
        return False
    if scheduler.stopping:
        return True
    outlook = scheduler.outlook
    if scheduler.options.watch or scheduler.trouble or (scheduler.closed and outlook.has_due()):
        return False
    catalog = scheduler.catalog
    busy = catalog.children or catalog.waiting or scheduler.selection.settling.pending or outlook.studies.is_busy
    return not (busy or outlook.plan.submit or outlook.is_waiting())


def exit_status(scheduler: Scheduler) -> int:
    """0 all well, 1 something failed now or stands failed from before, 130 interrupted."""
    signals = scheduler.signals
    if signals.interrupts or signals.terminations or signals.hangups:
        return 130
    bad = scheduler.outlook.has_failures() or scheduler.outlook.faults or scheduler.selection.faults
    return 1 if bad or (scheduler.options.testing and scheduler.failed_test()) else 0
