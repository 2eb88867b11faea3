"""What a node's supervisor says of an end that the engine had a hand in."""

from __future__ import annotations

from typing import Any

import pytest

from mlpipeline.execution.node_verdict import ABANDON, Facts, skew, told

_WARNED = "Slurm asked for its place (SIGTERM)"
_ENGINE = {"seconds": 60.0, "notice_seconds": 10.0, "setting": "`time` in [SLURM]"}


def facts(**changed: Any) -> Facts:
    given: dict[str, Any] = {"engine": _ENGINE, "name": "Slurm", "node": "n1", "asked": "", "noticed": "", "words": ""}
    return Facts(**(given | {"seconds": 1.0, "memory": 0} | changed))


def outcome(state: str, cause: str = "none") -> dict[str, Any]:
    return {"state": state, "cause": cause, "message": "as it was"}


@pytest.mark.parametrize(
    ("before", "changed", "state", "cause", "message"),
    [
        (("failed", "exception"), {}, "failed", "exception", "as it was"),
        (("failed", "exception"), {"noticed": _WARNED}, "failed", "exception", "as it was"),
        (("succeeded", "none"), {"noticed": _WARNED, "asked": ABANDON}, "succeeded", "none", "as it was"),
        (("lost", "killed"), {"asked": ABANDON}, "lost", "lost_supervisor", "lost sight of it, and it was ended on n1"),
        (("failed", "out_of_memory"), {"memory": 2**30}, "failed", "memory_limit", "raise `memory` in [SLURM]"),
        (("failed", "out_of_memory"), {}, "failed", "out_of_memory", "as it was"),
        (("yielded", "none"), {"noticed": _WARNED}, "yielded", "preempted", "asked for its place"),
        (("cancelled", "cancelled"), {"noticed": _WARNED}, "cancelled", "cancelled", "as it was"),
        (("lost", "killed"), {"noticed": _WARNED}, "lost", "preempted", "no checkpoint in time"),
        (("lost", "killed"), {"noticed": _WARNED, "seconds": 46}, "failed", "time_limit", "raise `time` in [SLURM]"),
        (
            *(("lost", "killed"), {"noticed": _WARNED, "words": "JobId=1 Reason=TimeLimit"}),
            *("failed", "time_limit", "time limit of 60 s"),
        ),
        (("lost", "killed"), {"noticed": _WARNED, "words": "PreemptTime=None"}, "lost", "killed", "not by this queue"),
    ],
)
def test_an_end_is_told_with_what_the_engine_did(
    before: tuple[str, str], changed: dict[str, Any], state: str, cause: str, message: str
) -> None:
    found = told(outcome(*before), facts(**changed))
    assert (found["state"], found["cause"]) == (state, cause)
    assert message in found["message"]


def test_a_clock_that_is_behind_is_told_of() -> None:
    submitted = "2026-11-22T06:00:10.000000+00:00"
    assert skew(submitted, "2026-11-22T06:00:10.100000+00:00", "n1") == []
    assert skew(submitted, "2026-11-22T06:00:09.000000+00:00", "n1") == []
    assert skew(submitted, "2026-11-22T05:59:40.000000+00:00", "n1") == [
        "the clock of n1 is at least 30 s behind that of the scheduler"
    ]
