"""Runs: states, transitions, names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.errors import IllegalTransition, UsageError
from mlpipeline.run import TRANSITIONS, Cause, State, advance, counts, new_run_id, parse_reference, story

from .sample_runs import NOW, run_in, sample_attempt, sample_run


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_an_attempt_moves_exactly_as_the_table_says(before: State, after: State) -> None:
    run = run_in(before)
    if after in TRANSITIONS[before]:
        assert advance(run, 1, after).state is after
    else:
        with pytest.raises(IllegalTransition, match=f"attempt 1: {before.value} -> {after.value}"):
            advance(run, 1, after)


def test_nothing_follows_a_final_state() -> None:
    live = {State.SUBMITTED, State.RUNNING}
    assert {state for state in State if not state.is_final} == live


def test_an_illegal_transition_tells_the_whole_story() -> None:
    first = sample_attempt("20261121-040406-aaaaaa", 1, State.LOST, Cause.KILLED, "killed by signal 9")
    run = sample_run("aaaaaa", first, sample_attempt("20261121-040406-aaaaaa", 2))
    with pytest.raises(IllegalTransition) as caught:
        advance(run, 1, State.RUNNING)
    assert story(run) in str(caught.value)
    assert "attempt 1: lost" in story(run)
    assert "killed by signal 9" in story(run)
    assert "attempt 2: succeeded" in story(run)


def test_an_attempt_that_is_not_there_cannot_move() -> None:
    with pytest.raises(IllegalTransition, match="no such attempt"):
        advance(run_in(State.RUNNING), 2, State.FAILED)


def test_an_attempt_takes_time_from_its_start_to_its_end_or_to_now() -> None:
    minute = timedelta(minutes=1)
    fresh = replace(sample_attempt("r", state=State.SUBMITTED), started_at=None, ended_at=None)
    running = replace(fresh, started_at=NOW)
    assert (fresh.seconds, fresh.seconds_by(NOW)) == (None, None)
    assert (running.seconds, running.seconds_by(NOW + minute)) == (None, 60)
    assert running.seconds_by(NOW - minute) == 0  # the clock was set back
    ended = replace(running, ended_at=NOW + minute)
    assert ended.seconds == ended.seconds_by(NOW + 9 * minute) == 60


def test_what_was_asked_to_end_does_not_count_as_an_attempt() -> None:
    assert not counts(State.YIELDED, Cause.PREEMPTED)
    assert not counts(State.CANCELLED, Cause.CANCELLED)
    assert not counts(State.CANCELLED, Cause.INTERRUPTED)
    assert counts(State.LOST, Cause.KILLED)
    assert counts(State.FAILED, Cause.EXCEPTION)
    run_id = "20261121-040406-aaaaaa"
    states = (State.LOST, State.YIELDED, State.CANCELLED, State.RUNNING)
    attempts = (sample_attempt(run_id, number, state) for number, state in enumerate(states, 1))
    assert sample_run("aaaaaa", *attempts).counted_attempts == 2


def test_a_run_has_the_state_of_its_last_attempt() -> None:
    run = sample_run("aaaaaa", sample_attempt("x", 1, State.FAILED), sample_attempt("x", 2, State.RUNNING))
    assert run.state is State.RUNNING
    assert run.last.number == 2
    with pytest.raises(IndexError):
        _ = replace(run, attempts=()).last


@given(st.integers(0, 4_000_000_000), st.binary(min_size=4, max_size=16), st.integers(1, 99))
def test_a_new_id_is_a_reference_to_itself(seconds: int, random: bytes, number: int) -> None:
    run_id = new_run_id(datetime.fromtimestamp(seconds, UTC), random)
    assert len(run_id) == len("yyyymmdd-hhmmss-abcdef")
    assert parse_reference(run_id) == (run_id, None)
    assert parse_reference(f"{run_id}.{number}") == (run_id, number)
    assert parse_reference(run_id[:12]) == (run_id[:12], None)


@pytest.mark.parametrize("text", ["", "digits.py", "20261121-040406-aaaaaa.x", "20261121-040406-AAAAAA", "2026%", "-1"])
def test_what_is_no_reference_is_refused_and_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(UsageError, match="ids look like"):
        parse_reference(text)
