"""The scheduler's protocol in small steps: between any two of them it may be killed, and the world may move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mlpipeline import events
from mlpipeline.queue.plan import Plan, PlanDefaults, Wanted
from mlpipeline.run import Attempt, Cause, Run, State

from .lists import Wishes
from .oracle import Oracle, check_plan, check_wake
from .simulated import LIMIT, LIVE, Phase, Truth, World

DEFAULTS = PlanDefaults(max_attempts=LIMIT)
_RETRIABLE = (State.FAILED, State.CANCELLED, State.LOST)


class SimScheduler:
    """One life of a scheduler. Everything in it is lost when it is killed.

    Attributes:
        live: attempts that the ledger calls live, by run.
        watched: attempts whose supervisor it holds a descriptor of.
        doing: the turn under way.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.invocation = world.name("invocation-")
        self.live: dict[str, Truth] = {}
        self.watched: set[str] = set()
        self.stopping = False
        self.doing: Iterator[None] | None = None
        self.plan: Plan | None = None
        self.adopted = False
        self.wake_check = 0.2

    def step(self) -> bool:
        """Does one step; False when the turn is over."""
        if self.doing is None:
            self.doing = self._turn()
        for _ in self.doing:
            return True
        self.doing = None
        return False

    def turn(self) -> None:
        """Finishes the turn under way, or does a whole one."""
        while self.step():
            pass

    def _turn(self) -> Iterator[None]:
        if not self.adopted:
            self.adopted = True
            yield from self._adopt()
        yield from self._requests()
        wishes = self.world.wishes
        for truth in list(self.live.values()):
            yield from self._look(truth)
        yield from self._decide(wishes)

    def _adopt(self) -> Iterator[None]:
        for run in self.world.ledger.runs.values():
            if run.state in LIVE:
                truth = self.live[run.id] = self.world.disk[run.id, run.last.number]
                if truth.phase is Phase.ALIVE:
                    self.watched.add(truth.token)
        for run in list(self.world.ledger.runs.values()):
            for attempt in run.attempts:
                if attempt.state not in LIVE and not attempt.reported:
                    yield from self._report(self.world.disk[run.id, attempt.number])

    def _requests(self) -> Iterator[None]:
        for run_id in list(self.world.requests):
            if self.world.ledger.runs[run_id].state in _RETRIABLE:
                self.world.ledger.record(events.RetryAsked(run_id=run_id, at=self.world.now))
            yield
            self.world.requests.remove(run_id)

    def _look(self, truth: Truth) -> Iterator[None]:
        ledger = self.world.ledger
        if truth.outcome is None and truth.started_at and ledger.runs[truth.run_id].state is State.SUBMITTED:
            at, number = truth.started_at, truth.number
            ledger.record(events.Started(run_id=truth.run_id, number=number, token=truth.token, at=at))
            yield
        if truth.outcome is None and not self._lives(truth):
            yield
            self._bury(truth)
        if truth.outcome is not None:
            yield
            ledger.record(truth.event())
            yield
            del self.live[truth.run_id]
            yield from self._report(truth)

    def _lives(self, truth: Truth) -> bool:
        return truth.phase is Phase.ALIVE or (truth.phase is Phase.SPAWNED and truth.token in self.watched)

    def _bury(self, truth: Truth) -> None:
        """Nothing is called lost while a process of it is left, and some will not end at once."""
        if truth.phase is Phase.ALIVE or (truth.phase is Phase.ORPHANED and self.world.rng.random() < 0.3):
            return
        truth.end(State.LOST, Cause.LOST_SUPERVISOR, self.world.now)

    def _report(self, truth: Truth) -> Iterator[None]:
        if not truth.blocks:
            truth.blocks += 1
            yield
        self.world.ledger.record(events.Reported(run_id=truth.run_id, number=truth.number))

    def _decide(self, wishes: Wishes) -> Iterator[None]:
        slots = max(0, 0 if self.stopping else wishes.slots - len(self.live))
        now = self.world.now
        arguments = self._arguments(wishes, slots)
        plan = self.plan = self.world.core.plan(**arguments)
        oracle = Oracle(self.world, wishes, self.invocation, self.live, now)
        check_plan(oracle, plan, slots)
        if self.world.rng.random() < self.wake_check:
            check_wake(self.world, oracle, plan, arguments)
        for each in plan.submit:
            yield from self._submit(each, wishes.slots)

    def _arguments(self, wishes: Wishes, slots: int) -> dict[str, Any]:
        ledger = self.world.ledger
        found = {each.key: ledger.answer(each.key, self.invocation) for each in wishes.wanted}
        return {
            "wanted": wishes.wanted,
            "standings": {key: ledger.standing(run_id) for key, run_id in found.items() if run_id},
            "slots": slots,
            "now": self.world.now,
            "local_minute": self.world.minute(self.world.now),
            "defaults": DEFAULTS,
            "busy": [each.model_dir for each in self.live.values()],
            "describing": wishes.places(),
            "faulty": wishes.faulty,
            "running": Counter(ledger.runs[run_id].model for run_id in self.live),
        }

    def oracle(self) -> Oracle:
        """Returns the oracle for this moment."""
        return Oracle(self.world, self.world.wishes, self.invocation, self.live, self.world.now)

    def _submit(self, each: Wanted, slots: int) -> Iterator[None]:
        world = self.world
        run = self._prepared(each)
        index = world.index(each.key, run.invocation)
        truth = Truth(run.id, run.last.number, run.last.token, index, run.model_dir)
        world.disk[run.id, run.last.number] = truth
        yield
        world.ledger.record(events.Submitted(run=run))
        self.live[run.id] = truth
        yield
        if not world.spawn_fails:
            world.start(truth, slots)
            self.watched.add(truth.token)
        world.spawn_fails = False
        yield

    def _prepared(self, each: Wanted) -> Run:
        """Makes the next attempt of the run that answers the wish, or a new run."""
        world = self.world
        earlier = world.ledger.answer(each.key, self.invocation)
        run = world.ledger.runs[earlier] if earlier else self._new_run(each)
        number = len(run.attempts) + 1
        attempt = Attempt(
            run_id=run.id,
            number=number,
            token=world.name("token-"),
            state=State.SUBMITTED,
            executor="simulated",
            directory=f"{run.id}/{number}",
            submitted_at=world.now,
        )
        return replace(run, attempts=(*run.attempts, attempt), retry_asked=False)

    def _new_run(self, each: Wanted) -> Run:
        return Run(
            id=self.world.name("run-"),
            model=each.model,
            version=each.version,
            replicate=each.replicate,
            seed=each.seed,
            sources=each.key.code_digest,
            code_digest=each.key.code_digest,
            params_digest=each.key.params_digest,
            params={},
            invocation=self.invocation,
            model_dir=each.model_dir,
            created_at=self.world.now,
        )
