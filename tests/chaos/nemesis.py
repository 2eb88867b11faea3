"""What may go wrong, go on or be changed: one small action each, chosen by chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from mlpipeline import events
from mlpipeline.run import Cause, State

from .lists import MODELS, OPTIONS
from .scheduling import SimScheduler
from .simulated import LIVE, Phase, Truth, World

_ENDS = (
    (State.SUCCEEDED, Cause.NONE),
    (State.SUCCEEDED, Cause.NONE),
    (State.FAILED, Cause.EXCEPTION),
    (State.FAILED, Cause.TIME_LIMIT),
    (State.LOST, Cause.KILLED),
    (State.LOST, Cause.KILLED),
    (State.LOST, Cause.REBOOT),
    (State.YIELDED, Cause.PREEMPTED),
)
_ASKED = {
    "cancel": (State.CANCELLED, Cause.CANCELLED),
    "interrupt": (State.CANCELLED, Cause.INTERRUPTED),
    "yield": (State.YIELDED, Cause.NONE),
}


class Nemesis:
    """Acts on one world. Every action returns what it did, or nothing where it was not possible."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = world.rng
        self.scheduler: SimScheduler | None = None

    def act(self) -> str:
        """Does one thing that is possible now."""
        while True:
            (action,) = self.rng.choices(_ACTIONS, cum_weights=_WEIGHTS)
            if done := action(self):
                return done

    # the scheduler

    def turn(self) -> str:
        """The scheduler finishes the turn under way, or does one; a dead one is started before."""
        self._started().turn()
        return "turn"

    def part(self) -> str:
        """The scheduler does some steps of a turn, and is then overtaken by events."""
        scheduler = self._started()
        count = self.rng.randrange(1, 6)
        done = sum(scheduler.step() for _ in range(count))
        return f"{done} steps of a turn"

    def _started(self) -> SimScheduler:
        scheduler = self.scheduler
        if scheduler is not None and scheduler.stopping and scheduler.doing is None and not scheduler.live:
            scheduler = None
        if scheduler is None:
            scheduler = self.scheduler = SimScheduler(self.world)
        return scheduler

    def crash(self) -> str:
        """The scheduler is killed where it stands."""
        scheduler, self.scheduler = self.scheduler, None
        return "crash" if scheduler is not None else ""

    def stop(self) -> str:
        """Somebody stops the scheduler: runs are interrupted, or yield."""
        if self.scheduler is None:
            return ""
        self.scheduler.stopping = True
        how = self.rng.choice(("interrupt", "yield"))
        for each in self.scheduler.live.values():
            each.asked = how
        return f"stop: {how}"

    # processes

    def _one(self, *phases: Phase) -> Truth | None:
        found = [each for each in self.world.processes if each.phase in phases]
        return self.rng.choice(found) if found else None

    def begin(self) -> str:
        """A supervisor comes to run. One that finds an outcome goes away."""
        truth = self._one(Phase.SPAWNED)
        if truth is None:
            return ""
        truth.phase, truth.started_at = Phase.ALIVE, self.world.now
        return f"{truth.run_id}.{truth.number} begins"

    def finish(self) -> str:
        """An attempt ends by itself, or as it was asked to."""
        truth = self._one(Phase.ALIVE)
        if truth is None:
            return ""
        state, cause = _ASKED.get(truth.asked) or self.rng.choice(_ENDS)
        truth.end(state, cause, self.world.now)
        return f"{truth.run_id}.{truth.number} ends: {state.value}, {cause.value}"

    def vanish(self) -> str:
        """A supervisor is killed; a process of its run may be left."""
        truth = self._one(Phase.SPAWNED, Phase.ALIVE)
        if truth is None:
            return ""
        is_alive = truth.phase is Phase.ALIVE
        truth.phase = Phase.ORPHANED if is_alive and self.rng.random() < 0.5 else Phase.ENDED
        return f"the supervisor of {truth.run_id}.{truth.number} vanishes: {truth.phase.value}"

    def reboot(self) -> str:
        """Every process ends at once."""
        for each in self.world.processes:
            each.phase = Phase.ENDED
        self.scheduler = None
        return "reboot"

    def ask(self) -> str:
        """Somebody asks a running attempt to end."""
        truth = self._one(Phase.ALIVE)
        if truth is None:
            return ""
        truth.asked = self.rng.choice(tuple(_ASKED))
        return f"{truth.asked} {truth.run_id}"

    def spawn_failure(self) -> str:
        """The next attempt cannot be started: no process, no memory."""
        self.world.spawn_fails = True
        return "the next start fails"

    # people

    def retry(self) -> str:
        """Somebody says retry, of whatever run."""
        runs = list(self.world.ledger.runs)
        if not runs:
            return ""
        self.world.requests.append(self.rng.choice(runs))
        return f"retry {self.world.requests[-1]}"

    def edit(self) -> str:
        """Somebody edits the list."""
        wishes, rng = self.world.wishes, self.rng
        entries = list(wishes.entries)
        how = rng.random()
        absent = [model for model in MODELS if model not in dict(entries)]
        if absent and how < 0.3:
            entries.insert(rng.randrange(len(entries) + 1), (rng.choice(absent), rng.choice(OPTIONS)))
        elif len(entries) > 1 and how < 0.4:
            entries.pop(rng.randrange(len(entries)))
        elif len(entries) > 1 and how < 0.55:
            rng.shuffle(entries)
        elif entries:
            place = rng.randrange(len(entries))
            entries[place] = (entries[place][0], rng.choice(OPTIONS))
        self.world.wishes = replace(wishes, entries=tuple(entries))
        written = (f"{model} = {options.describe()}" for model, options in entries)
        return f"the list is now: {'; '.join(written)}"

    def code(self) -> str:
        """Somebody edits a model's code, or takes the edit back; it is described again, or broken."""
        wishes, rng = self.world.wishes, self.rng
        model = rng.choice(MODELS)
        code = {**wishes.code, model: max(0, wishes.code[model] + rng.choice((1, 1, -1)))}
        fate = rng.random()
        describing = wishes.describing | {model} if fate < 0.5 else wishes.describing
        faulty = wishes.faulty | {model} if fate > 0.9 else wishes.faulty - {model}
        self.world.wishes = replace(wishes, code=code, describing=describing, faulty=faulty)
        return f"{model} is now revision {code[model]}; described: {set(describing)}; faulty: {set(faulty)}"

    def described(self) -> str:
        """All descriptions are ready."""
        if not self.world.wishes.describing:
            return ""
        self.world.wishes = replace(self.world.wishes, describing=frozenset())
        return "all is described"

    def slots(self) -> str:
        """The number of slots changes."""
        self.world.wishes = replace(self.world.wishes, slots=self.rng.randrange(1, 4))
        return f"{self.world.wishes.slots} slots"

    # the clock, and stray writers

    def clock(self) -> str:
        """Time passes, or the clock is set."""
        kind, rng = self.rng.random(), self.rng
        plan = self.scheduler.plan if self.scheduler else None
        if kind < 0.15:
            self.world.now += timedelta(days=rng.choice((-1, 1)))
        elif kind < 0.5 and plan is not None and plan.wake_at is not None:
            self.world.now = plan.wake_at
        elif kind < 0.6:
            self.world.now += timedelta(minutes=rng.randrange(24 * 60))
        else:
            self.world.now += timedelta(seconds=rng.choice((0.5, 1, 3.999999, 4, 16, 300)))
        return f"it is {self.world.now}"

    def stray(self) -> str:
        """Somebody writes with a stale token, or a second time: nothing may come of it."""
        runs = list(self.world.ledger.runs.values())
        if not runs:
            return ""
        run = self.rng.choice(runs)
        attempt = self.rng.choice(run.attempts)
        number, stale, at = attempt.number, run.attempts[0].token, self.world.now
        state, cause = self.rng.choice(_ENDS)
        is_second = attempt.state not in LIVE
        token = attempt.token if is_second else stale if stale != attempt.token else "another's"
        ledger = self.world.ledger
        same: dict[str, Any] = {"run_id": run.id, "number": number, "token": token}
        ledger.record_stray(events.Ended(**same, at=at, state=state, cause=cause, started_at=at))
        ledger.record_stray(events.Started(**same, at=at))
        ledger.record_stray(events.Ended(**same | {"number": number + 9}, at=at, state=state))
        return f"stray words about {run.id}.{number}"


_CHANCES: tuple[tuple[Callable[[Nemesis], str], int], ...] = (
    (Nemesis.turn, 26),
    (Nemesis.part, 16),
    (Nemesis.begin, 20),
    (Nemesis.finish, 20),
    (Nemesis.crash, 5),
    (Nemesis.vanish, 3),
    (Nemesis.reboot, 1),
    (Nemesis.stop, 1),
    (Nemesis.ask, 3),
    (Nemesis.spawn_failure, 1),
    (Nemesis.retry, 5),
    (Nemesis.edit, 6),
    (Nemesis.code, 4),
    (Nemesis.described, 6),
    (Nemesis.slots, 2),
    (Nemesis.clock, 10),
    (Nemesis.stray, 2),
)
_ACTIONS = tuple(action for action, _ in _CHANCES)
_WEIGHTS = tuple(sum(weight for _, weight in _CHANCES[: place + 1]) for place in range(len(_CHANCES)))
