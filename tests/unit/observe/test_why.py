"""Sentences: every fact that is known stands in them, and nothing that is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mlpipeline.durations import Estimate
from mlpipeline.observe import text, view, why
from mlpipeline.observe.progress import Progress
from mlpipeline.run import Cause, State
from tests.unit.sample_runs import NOW, run_in

KNOWN = Progress(step=30, total=120, checkpoint_step=20, eta_seconds=9.0)
MONTH = Estimate(30 * 86400, 29 * 86400, 31 * 86400, runs=3, source="model")


@pytest.mark.parametrize(
    ("state", "cause", "told"),
    [
        (State.SUCCEEDED, Cause.NONE, "succeeded 29 s ago after 120 steps: test accuracy 0.9722"),
        (State.FAILED, Cause.EXCEPTION, "failed 29 s ago after 120 steps: it broke. It runs again when"),
        (State.FAILED, Cause.TIME_LIMIT, "raise timeout_seconds, or train less"),
        (State.CANCELLED, Cause.INTERRUPTED, "goes on from its last checkpoint"),
        (State.LOST, Cause.KILLED, "tried again until max_attempts"),
        (State.RUNNING, Cause.NONE, "has been running for 59 s."),
        (State.SUBMITTED, Cause.NONE, "has not started yet"),
    ],
)
def test_why_a_run_is_as_it_is(state: State, cause: Cause, told: str) -> None:
    assert told in why.why_run(run_in(state, cause=cause, message="it broke"), NOW)


def test_a_run_whose_retry_was_asked_for_says_so() -> None:
    run = replace(run_in(State.FAILED), retry_asked=True)
    assert "A retry was asked for" in why.why_run(run, NOW)


def test_a_run_at_work_says_how_far_it_is() -> None:
    told = why.why_run(run_in(State.RUNNING), NOW, why.Details(progress=KNOWN))
    assert told.endswith("has been running for 59 s: step 30 of 120, last checkpoint at step 20, about 9.0 s left.")
    told = why.why_run(run_in(State.RUNNING), NOW, why.Details(progress=KNOWN, left=Estimate(720, 600, 900)))
    assert told.endswith("last checkpoint at step 20, about 12 min (10 min to 15 min) left.")
    told = why.why_run(run_in(State.RUNNING), NOW, why.Details(left=Estimate(0, 0, 9, is_late=True)))
    assert told.endswith("has been running for 59 s: longer than usual.")


def test_a_run_that_ended_badly_names_its_last_checkpoint_or_says_that_there_is_none() -> None:
    run = run_in(State.FAILED, cause=Cause.EXCEPTION, message="ValueError: no (models/a.py:3), at step 120")
    told = why.why_run(run, NOW, why.Details(progress=KNOWN))
    assert "failed 29 s ago: ValueError: no (models/a.py:3), at step 120. Its last checkpoint is of step 20." in told
    assert "It left no checkpoint." in why.why_run(run, NOW, why.Details(progress=Progress()))
    assert "checkpoint" not in why.why_run(run, NOW)


def test_parameters_that_a_policy_changed_are_told() -> None:
    run = run_in(State.FAILED, cause=Cause.OUT_OF_MEMORY)
    changed = replace(run, attempts=(replace(run.last, changes={"batch_size": 16}),))
    assert "It ran with batch_size = 16 instead of the version's own." in why.why_run(changed, NOW)
    done = replace(run_in(State.SUCCEEDED), attempts=(replace(run_in(State.SUCCEEDED).last, changes={"depth": 9}),))
    assert "It ran with depth = 9 instead of the version's own." in why.why_run(done, NOW)


def test_a_run_that_another_one_followed_gives_no_advice() -> None:
    newer = run_in(State.SUCCEEDED, "bbbbbb")
    told = why.why_run(run_in(State.FAILED, message="no"), NOW, why.Details(followed_by=newer))
    assert told.endswith(f"Run {newer.id} of the same version came after it: it succeeded.")


def test_the_plans_word_takes_the_place_of_general_advice() -> None:
    told = why.why_run(run_in(State.LOST, message="gone"), NOW, why.Details(outlook="It is tried again at noon."))
    assert told.endswith("gone. It is tried again at noon.")


def test_what_changed_is_listed_with_the_run_since_which() -> None:
    run = run_in(State.SUCCEEDED)
    assert why.since(["a changed"], run) == f"a changed since run {run.id} succeeded (test accuracy 0.9722)"
    assert why.since(["a", "b", "c"], run).startswith("a, b and c since run ")
    assert why.since([str(n) for n in range(9)], run).startswith("0, 1, 2, 3, 4 and 4 more since run ")


def test_no_change_at_all_is_blamed_on_the_digest() -> None:
    told = why.since([], run_in(State.LOST))
    assert told.startswith("nothing but how another Python or mlpipeline digests the code")
    assert told.endswith("was lost")


def wish(**more: Any) -> why.Wish:
    return why.Wish(**{"title": "a.py:v", "verdict": "due", "reason": "next", **more})


def test_a_version_that_is_due_again_says_what_changed_and_how_to_run_it() -> None:
    told = why.why_wish(wish(stale="x changed since run 1 succeeded", is_served=False), NOW)
    assert told == "a.py:v is due: x changed since run 1 succeeded. It runs with: mlpipeline -r -u"


def test_a_version_that_waits_for_a_slot_says_behind_whom_since_when_and_until_when() -> None:
    at = NOW + timedelta(minutes=25)
    between = (at - timedelta(minutes=5), at + timedelta(minutes=9))
    start = why.Start(at=at, between=between, ahead=[("lm.py", 2, 720.0, 720.0), ("b.py", 1, 60.0, 60.0)])
    behind = ["lm.py:a (running for 59 s)", "lm.py:b", "b.py:c"]
    told = why.why_wish(wish(reason="waits for a slot", behind=behind, listed_at=NOW, start=start, takes=MONTH), NOW)
    assert told == (
        "a.py:v is due: waits for a slot. Before it: lm.py:a (running for 59 s), lm.py:b, b.py:c. "
        f"It has been listed since {text.clock(NOW, NOW)}. It starts at about {text.clock(at, NOW)} "
        f"({text.clock(between[0], NOW)} to {text.clock(between[1], NOW)}), "
        "after 2 versions of lm.py, which take about 12 min each, 1 version of b.py, which takes about 1 min. "
        "It takes about 30 d 0 h (29 d 0 h to 31 d 0 h), by 3 earlier runs of other versions of a.py."
    )


def test_versions_that_take_different_times_are_told_by_both_ends() -> None:
    start = why.Start(at=NOW, between=(NOW, NOW), ahead=[("lm.py", 3, 60.0, 7200.0)])
    told = why.why_wish(wish(reason="waits for a slot", start=start), NOW)
    assert f"at about {text.clock(NOW, NOW)}, after 3 versions of lm.py, which take about 1 min to 2 h each." in told


def test_a_long_line_before_it_is_cut() -> None:
    told = why.why_wish(wish(reason="waits for a slot", behind=[f"m.py:{n}" for n in range(8)]), NOW)
    assert "Before it: m.py:0, m.py:1, m.py:2, m.py:3, m.py:4 and 3 more." in told


def test_a_known_moment_is_said_with_how_long_that_is() -> None:
    until = NOW + timedelta(hours=2)
    told = why.why_wish(wish(verdict="waiting", reason="waits for 22:00", until=until), NOW)
    assert told == f"a.py:v is waiting: waits for 22:00 (at {text.clock(until, NOW)}, in 2 h 00 min)."


def test_what_is_held_says_by_whom_and_what_has_changed_meanwhile() -> None:
    told = why.why_wish(wish(verdict="held", reason="held by me: mlpipeline release a.py", stale="x changed"), NOW)
    assert told == "a.py:v is held by me: mlpipeline release a.py. X changed."


@pytest.mark.parametrize(
    ("life", "silent", "told"),
    [
        ("alive", None, "has been running for 59 s: step 30 of 120"),
        ("alive", 300.0, "is STALLED: no step, no output, no processor time for 5 min: step 30 of 120"),
        ("gone", None, "is lost: its processes are gone"),
        ("ended", None, "has ended; a scheduler that runs records"),
    ],
)
def test_what_became_of_a_run_is_told_by_its_own_files(life: str, silent: float | None, told: str) -> None:
    run = run_in(State.RUNNING)
    line = view.LiveLine(run=view.run_line(run, NOW), progress=KNOWN, now=life, stalled=silent)
    sentence = why.why_run(run, NOW, why.Details(progress=KNOWN, live=line))
    assert told in sentence
    assert ("left" in sentence) is ((life == "alive" and silent is None) or life == "gone")
