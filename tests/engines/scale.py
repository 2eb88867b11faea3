"""A fake Slurm of many nodes, in virtual time, under the pure core: the plan, what squeue says, and what follows.

`python -m tests.engines.scale RUNS NODES` prints the figures of docs/scaling.md.
"""

from __future__ import annotations

import heapq
import random
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mlpipeline.execution.remote import Stage
from mlpipeline.execution.slurm_words import read_queue, sight
from mlpipeline.ledger import Key, Standing
from mlpipeline.model_options import ModelOptions
from mlpipeline.queue.plan import PlanDefaults, plan
from mlpipeline.queue.verdicts import Wanted
from mlpipeline.run import Cause, State, counts

_POLL_SECONDS = 5.0
_KEPT_SECONDS = 300.0
_ARRAY = 1000
_START = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass
class Job:
    """A task of an array: what it runs, its name, and how it stands."""

    place: int
    batch: str
    number: int
    array: int
    state: str = "PENDING"
    until: float = 0.0


@dataclass
class Engine:
    """So many nodes of one slot each; some fail, and now and then the controller forgets what it acknowledged."""

    nodes: int
    rng: random.Random
    now: float = 0.0
    waiting: deque[Job] = field(default_factory=deque)
    running: list[tuple[float, int, Job]] = field(default_factory=list)
    ended: deque[Job] = field(default_factory=deque)
    started: Counter[int] = field(default_factory=Counter)
    arrays: int = 0
    forgotten: int = 0
    serial: int = 0

    def submit(self, places: list[int]) -> dict[int, tuple[str, int]]:
        """Takes arrays; returns each one's name and number. One in a hundred arrays is acknowledged and forgotten."""
        found: dict[int, tuple[str, int]] = {}
        for begin in range(0, len(places), _ARRAY):
            self.arrays += 1
            batch = f"b{self.arrays}"
            part = places[begin : begin + _ARRAY]
            found |= {place: (batch, number) for number, place in enumerate(part)}
            if self.rng.random() < 0.01:
                self.forgotten += len(part)
            else:
                self.waiting.extend(Job(place, batch, number, self.arrays) for number, place in enumerate(part))
        return found

    def advance(self, seconds: float) -> None:
        """Lets time pass: jobs end, nodes fail, jobs begin."""
        end = self.now + seconds
        self._fill()
        while self.running and self.running[0][0] <= end:
            self.now, _, job = heapq.heappop(self.running)
            job.state = "NODE_FAIL" if self.rng.random() < 0.001 else "COMPLETED"
            job.until = self.now + _KEPT_SECONDS
            self.ended.append(job)
            self._fill()
        self.now = end
        while self.ended and self.ended[0].until < self.now:
            self.ended.popleft()

    def _fill(self) -> None:
        while self.waiting and len(self.running) < self.nodes:
            job = self.waiting.popleft()
            job.state = "RUNNING"
            self.started[job.place] += 1
            self.serial += 1
            heapq.heappush(self.running, (self.now + self.rng.uniform(30, 600), self.serial, job))

    def squeue(self) -> str:
        """Returns what squeue prints: tasks that wait stand in one line for each array."""
        lines = [_line(job, str(job.number)) for _, _, job in self.running]
        lines += [_line(job, str(job.number)) for job in self.ended]
        waiting: dict[str, list[Job]] = {}
        for job in self.waiting:
            waiting.setdefault(job.batch, []).append(job)
        lines += [_line(jobs[0], ",".join(str(each.number) for each in jobs)) for jobs in waiting.values()]
        return "\n".join(lines)


def _line(job: Job, numbers: str) -> str:
    return f"{job.array}|{numbers}|{job.state}|Resources|N/A|n1|mlp-{job.batch}"


@dataclass
class Figures:
    """What it took. Times are seconds of this processor, but for `hours`, which are the fake engine's."""

    polls: int = 0
    polling: float = 0.0
    planning: float = 0.0
    turns: int = 0
    largest_answer: int = 0
    arrays: int = 0
    hours: float = 0.0
    attempts: int = 0


class Queue:
    """The queue over the engine: plans, submits in arrays, polls, and tries again what was lost."""

    def __init__(self, runs: int, nodes: int, slots: int, seed: int) -> None:
        self.engine = Engine(nodes, random.Random(seed))
        self.wanted = [_wish(place) for place in range(runs)]
        self.standings: dict[Key, Standing | None] = {}
        self.open = list(self.wanted)
        self.slots = slots
        self.live: dict[int, tuple[str, int]] = {}
        self.unknown: dict[int, float] = {}
        self.done: Counter[int] = Counter()
        self.figures = Figures()

    def run(self) -> Figures:
        """Works until everything is done."""
        while len(self.done) < len(self.wanted):
            self.turn()
        self.figures.arrays, self.figures.hours = self.engine.arrays, self.engine.now / 3600
        return self.figures

    def turn(self) -> None:
        """One poll and what follows from it."""
        began = time.process_time()
        submit = self.plan()
        self.figures.planning += time.process_time() - began
        self.figures.turns += 1
        if submit:
            self.live |= self.engine.submit(submit)
            self.figures.attempts += len(submit)
        self.engine.advance(_POLL_SECONDS)
        self.poll(self.engine.squeue())

    def plan(self) -> list[int]:
        """Returns what is to be submitted now."""
        free = self.slots - len(self.live)
        if free <= 0:
            return []
        now = _START + timedelta(seconds=self.engine.now)
        busy = frozenset(self.wanted[place].model_dir for place in self.live)
        defaults = PlanDefaults(max_attempts=100)
        # Those that are done are not asked again until something changes: the outlook keeps their standings.
        self.open = [each for each in self.open if each.position not in self.done]
        found = plan(
            self.open,
            {key: each for key, each in self.standings.items() if each is not None},
            slots=free,
            now=now,
            local_minute=0,
            defaults=defaults,
            busy=busy,
            describing={},
            faulty=frozenset(),
        )
        return [each.position for each in found.submit]

    def poll(self, text: str) -> None:
        """Takes what the engine says of everything that is live."""
        began = time.process_time()
        listed, _ = read_queue(text, "mlp-")
        seen = {place: sight(listed.get(batch), number) for place, (batch, number) in self.live.items()}
        self.figures.polling += time.process_time() - began
        self.figures.polls += 1
        self.figures.largest_answer = max(self.figures.largest_answer, len(text))
        for place, each in seen.items():
            if each.stage is Stage.ENDED:
                self.end(place, is_lost=each.ending is not None)
            elif each.stage is Stage.UNKNOWN and self.engine.now - self.unknown.setdefault(place, self.engine.now) > 60:
                self.end(place, is_lost=True)

    def end(self, place: int, *, is_lost: bool) -> None:
        """Records an attempt's end."""
        del self.live[place]
        self.unknown.pop(place, None)
        key = self.wanted[place].key
        if not is_lost:
            self.done[place] += 1
            self.standings.pop(key, None)
            return
        before = self.standings.get(key)
        attempts = (before.attempts if before else 0) + 1
        self.standings[key] = Standing(
            run_id=str(place),
            state=State.LOST,
            cause=Cause.NODE_FAILED,
            counted_attempts=attempts if counts(State.LOST, Cause.NODE_FAILED) else 0,
            attempts=attempts,
            ended_at=_START + timedelta(seconds=self.engine.now),
            retry_asked=False,
            message="",
        )


def _wish(place: int) -> Wanted:
    return Wanted(
        model="m.py",
        version=f"v{place}",
        replicate=0,
        seed=place,
        key=Key("m.py", f"v{place}", 0, "params", "code"),
        options=ModelOptions(),
        position=place,
        rank=place,
        model_dir=f"m-{place}",
    )


def main(runs: int, nodes: int) -> None:
    """Prints the figures."""
    queue = Queue(runs, nodes, slots=2 * nodes, seed=1)
    figures = queue.run()
    assert set(queue.done.values()) == {1}
    print(f"{runs} runs on {nodes} nodes, {2 * nodes} submitted at a time")
    print(f"virtual time              {figures.hours:.1f} h")
    print(f"calls of squeue           {figures.polls}")
    print(f"calls of sbatch           {figures.arrays}")
    print(f"attempts                  {figures.attempts}, of which {queue.engine.forgotten} were forgotten")
    print(f"largest answer of squeue  {figures.largest_answer / 1e6:.2f} MB")
    print(f"reading an answer         {figures.polling / figures.polls * 1000:.1f} ms")
    print(f"planning a turn           {figures.planning / figures.turns * 1000:.1f} ms")
    share = (figures.polling + figures.planning) / (figures.polls * _POLL_SECONDS)
    print(f"share of a core           {share:.1%}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
