"""What happens around every public method of a part, for each object alone.

In this order, from the outside in: logging, timing, error context, the workflow's own `around`, checks, recording,
caching.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mlpipeline.console import LOGGER
from mlpipeline.workflow import around, secrets
from mlpipeline.workflow.around import Around
from mlpipeline.workflow.checks import Check
from mlpipeline.workflow.part import WIRING, Part, Shared, Wiring
from mlpipeline.workflow.pipeline import Pipeline
from mlpipeline.workflow.recorder import Results, cached
from mlpipeline.workflow.sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Call = Callable[..., "Any"]


@dataclass(slots=True)
class Timing:
    """How often a method was called, and how long that took, in seconds of wall time."""

    calls: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Timings:
    """How long the methods of a workflow took, by address and name."""

    by_method: dict[str, Timing] = field(default_factory=dict)

    def of(self, name: str) -> Timing:
        """Returns the timing of a method, a new one where there is none."""
        return self.by_method.setdefault(name, Timing())


@dataclass(slots=True, kw_only=True)
class Method:
    """A method that is being wrapped, and what concerns it."""

    part: Part
    name: str
    shared: Shared
    hidden: frozenset[str] = frozenset()
    before: Sequence[Check] = ()
    after: Sequence[Check] = ()
    around: Sequence[Around] = ()
    results: Results | None = None
    sources: Sources | None = None

    @property
    def told(self) -> str:
        """Returns its name as messages have it."""
        return f"{self.part.address}.{self.name}" if self.part.address else self.name


def logged(method: Method, proceed: Call) -> Call:
    """Says when a method begins and ends: of pipelines as information, of components for debugging."""
    log, told = logging.getLogger(LOGGER), method.told
    level = logging.INFO if isinstance(method.part, Pipeline) else logging.DEBUG

    def call(*args: Any, **keywords: Any) -> Any:
        if not log.isEnabledFor(level):
            return proceed(*args, **keywords)
        log.log(level, "%s begins", told)
        began = time.perf_counter()
        returned = proceed(*args, **keywords)
        log.log(level, "%s took %.3g s", told, time.perf_counter() - began)
        return returned

    return call


def timed(method: Method, proceed: Call) -> Call:
    """Adds up how long a method takes, also where it raises."""
    timing, clock = method.shared.timings.of(method.told), time.perf_counter

    def call(*args: Any, **keywords: Any) -> Any:
        began = clock()
        try:
            return proceed(*args, **keywords)
        finally:
            timing.calls += 1
            timing.seconds += clock() - began

    return call


def told_in_errors(method: Method, proceed: Call) -> Call:
    """Notes on an error in which method it was raised; its type, and the error itself, stay what they are."""
    told, hidden = method.told, method.hidden

    def call(*args: Any, **keywords: Any) -> Any:
        try:
            return proceed(*args, **keywords)
        except Exception as error:
            hide(error, hidden)
            error.add_note(f"in {told}")
            raise

    return call


def surrounded(method: Method, proceed: Call) -> Call:
    """Goes through the methods that the workflow's `around:` puts around this one."""
    for each in reversed(method.around):
        part = functools.partial(method.shared.parts.__getitem__, each.address)
        proceed = around.layer(part, each, method.part, method.told, proceed)
    return proceed


def checked(method: Method, proceed: Call) -> Call:
    """Carries the method's checks out before and after it."""
    if not method.before and not method.after:
        return proceed
    part, log, before, after = method.part, method.shared.checks, method.before, method.after

    def call(*args: Any, **keywords: Any) -> Any:
        for check in before:
            log.run(check, part, (), keywords, *args)
        returned = proceed(*args, **keywords)
        for check in after:
            log.run(check, part, (returned,), keywords, *args)
        return returned

    return call


def recorded(method: Method, proceed: Call) -> Call:
    """Keeps the results of a pipeline's methods, so that a run that was killed goes on behind them."""
    if not isinstance(method.part, Pipeline):
        return proceed
    part, name, shared = method.part, method.name, method.shared

    def call(*args: Any, **keywords: Any) -> Any:
        return shared.recorder.around(part, name, proceed, args, keywords)

    return call


def kept(method: Method, proceed: Call) -> Call:
    """Keeps results from run to run where the configuration says so."""
    if method.results is None or method.sources is None:
        return proceed
    return cached(method.results, method.sources, method.part, method.name, proceed)


ORDER: tuple[Callable[[Method, Call], Call], ...] = (logged, timed, told_in_errors, surrounded, checked, recorded, kept)
"""From the outside in."""


def recorded_as_a_run(method: Method, proceed: Call) -> Call:
    """Makes `main` of a runner, called by hand in a project, a run of its history."""
    runner: Any = method.part
    if runner is not method.shared.root or method.name != "main" or not hasattr(type(runner), "recording"):
        return proceed

    def call(*args: Any, **keywords: Any) -> Any:
        if runner.run.run_id is not None:
            return proceed(*args, **keywords)
        with runner.recording() as record:
            record.returned = proceed(*args, **keywords)
        return record.returned

    return call


def wrap(method: Method) -> None:
    """Puts everything of ORDER around a method of one object. Its class, and other objects of it, stay as they are."""
    plain = getattr(method.part, method.name)
    call = plain
    for layer in reversed(ORDER):
        call = layer(method, call)
    call = recorded_as_a_run(method, call)
    method.part.__dict__[method.name] = functools.wraps(plain)(call)
    wiring: Wiring = method.part.__dict__[WIRING]
    wiring.given |= {method.name}


def hide(error: BaseException, hidden: frozenset[str]) -> None:
    """Replaces secrets in the texts of an error, and of those that led to it, by stars."""
    if not hidden:
        return
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        texts = tuple(secrets.clean(item, hidden) if isinstance(item, str) else item for item in each.args)
        if texts != each.args:
            each.args = texts
        each = each.__cause__ or each.__context__
