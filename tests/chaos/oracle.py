"""What the plan must say, computed the slow and obvious way from what truly happened."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from mlpipeline.ledger import Key
from mlpipeline.queue.plan import Plan, Verdict, Wanted
from mlpipeline.run import Cause, State

from .core import Violation, require
from .lists import Wishes
from .simulated import LIMIT, Truth, World

_DAY = 24 * 60


class Oracle:
    """Knows what is due at one moment.

    Args:
        world: what truly happened.
        wishes: the list that the scheduler read.
        invocation: the scheduler's own.
        live: the runs that the ledger calls live.
        now: the moment.
    """

    def __init__(self, world: World, wishes: Wishes, invocation: str, live: Collection[str], now: datetime) -> None:
        self.world = world
        self.wishes = wishes
        self.invocation = invocation
        self.live = live
        self.now = now
        self._answers: dict[Key, str | None] = {}

    def answer(self, key: Key) -> str | None:
        """Returns the run that answers a wish."""
        if key not in self._answers:
            self._answers[key] = self.world.ledger.answer(key, self.invocation)
        return self._answers[key]

    def due(self, slots: int) -> list[Wanted]:
        """Returns what must be submitted, in order: each slot goes to the model that has the fewest then."""
        found: list[Wanted] = []
        live = [self.world.ledger.runs[run_id] for run_id in self.live]
        used, training = {run.model_dir for run in live}, [run.model for run in live]
        first = min(self.wishes.places().values(), default=None) if self.wishes.describing else None
        able = [each for each in self.wishes.wanted if self.is_due(each) and not self.is_barred(each)]
        able = [each for each in able if first is None or first >= (-each.options.priority, each.position)]
        while len(found) < slots:
            left = [each for each in able if each.model_dir not in used]
            if not left:
                break
            each = min(left, key=lambda one: (-one.options.priority, training.count(one.model), *_order(one)))
            found.append(each)
            used.add(each.model_dir)
            training.append(each.model)
        return found

    def is_due(self, each: Wanted) -> bool:
        """Whether something must happen for a wish, whatever stands in the way."""
        run_id = self.answer(each.key)
        if run_id is None:
            return True
        if run_id in self.live:
            return False
        ends = self._ends(run_id)
        assert ends[-1].outcome is not None
        state, cause, at = ends[-1].outcome.state, ends[-1].outcome.cause, ends[-1].outcome.at
        if state is State.SUCCEEDED:
            return False
        if run_id in self.world.retry_asked or state is State.YIELDED or cause is Cause.INTERRUPTED:
            return True
        if state is not State.LOST:
            return False
        count = sum(map(_counts, ends))
        pause = timedelta(seconds=min(300, 4 ** (count - 1)) if count else 0)
        return count < (each.options.max_attempts or LIMIT) and (at > self.now or at + pause <= self.now)

    def is_barred(self, each: Wanted) -> bool:
        """Whether the list, a fault, another model or the hour forbids it now."""
        options = each.options
        if options.hold or each.model in self.wishes.faulty or not all(map(self._is_done, options.after)):
            return True
        begin, end = options.not_before or 0, _DAY if options.not_after is None else options.not_after
        length = (end - begin) % _DAY or _DAY
        return (self.world.minute(self.now) - begin) % _DAY >= length

    def _is_done(self, model: str) -> bool:
        keys = [each.key for each in self.wishes.wanted if each.model == model]
        if not keys or model in self.wishes.faulty:
            return False
        return all(self._has_succeeded(self.answer(key)) for key in keys)

    def _has_succeeded(self, run_id: str | None) -> bool:
        if run_id is None or run_id in self.live:
            return False
        outcome = self._ends(run_id)[-1].outcome
        return outcome is not None and outcome.state is State.SUCCEEDED

    def _ends(self, run_id: str) -> list[Truth]:
        run = self.world.ledger.runs[run_id]
        attempts = run.attempts
        ends = [self.world.disk[run_id, number] for number in range(1, len(attempts) + 1)]
        if self.world.verified.get(run_id) is run:
            return ends
        self.world.verified[run_id] = run
        for truth, attempt in zip(ends, attempts, strict=True):
            end = truth.outcome
            if end is None or truth.token != attempt.token:
                raise Violation(f"I2: {run_id}.{attempt.number} is {attempt.state}, and nobody but the ledger says so")
            said = (attempt.state, attempt.cause, attempt.ended_at)
            if said != (end.state, end.cause, end.at):
                raise Violation(f"I2: {run_id}.{attempt.number} is {said} in the ledger, was {end}")
        return ends


def _order(each: Wanted) -> tuple[int, int, int, int]:
    return (-each.options.priority, each.position, each.replicate, each.rank)


def _counts(truth: Truth) -> bool:
    outcome = truth.outcome
    assert outcome is not None
    return outcome.state not in (State.YIELDED, State.CANCELLED) and outcome.cause is not Cause.INTERRUPTED


def check_plan(oracle: Oracle, plan: Plan, slots: int) -> None:
    """I4, I6, I7: exactly what is due is submitted, in order; and the plan wakes when its first wait is over."""
    expected = oracle.due(slots)
    if list(plan.submit) != expected:
        raise_difference(plan, expected)
    for item in plan.items:
        run_id = oracle.answer(item.wanted.key)
        if (item.verdict is Verdict.RUNNING) != (run_id in oracle.live):
            raise Violation(f"I3: {run_id} is live: {run_id in oracle.live}, the plan says {item}")
    ends_of_waits = [item.until for item in plan.items if item.until is not None]
    if plan.wake_at != min(ends_of_waits, default=None) or (plan.wake_at is not None and plan.wake_at <= oracle.now):
        raise Violation(f"wake_at: it is {plan.wake_at} at {oracle.now}, the waits end at {ends_of_waits}")


def raise_difference(plan: Plan, expected: list[Wanted]) -> None:
    """Raises Violation with every item of the plan."""
    names = [f"{each.model}:{each.version}:{each.replicate}" for each in expected]
    story = "; ".join(
        f"{item.wanted.model}:{item.wanted.version}:{item.wanted.replicate} {item.verdict.value} ({item.reason})"
        for item in plan.items
    )
    raise Violation(f"I4/I6/I7: to be submitted is {names}, the plan says {story}")


def check_wake(world: World, oracle: Oracle, plan: Plan, arguments: dict[str, Any]) -> None:
    """A scheduler that sleeps until `wake_at` misses nothing, and finds something changed when it wakes."""
    if plan.submit:
        return
    end = plan.wake_at or oracle.now + timedelta(days=2)
    asleep = oracle.now + (end - oracle.now) * world.rng.random()
    if oracle.now < asleep < end:
        missed = world.core.plan(**arguments | {"now": asleep, "local_minute": world.minute(asleep)}).submit
        require(not missed, f"wake_at: {plan.wake_at} at {oracle.now}, but {missed} is due at {asleep}")
        later = Oracle(world, oracle.wishes, oracle.invocation, oracle.live, asleep)
        require(not later.due(arguments["slots"]), f"wake_at: {plan.wake_at}, but something is due at {asleep}")
    if plan.wake_at is not None:
        awake = world.core.plan(**arguments | {"now": end, "local_minute": world.minute(end)})
        changed = [a.reason for a, b in zip(plan.items, awake.items, strict=True) if a.until == end and a[1:] != b[1:]]
        require(changed, f"wake_at: nothing changes at {end}")


def check_rest(world: World, oracle: Oracle, plan: Plan) -> None:
    """When nothing more happens by itself: nothing is due, no process is left, every end is told once."""
    left = oracle.due(99)
    require(not left, f"starves: {[(each.model, each.version, each.replicate) for each in left]}")
    idle = [item for item in plan.items if item.verdict in (Verdict.DUE, Verdict.RUNNING)]
    require(not idle, f"starves: {[(item.wanted.key, item.reason) for item in idle]}")
    require(not world.processes, f"I5: {world.processes} are left")
    for run in world.ledger.runs.values():
        for each in run.attempts:
            require(each.state.is_final and each.reported, f"I5: {run.id}.{each.number} is {each.state.value} for ever")
            require(world.disk[run.id, each.number].blocks == 1, f"{run.id}.{each.number} is reported twice or never")
