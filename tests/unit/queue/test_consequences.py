"""What an edit of the models config means for what is running, told in a line each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlpipeline.model_options import ModelOptions
from mlpipeline.queue.consequences import consequences
from mlpipeline.run import State
from mlpipeline.selection import Listed, Selection
from tests.unit.sample_runs import run_in

RUN = run_in(State.RUNNING)
CANCEL = f"its running attempt of wide goes on; end it with: mlpipeline cancel {RUN.id}"


def listed(*models: Listed) -> Selection:
    return Selection(file="models.config", digest="", models=models)


def digits(**options: object) -> Listed:
    return Listed(model="digits.py", options=ModelOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (listed(), f"digits.py is removed: {CANCEL}"),
        (listed(digits(hold=True)), f"digits.py is held: {CANCEL}"),
        (listed(replace(digits(), fault="no such model")), f"digits.py has a fault: {CANCEL}"),
        (listed(digits(skip=("wide",))), f"digits.py is listed without wide, replicate 0: {CANCEL}"),
        (listed(digits(only=("deep",))), f"digits.py is listed without wide, replicate 0: {CANCEL}"),
        (
            listed(digits(timeout_seconds=9.0)),
            "digits.py runs on; its new timeout_seconds holds from the next attempt",
        ),
        (listed(digits(threads=2, gpus=1)), "digits.py runs on; its new threads, gpus hold from the next attempt"),
    ],
)
def test_what_goes_on_is_said(after: Selection, told: str) -> None:
    assert consequences(listed(digits()), after, [RUN]) == [told]


@pytest.mark.parametrize(
    "after", [digits(), digits(priority=3, max_attempts=5, not_after=60), digits(only=("wide",)), digits(replicates=2)]
)
def test_what_concerns_later_starts_alone_needs_no_word(after: Listed) -> None:
    assert consequences(listed(digits()), listed(after), [RUN]) == []


def test_a_seed_that_is_no_longer_wanted_goes_on() -> None:
    third = replace(RUN, replicate=2)
    (line,) = consequences(listed(digits(replicates=3)), listed(digits(replicates=2)), [RUN, third])
    assert line.startswith("digits.py is listed without wide, replicate 2:")


def test_what_does_not_run_needs_no_word() -> None:
    old = listed(digits(), Listed(model="other.py"))
    assert consequences(old, listed(digits()), [RUN]) == []
    assert consequences(old, listed(), []) == []
    assert consequences(listed(), listed(digits(hold=True)), [RUN]) == [], "left from before it was listed"


def test_several_runs_of_a_model_are_told_of_their_options_once() -> None:
    runs = [RUN, run_in(State.RUNNING, "bbbbbb", version="deep")]
    assert len(consequences(listed(digits()), listed(digits(threads=2)), runs)) == 1
    assert len(consequences(listed(digits()), listed(), runs)) == 2
