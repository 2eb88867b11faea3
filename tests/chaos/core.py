"""The decisions under test, as values, so that a schedule can also be run against mutated ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mlpipeline import events
from mlpipeline import run as runs
from mlpipeline.queue import plan as planning
from mlpipeline.queue.plan import Plan
from mlpipeline.run import Run


class Violation(AssertionError):
    """Something happened that must never happen."""


def require(condition: object, what: str) -> None:
    """Raises Violation, naming what was violated."""
    if not condition:
        raise Violation(what)


@dataclass(frozen=True, slots=True)
class Core:
    """The pure functions that decide; by default the real ones.

    Attributes:
        advance: put in place of `mlpipeline.run.advance`, which `apply` calls.
    """

    plan: Callable[..., Plan] = planning.plan
    apply: Callable[..., Run | None] = events.apply
    advance: Callable[..., Run] = runs.advance
