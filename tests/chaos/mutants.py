"""Cores with one fault each: a simulation that cannot tell them from the real one proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from mlpipeline import events
from mlpipeline import run as runs
from mlpipeline.queue import plan as planning
from mlpipeline.queue.plan import Plan, PlanDefaults
from mlpipeline.run import Run, State

from .core import Core

Standings = Mapping[Any, Any]


def _asked(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Core:
    """A plan that is asked something else than it should be."""
    return Core(plan=lambda **asked: planning.plan(**asked | change(asked)))


def _answered(change: Callable[[Plan], Plan]) -> Core:
    """A plan that answers something else than it should."""
    return Core(plan=lambda **asked: change(planning.plan(**asked)))


def _standing(**changes: Any) -> Core:
    """A plan that takes every standing for another."""
    return _asked(lambda asked: {"standings": {key: replace(it, **changes) for key, it in asked["standings"].items()}})


def _without(state: State) -> Core:
    """A plan that does not know of runs in one state."""
    return _asked(
        lambda asked: {"standings": {key: it for key, it in asked["standings"].items() if it.state is not state}}
    )


def _believes_the_clock(asked: dict[str, Any]) -> dict[str, Any]:
    """Takes an end in the future for one at this moment, and so waits for as long as the clock jumped back."""
    pairs = asked["standings"].items()
    return {
        "standings": {key: replace(it, ended_at=it.ended_at and min(it.ended_at, asked["now"])) for key, it in pairs}
    }


def _accepts_stale_tokens(run: Run, event: events.OfRun) -> Run | None:
    if isinstance(event, events.Started | events.Ended) and event.number <= len(run.attempts):
        event = replace(event, token=run.attempts[event.number - 1].token)
    return events.apply(run, event)


def _forgets_an_end_without_a_start(run: Run, event: events.OfRun) -> Run | None:
    return None if isinstance(event, events.Ended) and run.state is State.SUBMITTED else events.apply(run, event)


def _forgets_causes(run: Run, event: events.OfRun) -> Run | None:
    return events.apply(run, replace(event, cause=runs.Cause.NONE) if isinstance(event, events.Ended) else event)


def _advances_always(run: Run, number: int, state: State, **changes: Any) -> Run:
    changed = (replace(each, state=state, **changes) if each.number == number else each for each in run.attempts)
    return replace(run, attempts=tuple(changed))


def _is_late(plan: Plan) -> Plan:
    return replace(plan, wake_at=plan.wake_at and plan.wake_at + timedelta(seconds=1))


MUTANTS: Mapping[str, Core] = {
    "ignores directories in use": _asked(lambda _: {"busy": ()}),
    "forgets max_attempts": _asked(lambda _: {"defaults": PlanDefaults(max_attempts=99)}),
    "counts one attempt less": _asked(lambda _: {"defaults": PlanDefaults(max_attempts=4)}),
    "gives one slot too many": _asked(lambda asked: {"slots": asked["slots"] + 1}),
    "never uses the last slot": _asked(lambda asked: {"slots": max(0, asked["slots"] - 1)}),
    "forgets who has slots": _asked(lambda _: {"running": {}}),
    "ignores what is being described": _asked(lambda _: {"describing": {}}),
    "ignores faults": _asked(lambda _: {"faulty": ()}),
    "ignores the hour": _asked(lambda _: {"local_minute": 6 * 60}),
    "believes the clock": _asked(_believes_the_clock),
    "knows no pause": _standing(ended_at=None),
    "does not hear of a retry": _standing(retry_asked=False),
    "hears of a retry always": _standing(retry_asked=True),
    "forgets what is done": _without(State.SUCCEEDED),
    "forgets what runs": _without(State.RUNNING),
    "forgets what was submitted": _without(State.SUBMITTED),
    "forgets what failed": _without(State.FAILED),
    "submits in the wrong order": _answered(lambda plan: replace(plan, submit=plan.submit[::-1])),
    "submits one only": _answered(lambda plan: replace(plan, submit=plan.submit[:1])),
    "never wakes": _answered(lambda plan: replace(plan, wake_at=None)),
    "wakes late": _answered(_is_late),
    "accepts stale tokens": Core(apply=_accepts_stale_tokens),
    "forgets an end without a start": Core(apply=_forgets_an_end_without_a_start),
    "forgets causes": Core(apply=_forgets_causes),
    "lets anything follow anything": Core(advance=_advances_always),
}
