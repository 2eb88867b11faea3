"""Events: what a run is afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline import events
from mlpipeline.errors import IllegalTransition
from mlpipeline.run import TRANSITIONS, Cause, Run, State

from .sample_runs import NOW, run_in

RUN_ID = "20261121-040406-aaaaaa"
TOKEN = f"{RUN_ID}-1"
FINAL = [state for state in State if state.is_final]


def started(token: str = TOKEN, number: int = 1) -> events.Started:
    return events.Started(run_id=RUN_ID, number=number, token=token, at=NOW, pid=7)


def ended(state: State = State.SUCCEEDED, token: str = TOKEN, **more: Any) -> events.Ended:
    return events.Ended(run_id=RUN_ID, number=1, token=token, at=NOW, state=state, **more)


def applied(run: Run, *told: events.OfRun) -> Run:
    for event in told:
        after = events.apply(run, event)
        assert after is not None
        run = after
    return run


def test_a_start_is_noted_once() -> None:
    run = applied(run_in(State.SUBMITTED), started())
    assert (run.state, run.last.started_at) == (State.RUNNING, NOW)
    assert events.apply(run, started()) is None


def test_an_end_brings_everything_that_is_known_of_it() -> None:
    told = ended(State.FAILED, cause=Cause.EXCEPTION, message="no", exit_code=1, peak_memory_bytes=9, steps=3)
    last = applied(run_in(State.RUNNING), told).last
    assert (last.state, last.cause, last.message, last.exit_code) == (State.FAILED, Cause.EXCEPTION, "no", 1)
    assert (last.peak_memory_bytes, last.steps, last.ended_at) == (9, 3, NOW)


def test_an_end_whose_start_nobody_saw_is_both() -> None:
    run = applied(run_in(State.SUBMITTED), ended(started_at=NOW))
    assert (run.state, run.last.started_at, run.last.ended_at) == (State.SUCCEEDED, NOW, NOW)


def test_success_without_a_start_is_impossible() -> None:
    with pytest.raises(IllegalTransition):
        events.apply(run_in(State.SUBMITTED), ended())


@pytest.mark.parametrize("event", [started("stale"), started(number=2), ended(token="stale")])
def test_who_has_not_the_token_changes_nothing(event: events.OfRun) -> None:
    assert events.apply(run_in(State.SUBMITTED), event) is None


@pytest.mark.parametrize("first", FINAL)
@pytest.mark.parametrize("second", FINAL)
def test_there_is_one_end(first: State, second: State) -> None:
    run = applied(run_in(State.RUNNING), ended(first))
    if first is second:
        assert events.apply(run, ended(second)) is None
    else:
        with pytest.raises(IllegalTransition):
            events.apply(run, ended(second))


def test_a_block_is_reported_once() -> None:
    event = events.Reported(run_id=RUN_ID, number=1)
    assert events.apply(run_in(State.FAILED), event) is None, "the sample is reported already"
    run = applied(run_in(State.SUBMITTED), started(), ended(State.FAILED))
    assert run.last.reported
    assert events.apply(run, events.Reported(run_id=RUN_ID, number=9)) is None


def test_a_retry_is_asked_of_what_has_ended_and_once() -> None:
    event = events.RetryAsked(run_id=RUN_ID, at=NOW)
    run = applied(run_in(State.FAILED), event)
    assert run.retry_asked
    assert events.apply(run, event) is None
    assert events.apply(run_in(State.RUNNING), event) is None


TOLD = st.one_of(
    st.just(started()),
    st.just(started("stale")),
    st.builds(ended, st.sampled_from(FINAL), st.sampled_from([TOKEN, "stale"])),
    st.builds(lambda state: ended(state, started_at=NOW), st.sampled_from(FINAL)),
    st.just(events.RetryAsked(run_id=RUN_ID, at=NOW)),
)


@given(st.lists(TOLD, max_size=8))
def test_whatever_is_told_states_move_along_the_table_and_never_leave_an_end(told: list[events.OfRun]) -> None:
    run = run_in(State.SUBMITTED)
    for event in told:
        before = run.state
        try:
            run = events.apply(run, event) or run
        except IllegalTransition:
            assert before is not State.RUNNING
        reachable = TRANSITIONS[before] | {each for via in TRANSITIONS[before] for each in TRANSITIONS[via]}
        assert run.state is before or run.state in reachable
