"""How long the scheduler may sleep."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlpipeline.queue.settling import SETTLE_SECONDS

if TYPE_CHECKING:
    from mlpipeline.queue.scheduler import Scheduler

HEARTBEAT_SECONDS = 10.0
"""The status file is at most so old while a scheduler lives."""

LOOK_SECONDS = 1.0
"""How often is looked at what wakes nobody: messages of runs, a full disk, other hosts."""

DEVICE_SECONDS = 0.1
"""How often is looked whether the memory of a device is free again."""

STARTING_SECONDS = 0.1

STATUS_SECONDS = 0.05
"""The status file is written at most so often: of many short runs it need not tell each."""


def seconds_to_wait(scheduler: Scheduler) -> float:
    """Returns when the next turn is due, whatever else may wake the scheduler."""
    times = [HEARTBEAT_SECONDS]
    if scheduler.attempts.live:
        times.append(_look_seconds(scheduler))
    if scheduler.owes_status:
        times.append(STATUS_SECONDS)
    if scheduler.trouble or scheduler.commands.are_fits_going_on:
        times.append(LOOK_SECONDS)
    if (left := scheduler.catalog.seconds_left()) is not None:
        times.append(left)
    if scheduler.selection.settling.pending or scheduler.settings.settling.pending:
        times.append(SETTLE_SECONDS)
    if scheduler.outlook.devices.is_awaited:
        times.append(LOOK_SECONDS)
    if scheduler.outlook.devices.inventory.is_settling:
        times.append(DEVICE_SECONDS)
    if scheduler.closed or scheduler.claims.elsewhere:
        times.append(LOOK_SECONDS)
    if (wake_at := scheduler.outlook.plan.wake_at) is not None:
        times.append((wake_at - datetime.now(UTC)).total_seconds())
    return min(times)


def _look_seconds(scheduler: Scheduler) -> float:
    """Returns how often live attempts are looked at: an engine that has many is not asked all the time."""
    if scheduler.executor.look_seconds is not None:
        return scheduler.executor.look_seconds
    started = all(live.started for live in scheduler.attempts.live.values())
    return LOOK_SECONDS if started else STARTING_SECONDS
