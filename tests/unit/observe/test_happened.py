"""What happened between two pictures: each thing once, in a line."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from mlpipeline.observe import happened, view
from mlpipeline.run import Cause, Run, State
from tests.unit.sample_runs import NOW, run_in

UP = view.SchedulerLine(running=True, pid=12, host="h")
LATER = NOW + timedelta(seconds=1)


def pictured(live: list[Run], ended: list[Run] | None = None, **more: Any) -> view.Picture:
    life = {run.last.directory: "alive" for run in live}
    facts = view.Facts(root="/p", scheduler=UP, live=live, ended=ended or [], life=life)
    return view.picture(replace(facts, **more), more.pop("at", NOW))


def told(before: view.Picture, after: view.Picture) -> list[str]:
    return list(happened.between(before, after))


def test_nothing_happened_between_a_picture_and_itself() -> None:
    picture = pictured([run_in(State.RUNNING)], [run_in(State.FAILED, "bbbbbb")], status={"faults": ["x"]})
    assert told(picture, picture) == []


def test_starts_and_ends_are_told_with_the_runs_name() -> None:
    running, failed = run_in(State.RUNNING), run_in(State.FAILED, "aaaaaa", Cause.EXCEPTION, "ValueError: no")
    assert told(pictured([]), pictured([running])) == [f"digits.py:wide running (run {running.id})"]
    (line,) = told(pictured([running]), pictured([], [failed]))
    assert line == f"digits.py:wide failed after 30 s (run {running.id}): ValueError: no"


def test_what_had_ended_long_before_is_not_told_when_it_comes_into_sight() -> None:
    assert told(pictured([]), pictured([], [run_in(State.FAILED)])) == []


def test_a_stall_and_its_end_are_told() -> None:
    run = run_in(State.RUNNING)
    stalled = pictured([run], silent={run.last.directory: 300.0})
    assert "STALLED: nothing done for 5 min 00 s" in told(pictured([run]), stalled)[0]
    assert "goes on" in told(stalled, pictured([run]))[0]


def test_a_scheduler_that_is_gone_is_told() -> None:
    down = pictured([], scheduler=view.SchedulerLine(running=False, host="h"))
    assert "not running" in told(pictured([]), down)[0]
