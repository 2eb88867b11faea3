"""Checks before and after methods: plain functions, and thresholds on what a method returned."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mlpipeline.console import LOGGER
from mlpipeline.errors import CheckFailed
from mlpipeline.workflow import conditions
from mlpipeline.workflow.conditions import Bound
from mlpipeline.workflow.node import Place
from mlpipeline.workflow.part import Part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Status(StrEnum):
    """How a check ended. `error`: the check itself raised; `skipped`: its method was never called."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of one method.

    Attributes:
        address: of the part.
        name: `checks/data.py:has_rows`, or `f1 at least 0.8`.
        function: called with the part, after the method also with what it returned, then with its arguments.
        metric: what of the returned value is compared; dotted.
        warns: whether a failure is told and nothing else.
    """

    address: tuple[str, ...]
    method: str
    moment: str
    name: str
    function: Callable[..., Any] | None = None
    metric: str = ""
    bounds: tuple[Bound, ...] = ()
    warns: bool = False
    place: Place

    @property
    def target(self) -> str:
        """Returns what is checked: `train.model_trainer.fit`."""
        return ".".join((*self.address, self.method))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one check ended, once."""

    check: Check
    status: Status
    message: str
    seconds: float

    @property
    def is_bad(self) -> bool:
        """Whether it makes the whole fail."""
        return self.status in (Status.FAILED, Status.ERROR) and not self.check.warns


class CheckLog:
    """Carries out checks, and keeps how they ended.

    Args:
        collect: whether failures are only kept, as a test of the workflow does; else the first one ends the workflow.
    """

    def __init__(self, *, collect: bool = False) -> None:
        self.collect = collect
        self.results: list[Result] = []
        self._earlier = 0

    def begin_run(self) -> None:
        """Tells the checks so far apart from those of a run that begins now."""
        self._earlier = len(self.results)

    def run(self, check: Check, part: Part, output: tuple[Any, ...], keywords: Mapping[str, Any], *args: Any) -> None:
        """Carries one check out.

        Args:
            output: what the method returned, as one item; nothing before it was called.

        Raises:
            CheckFailed: it failed, or raised, and failures are not collected.
        """
        began = time.perf_counter()
        error: Exception | None = None
        try:
            status, message = _verdict(check, part, output, args, keywords)
        except AssertionError as raised:
            status, message = Status.FAILED, str(raised) or "an assertion of it does not hold"
        except Exception as raised:  # a check is a stranger's function: what it raises is its result
            status, message, error = Status.ERROR, f"{type(raised).__name__}: {raised}", raised
        result = Result(check=check, status=status, message=message, seconds=time.perf_counter() - began)
        self.results.append(result)
        if status is not Status.PASSED:
            told = f"check {check.name} {check.moment} {check.target}: {status}: {message}"
            if result.is_bad and not self.collect:
                raise CheckFailed(told) from error
            logging.getLogger(LOGGER).warning("%s", told)

    def complete(self, checks: Sequence[Check]) -> list[Result]:
        """Returns all results, and one for each check whose method was never called."""
        return [*self.results, *_skipped(checks, self.results)]

    def of_this_run(self, checks: Sequence[Check]) -> list[Result]:
        """Returns the results of the run that began last, and one for each check whose method it did not call."""
        found = self.results[self._earlier :]
        return [*found, *_skipped(checks, found)]


def _skipped(checks: Sequence[Check], results: Sequence[Result]) -> list[Result]:
    seen = {id(result.check) for result in results}
    message = "the method was not called"
    return [
        Result(check=check, status=Status.SKIPPED, message=message, seconds=0.0)
        for check in checks
        if id(check) not in seen
    ]


def _verdict(
    check: Check, part: Part, output: tuple[Any, ...], args: Sequence[Any], keywords: Mapping[str, Any]
) -> tuple[Status, str]:
    if check.function is None:
        return _compared(check, output[0])
    said = check.function(part, *output, *args, **keywords)
    message = ""
    if isinstance(said, tuple) and len(said) == 2:
        said, message = said
    if said is None:
        return Status.PASSED, ""
    if type(said).__name__ not in ("bool", "bool_"):  # numpy's boolean is one, too
        told = f"it returned {type(said).__name__}: return True, False, (bool, message), or nothing after assertions"
        return Status.ERROR, told
    return (Status.PASSED if said else Status.FAILED), str(message)


def _compared(check: Check, returned: Any) -> tuple[Status, str]:
    try:
        value = conditions.inside(returned, check.metric)
    except KeyError as error:
        return Status.ERROR, f"{check.metric}: {error.args[0]}"
    broken = [str(bound) for bound in check.bounds if not bound.holds(value)]
    return (Status.FAILED if broken else Status.PASSED), f"{check.metric or 'the result'} is {value!r}"
