"""A project without a disk: attempts and their processes as they truly are, and a ledger that forgets nothing."""

from __future__ import annotations

import contextlib
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from mlpipeline import events
from mlpipeline.errors import IllegalTransition
from mlpipeline.ledger import Key, Standing
from mlpipeline.run import Cause, Run, State

from .core import Core, Violation, require
from .lists import Wishes

EPOCH = datetime(2026, 11, 21, 4, 5, 6, tzinfo=UTC)
LIMIT = 3
LIVE = (State.SUBMITTED, State.RUNNING)


class Phase(Enum):
    """How far the processes of an attempt truly are."""

    PREPARED = "its directory is complete"
    SPAWNED = "its supervisor was started and has not taken its lock yet"
    ALIVE = "its supervisor holds its lock, its worker trains"
    ORPHANED = "its supervisor is gone, a process of it is not"
    ENDED = "no process of it is left"


@dataclass(slots=True)
class Outcome:
    """What `outcome.json` says."""

    state: State
    cause: Cause
    at: datetime


@dataclass(slots=True)
class Truth:
    """The directory of one attempt and its processes. Survives every crash of a scheduler."""

    run_id: str
    number: int
    token: str
    wish: tuple[object, ...]
    model_dir: str
    phase: Phase = Phase.PREPARED
    started_at: datetime | None = None
    outcome: Outcome | None = None
    asked: str = ""
    blocks: int = 0

    def end(self, state: State, cause: Cause, at: datetime) -> None:
        """Ends every process and writes the outcome, unless one stands there already."""
        self.phase = Phase.ENDED
        self.outcome = self.outcome or Outcome(state, cause, at)

    def event(self) -> events.Ended:
        """Returns what the outcome file says, as the ledger's event."""
        assert self.outcome is not None
        state, cause, at = self.outcome.state, self.outcome.cause, self.outcome.at
        return events.Ended(
            run_id=self.run_id,
            number=self.number,
            token=self.token,
            at=at,
            state=state,
            cause=cause,
            started_at=self.started_at,
        )


class World:
    """Everything that outlives a scheduler: clock, list, directories, processes, requests, ledger.

    Args:
        core: the decisions under test.
        rng: the only source of chance.
        wishes: the list at the start.
        width: how much of a key must be equal (`rerun_on`): 5 with the code, 4 the parameters, 3 neither.
        history: whether runs of earlier invocations count.
    """

    def __init__(self, core: Core, rng: random.Random, wishes: Wishes, *, width: int, history: bool) -> None:
        self.core = core
        self.rng = rng
        self.wishes = wishes
        self.width = width
        self.history = history
        self.now = EPOCH
        self.zone_minutes = rng.choice((0, 0, 330, -210))
        self.disk: dict[tuple[str, int], Truth] = {}
        self.processes: list[Truth] = []
        self.requests: list[str] = []
        self.retry_asked: set[str] = set()
        self.verified: dict[str, Run] = {}
        self.spawn_fails = False
        self.names = 0
        self.ledger = SimLedger(self)

    def minute(self, at: datetime) -> int:
        """Returns the minutes since local midnight."""
        local = at + timedelta(minutes=self.zone_minutes)
        return local.hour * 60 + local.minute

    def name(self, kind: str) -> str:
        """Returns a new name: of a run, a token, an invocation."""
        self.names += 1
        return f"{kind}{self.names}"

    def index(self, key: Key, invocation: str) -> tuple[object, ...]:
        """Returns what two runs have in common that answer the same wish."""
        return (None if self.history else invocation, *key[: self.width])

    def check(self) -> None:
        """I3 and I6 as the processes see them: one live attempt a run, one process in a directory."""
        self.processes = live = [each for each in self.processes if each.phase is not Phase.ENDED]
        if len(live) > 1:
            require(len({each.run_id for each in live}) == len(live), "I3: two live attempts of one run")
            require(len({each.model_dir for each in live}) == len(live), "I6: two runs in one model directory")

    def start(self, truth: Truth, slots: int) -> None:
        """Starts an attempt's processes; what must hold at this moment is asked here."""
        self.check()
        require(len(self.processes) < slots, f"I6: {len(self.processes) + 1} live in {slots} slots")
        for each in self.disk.values():
            if each.wish == truth.wish and each.outcome is not None:
                require(each.outcome.state is not State.SUCCEEDED, "I4: what is done starts again")
        truth.phase = Phase.SPAWNED
        self.processes.append(truth)
        self.check()


class SimLedger:
    """Runs by their ids, under the rules of the real ledger; every answer comes from `apply`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.runs: dict[str, Run] = {}
        self.answers: dict[tuple[object, ...], list[str]] = {}
        self._standings: dict[str, Standing] = {}

    def record(self, event: events.Event) -> bool:
        """Writes an event down; False where it says nothing new."""
        if isinstance(event, events.Submitted):
            self._submitted(event.run)
            return True
        before = self.runs[event.run_id]
        after = self.world.core.apply(before, event)
        if after is None:
            return False
        for old, new in zip(before.attempts, after.attempts, strict=True):
            if old is not new and old.state not in LIVE and replace(new, reported=old.reported) != old:
                raise Violation(f"I2: {old.run_id}.{old.number} ended twice: {old.state}, then {new.state}")
        self._keep(after)
        if isinstance(event, events.RetryAsked):
            self.world.retry_asked.add(event.run_id)
        return True

    def record_stray(self, event: events.Event) -> None:
        """Offers an event that must change nothing; refusing it aloud is as good."""
        before = dict(self.runs)
        with contextlib.suppress(IllegalTransition):
            self.record(event)
        if self.runs != before:
            raise Violation(f"I2: a stray event changed the ledger: {event}")

    def _submitted(self, run: Run) -> None:
        known = self.runs.get(run.id)
        if known is not None:
            follows = run.last.number == known.last.number + 1
            may = known.state not in LIVE and known.state is not State.SUCCEEDED
            require(follows and may, f"I3: {run.id}: attempt {run.last.number} cannot follow {known.state}")
        else:
            require(run.last.number == 1, f"{run.id} begins with attempt {run.last.number}")
            self.answers.setdefault(self.world.index(key_of(run), run.invocation), []).append(run.id)
        self._keep(run)
        self.world.retry_asked.discard(run.id)

    def _keep(self, run: Run) -> None:
        self.runs[run.id] = run
        self._standings.pop(run.id, None)

    def answer(self, key: Key, invocation: str) -> str | None:
        """Returns the run that answers a wish: one that succeeded before any other, else the newest."""
        found = self.answers.get(self.world.index(key, invocation))
        if not found:
            return None
        done = [each for each in found if self.runs[each].state is State.SUCCEEDED] if len(found) > 1 else found
        return (done or found)[-1]

    def standing(self, run_id: str) -> Standing:
        """Returns how a run stands, as the ledger's columns would say."""
        known = self._standings.get(run_id)
        if known is None:
            run = self.runs[run_id]
            last = run.attempts[-1]
            known = self._standings[run_id] = Standing(
                run_id=run_id,
                state=last.state,
                cause=last.cause,
                counted_attempts=run.counted_attempts,
                attempts=last.number,
                ended_at=last.ended_at,
                retry_asked=run.retry_asked,
                message=last.message,
            )
        return known


def key_of(run: Run) -> Key:
    """Returns the wish that a run answers."""
    return Key(run.model, run.version, run.replicate, run.params_digest, run.code_digest)
