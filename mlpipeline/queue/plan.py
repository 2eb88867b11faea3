"""Computes the queue from what is wanted and what happened. Decides, and touches nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from mlpipeline.ledger import Key, Standing
from mlpipeline.model_options import ModelOptions
from mlpipeline.run import Cause, State

_FIRST_PAUSE_SECONDS = 1.0
_PAUSE_GROWTH = 4.0
_LONGEST_PAUSE_SECONDS = 300.0
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One version with one seed that is to be trained.

    Attributes:
        position: of its model in the list.
        rank: of its version within the model.
        model_dir: the directory that it needs for itself.
    """

    model: str
    version: str
    replicate: int
    seed: int
    key: Key
    options: ModelOptions
    position: int
    rank: int
    model_dir: str


class Verdict(StrEnum):
    """How a wish stands in the plan."""

    DUE = "due"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    GAVE_UP = "gave_up"
    HELD = "held"
    WAITING = "waiting"


class Item(NamedTuple):
    """A wish with its verdict and the reason in words; `until` where a known moment ends the wait."""

    wanted: Wanted
    verdict: Verdict
    reason: str
    until: datetime | None = None
    standing: Standing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The queue as it is now: every wish in order of execution, and those to be submitted at once."""

    items: tuple[Item, ...]
    submit: tuple[Wanted, ...]
    wake_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDefaults:
    """What holds where a model's options say nothing."""

    max_attempts: int = 3


def seed_of(model: str, version: str, replicate: int) -> int:
    """Returns a version's seed: a stable hash, below 2**31, so that more replicates change no earlier one."""
    digest = hashlib.sha256(f"{model}\0{version}\0{replicate}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF


def pause_after(counted_attempts: int) -> timedelta:
    """Returns how long to wait after so many attempts were lost: 1 s, 4 s, 16 s, … at most 5 minutes."""
    if counted_attempts <= 0:
        return timedelta(0)
    seconds = _FIRST_PAUSE_SECONDS * _PAUSE_GROWTH ** min(counted_attempts - 1, 16)
    return timedelta(seconds=min(seconds, _LONGEST_PAUSE_SECONDS))


def plan(
    wanted: Sequence[Wanted],
    standings: Mapping[Key, Standing],
    *,
    slots: int,
    now: datetime,
    local_minute: int,
    defaults: PlanDefaults,
    busy: Collection[str],
    describing: Mapping[str, int],
    faulty: Collection[str],
) -> Plan:
    """Decides about every wish.

    Args:
        wanted: all wishes, in any order.
        standings: how those stand that something happened to.
        slots: how many may be submitted now.
        now: the time, aware.
        local_minute: minutes since local midnight.
        defaults: for models without options of their own.
        busy: model directories in use.
        describing: models whose description is under way, with their position in the list.
        faulty: models that cannot run.

    Returns:
        the plan. Nothing is submitted before a wish of the same or a higher priority that could be, unless that one
        waits for something else than a slot; a model that is still being described holds back those after it.
    """
    order = sorted(wanted, key=_order)
    turn = _Turn(standings, now, local_minute, defaults, set(busy))
    turn.done = _done_models(order, standings)
    turn.listed = {each.model for each in order} | set(describing)
    turn.faulty = set(faulty)
    turn.first_described = min(describing.values(), default=None)
    turn.slots = slots
    items = [turn.item(each) for each in order]
    return Plan(items=tuple(items), submit=tuple(turn.submit), wake_at=turn.wake_at)


def _order(each: Wanted) -> tuple[int, int, int, int]:
    return (-each.options.priority, each.position, each.replicate, each.rank)


def _done_models(order: Sequence[Wanted], standings: Mapping[Key, Standing]) -> dict[str, str]:
    """For each model: empty when all its wishes are done, else why not yet (`failed` or `open`)."""
    found: dict[str, str] = {}
    get = standings.get
    for each in order:
        standing = get(each.key)
        state = State.SUBMITTED if standing is None else standing.state
        if state is State.SUCCEEDED:
            found.setdefault(each.model, "")
        elif state is State.FAILED:
            found[each.model] = "failed"
        elif found.get(each.model) != "failed":
            found[each.model] = "open"
    return found


class _Turn:
    """One computation; holds what wishes take from one another."""

    def __init__(
        self,
        standings: Mapping[Key, Standing],
        now: datetime,
        local_minute: int,
        defaults: PlanDefaults,
        busy: set[str],
    ) -> None:
        self.standings = standings
        self.now = now
        self.local_minute = local_minute
        self.defaults = defaults
        self.busy = busy
        self.done: dict[str, str] = {}
        self.listed: set[str] = set()
        self.faulty: set[str] = set()
        self.first_described: int | None = None
        self.slots = 0
        self.submit: list[Wanted] = []
        self.wake_at: datetime | None = None

    def item(self, wanted: Wanted) -> Item:
        standing = self.standings.get(wanted.key)
        if standing is not None:
            settled = self._settled(wanted, standing)
            if settled is not None:
                return settled
        return self._barred(wanted, standing) or self._take(wanted, standing)

    def _settled(self, wanted: Wanted, standing: Standing) -> Item | None:
        """The verdict where history decides; None where the wish is due (again)."""
        state = standing.state
        if state is State.SUCCEEDED:
            return Item(wanted, Verdict.DONE, "done", None, standing)
        if not state.is_final:
            return Item(wanted, Verdict.RUNNING, f"runs as {standing.run_id}", None, standing)
        if standing.retry_asked:
            return None
        if state is State.FAILED:
            return Item(wanted, Verdict.FAILED, f"failed: {standing.message}", None, standing)
        if state is State.CANCELLED and standing.cause is not Cause.INTERRUPTED:
            return Item(wanted, Verdict.FAILED, "cancelled: mlpipeline retry takes it up again", None, standing)
        return self._lost(wanted, standing) if state is State.LOST else None

    def _lost(self, wanted: Wanted, standing: Standing) -> Item | None:
        limit = wanted.options.max_attempts or self.defaults.max_attempts
        count = standing.counted_attempts
        if count >= limit:
            reason = f"gave up after {count} attempts: {standing.message}"
            return Item(wanted, Verdict.GAVE_UP, reason, None, standing)
        if standing.ended_at is not None:
            until = standing.ended_at + pause_after(count)
            # A clock that jumped back must not make the pause longer than it is.
            if self.now < until <= self.now + pause_after(count):
                self._wake(until)
                return Item(wanted, Verdict.WAITING, f"tried again after a pause (attempt {count + 1} of {limit})", until, standing)
        return None

    def _wake(self, at: datetime) -> None:
        if self.wake_at is None or at < self.wake_at:
            self.wake_at = at

    def _barred(self, wanted: Wanted, standing: Standing | None) -> Item | None:
        options = wanted.options
        if wanted.model in self.faulty:
            return Item(wanted, Verdict.WAITING, "its file has a fault", None, standing)
        if options.hold:
            return Item(wanted, Verdict.HELD, "held: remove `hold` in models.config", None, standing)
        if options.after and (reason := self._after(options.after)):
            return Item(wanted, Verdict.WAITING, reason, None, standing)
        if options.not_before is not None or options.not_after is not None:
            return self._outside_hours(wanted, standing)
        return None

    def _after(self, names: Sequence[str]) -> str:
        for name in names:
            state = self.done.get(name, "open")
            if name in self.faulty:
                return f"waits for {name}, whose file has a fault"
            if state:
                return f"waits for {name}" + (", which failed" if state == "failed" else "")
        return ""

    def _outside_hours(self, wanted: Wanted, standing: Standing | None) -> Item | None:
        begin, end = wanted.options.not_before or 0, wanted.options.not_after
        minute = self.local_minute
        stop = _DAY_MINUTES if end is None else end
        inside = begin <= minute < stop if begin < stop else minute >= begin or minute < stop
        if inside:
            return None
        minutes = (begin - minute) % _DAY_MINUTES
        until = self.now.replace(second=0, microsecond=0) + timedelta(minutes=minutes)
        self._wake(until)
        return Item(wanted, Verdict.WAITING, f"waits for {begin // 60:02d}:{begin % 60:02d}", until, standing)

    def _take(self, wanted: Wanted, standing: Standing | None) -> Item:
        if self.first_described is not None and self.first_described < wanted.position:
            return Item(wanted, Verdict.DUE, "after a model that is still being described", None, standing)
        if wanted.model_dir in self.busy:
            return Item(wanted, Verdict.WAITING, "its model directory is in use", None, standing)
        if self.slots <= 0:
            return Item(wanted, Verdict.DUE, "waits for a slot", None, standing)
        self.slots -= 1
        self.busy.add(wanted.model_dir)
        self.submit.append(wanted)
        return Item(wanted, Verdict.DUE, "next", None, standing)
