"""One seeded schedule from beginning to rest. `python -m tests.chaos.simulation SEED` tells one step by step."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from mlpipeline import run as runs
from mlpipeline.errors import MlpipelineError
from mlpipeline.run import Cause, State

from .core import Core, Violation
from .lists import MODELS, OPTIONS, Wishes
from .nemesis import Nemesis
from .oracle import check_rest
from .simulated import Phase, World

_MOST_TURNS = 80
REAL = Core()


def run_schedule(seed: int, core: Core = REAL, tell: Callable[[str], None] = lambda _: None) -> None:
    """Runs one schedule, and lets it come to rest.

    Raises:
        Violation: with what happened, and how to see it again.
    """
    try:
        _run(seed, core, tell)
    except (Violation, MlpipelineError) as error:
        raise Violation(f"{error}\nto see it again: python -m tests.chaos.simulation {seed}") from error


def _run(seed: int, core: Core, tell: Callable[[str], None]) -> None:
    rng = random.Random(seed)
    entries = tuple((model, rng.choice(OPTIONS)) for model in MODELS[: rng.randrange(1, 4)])
    wishes = Wishes(entries, dict.fromkeys(MODELS, 0), slots=rng.randrange(1, 4))
    world = World(core, rng, wishes, width=rng.choice((5, 5, 5, 4, 3)), history=rng.random() < 0.85)
    nemesis = Nemesis(world)
    written = "; ".join(f"{model} = {options.describe()}" for model, options in entries)
    tell(f"{wishes.slots} slots, width {world.width}, history {world.history}, the list is: {written}")
    for number in range(rng.randrange(20, 41)):
        done = nemesis.act()
        tell(f"{number:3} {done}")
        world.check()
    tell("from here on nothing goes wrong")
    _settle(world, nemesis, tell)


def _settle(world: World, nemesis: Nemesis, tell: Callable[[str], None]) -> None:
    """Lets everything succeed that begins, and sleeps only as long as the plan says."""
    world.wishes = replace(world.wishes, describing=frozenset())
    world.spawn_fails = False
    nemesis.turn()  # the turn under way still goes by the list that it read
    for _ in range(_MOST_TURNS):
        nemesis.turn()
        if nemesis.scheduler is None or nemesis.scheduler.stopping:
            nemesis.crash()
            continue
        plan = nemesis.scheduler.plan
        assert plan is not None
        if _end_all(world) or nemesis.scheduler.live or plan.submit or world.requests:
            continue
        if plan.wake_at is None:
            check_rest(world, nemesis.scheduler.oracle(), plan)
            return
        world.now = plan.wake_at
        tell(f"    it is {world.now}")
    raise Violation(f"starves: no rest after {_MOST_TURNS} turns")


def _end_all(world: World) -> bool:
    world.check()
    for each in world.processes:
        each.started_at = each.started_at or world.now
        if each.phase is Phase.ORPHANED:
            each.phase = Phase.ENDED
        else:
            each.end(State.SUCCEEDED, Cause.NONE, world.now)
    found = bool(world.processes)
    world.check()
    return found


@contextmanager
def in_force(core: Core) -> Iterator[Core]:
    """Puts a core's `advance` where `apply` calls it."""
    before = runs.advance
    runs.advance = core.advance
    try:
        yield core
    finally:
        runs.advance = before


def violations(seeds: range, core: Core = REAL, most: int = 1) -> list[tuple[int, str]]:
    """Runs the schedules of many seeds. Returns the first that fail, each with what happened."""
    found = []
    with in_force(core):
        for seed in seeds:
            try:
                run_schedule(seed, core)
            except Violation as violation:
                found.append((seed, str(violation)))
                if len(found) >= most:
                    break
    return found


if __name__ == "__main__":
    run_schedule(int(sys.argv[1]), tell=print)
