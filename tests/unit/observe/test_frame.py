"""The picture as lines: whole at every size, loud where somebody should look, safe whatever a model calls itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.observe import frame, view
from mlpipeline.observe.usage import Usage
from mlpipeline.run import Cause, Run, State
from tests.unit.sample_runs import NOW, run_in

UP = view.SchedulerLine(running=True, pid=12, host="h", since=NOW - timedelta(minutes=3), slots=3)
DOWN = view.SchedulerLine(running=False, host="h", heard_at=NOW - timedelta(minutes=2))


def pictured(*runs: Run, scheduler: view.SchedulerLine = UP, **more: Any) -> view.Picture:
    """Returns the picture of runs that are 30 of 120 steps far."""
    progress = {run.last.directory: {"step": 30, "total": 120, "rate": 10.0} for run in runs}
    facts = {"life": {run.last.directory: "alive" for run in runs}, "progress": progress} | more
    return view.picture(view.Facts(root="/p/demo", scheduler=scheduler, live=runs, **facts), NOW)


def shown(picture: view.Picture, width: int = 80, height: int = 24) -> str:
    return "\n".join(line.plain for line in frame.whole(picture, width, height))


def suffixes(count: int) -> list[str]:
    return ["".join("abcdefghij"[int(digit)] for digit in f"{number:06d}") for number in range(count)]


def test_a_run_is_shown_with_a_bar_how_far_it_is_and_its_last_metrics() -> None:
    run = run_in(State.RUNNING)
    told = shown(pictured(run, latest={run.last.directory: {"loss": 0.125}}))
    assert "demo · 1 running of 3 slots" in told
    assert "━━" in told
    assert "25%  30/120  10/s" in told
    assert "loss 0.125" in told


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"life": "gone"}, "LOST"),
        ({"silent": 300.0}, "STALLED"),
        ({"status": {"started_at": (NOW - timedelta(seconds=5)).isoformat()}}, "ADOPTED"),
    ],
)
def test_what_is_odd_about_a_run_is_said_as_such(facts: dict[str, Any], word: str) -> None:
    run = run_in(State.RUNNING)
    facts = {name: {run.last.directory: value} if name != "status" else value for name, value in facts.items()}
    assert f"  {word}  " in shown(pictured(run, **facts))


def test_held_versions_and_faults_are_said_as_such() -> None:
    held = {"model": "a.py", "version": "v", "verdict": "held", "reason": "held by you"}
    told = shown(pictured(status={"next": [held], "faults": ["models.config:3: unknown option"]}))
    assert "a.py:v  HELD" in told
    assert "1 faulty" in told
    assert "faulty: models.config:3: unknown option" in told


def test_without_a_scheduler_it_says_since_when_and_what_goes_on() -> None:
    told = shown(pictured(run_in(State.RUNNING), scheduler=DOWN), width=200)
    assert "not running on h; last heard 2 min 00 s ago" in told
    assert "1 run goes on without it" in told


def test_those_that_somebody_should_look_at_come_first() -> None:
    runs = [run_in(State.RUNNING, each, version=each) for each in suffixes(200)]
    told = shown(pictured(*runs, silent={runs[-1].last.directory: 300.0}), height=20).splitlines()
    assert runs[-1].version in told[3]
    assert len(told) == 20
    assert "… and 184 more" in told[-1]


def test_what_is_lost_stalled_or_over_is_counted_first() -> None:
    runs = [run_in(State.RUNNING, each, version=each) for each in suffixes(4)]
    life = {run.last.directory: word for run, word in zip(runs, ("gone", "ended", "alive", "alive"), strict=True)}
    told = shown(pictured(*runs, life=life, silent={runs[2].last.directory: 300.0}))
    assert "demo · 2 running of 3 slots · 1 LOST · 1 STALLED · 1 ended" in told
    assert told.count(" for ") == 1, "of those that are over it is not known how long they took"


def test_a_wide_terminal_shows_what_a_run_takes_of_the_machine() -> None:
    run = run_in(State.RUNNING)
    picture = pictured(run, usage={run.last.directory: Usage(2**30, 1.5, 3 * 2**30)})
    assert "1.0 GiB  1.5 cores  GPU 3.0 GiB" in shown(picture, width=120)
    assert "GiB" not in shown(picture)


def test_a_stalled_run_is_given_no_time_to_its_end() -> None:
    run = run_in(State.RUNNING)
    told = shown(pictured(run, silent={run.last.directory: 300.0}))
    assert "silent 5 min" in told
    assert "left" not in told


def test_text_of_a_model_is_no_markup_and_no_escape_code() -> None:
    run = run_in(State.RUNNING, model="[red]x[/red].py\x1b[31m", version="<script>")
    failed = run_in(State.FAILED, "bbbbbb", Cause.EXCEPTION, "\x1b]0;title\x07bad\nworse")
    told = shown(pictured(run, ended=[failed]), width=120)
    assert "[red]x[/red].py:<script>" in told
    assert "bad worse" in told
    assert "\x1b" not in told


NAMES = st.text(min_size=1, max_size=60)


@given(st.lists(NAMES, max_size=12), st.integers(20, 220), st.integers(6, 60), st.booleans())
def test_no_line_is_wider_than_the_terminal_and_no_frame_higher(
    names: list[str], width: int, height: int, is_region: bool
) -> None:
    runs = [run_in(State.RUNNING, each, version=name) for each, name in zip(suffixes(12), names, strict=False)]
    waiting = [{"model": each, "version": "v", "verdict": "due", "reason": each} for each in names]
    latest = {run.last.directory: {"loss": 0.5, "a long name of a metric": 1.0} for run in runs}
    picture = pictured(*runs, status={"next": waiting}, ended=[run_in(State.SUCCEEDED, "zzzzzz")], latest=latest)
    lines = (frame.region if is_region else frame.whole)(picture, width, height)
    assert all(line.cell_len < width for line in lines)
    assert len(lines) <= height
