"""The picture: what the facts say, no more, whatever a model wrote into its files."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.observe import view
from mlpipeline.run import State
from tests.unit.sample_runs import NOW, run_in, sample_run

DOWN = view.SchedulerLine(running=False, host="h")
UP = view.SchedulerLine(running=True, pid=12, host="h", since=NOW - timedelta(minutes=3), state="idle")
STATUS = {
    "next": [{"model": "a.py", "version": "v", "replicate": 0, "verdict": "waiting", "reason": "for a slot"}],
    "counts": {"waiting": 1},
    "faults": ["models.config:3: unknown option"],
    "trouble": "the disk is full",
}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda each: st.lists(each, max_size=2)
)


def test_the_plan_of_a_scheduler_that_is_down_is_not_shown() -> None:
    shown = view.picture(view.Facts(root="/p", scheduler=DOWN, status=STATUS), NOW)
    assert (shown.next, shown.versions) == ((), {})
    assert shown.faults == ("models.config:3: unknown option",)


def test_the_plan_of_a_running_scheduler_is_shown_with_its_trouble() -> None:
    shown = view.picture(view.Facts(root="/p", scheduler=UP, status=STATUS), NOW)
    assert [line.reason for line in shown.next] == ["for a slot"]
    assert shown.warnings == ("the disk is full",)


def test_a_live_run_shows_its_progress_and_what_is_left() -> None:
    run = run_in(State.RUNNING)
    progress = {run.last.directory: {"step": 30, "total": 120, "rate": 10.0}}
    shown = view.picture(view.Facts(root="/p", scheduler=UP, live=[run], progress=progress), NOW)
    assert shown.running[0].progress.eta_seconds == 9.0
    assert shown.running[0].run.seconds == 59.0


@pytest.mark.parametrize(
    ("life", "word"), [("alive", "STALLED"), ("unknown", "running"), ("gone", "lost"), ("ended", "ended")]
)
def test_only_a_run_that_is_known_to_live_is_called_stalled(life: str, word: str) -> None:
    run = run_in(State.RUNNING)
    facts = view.Facts(
        root="/p", scheduler=UP, live=[run], life={run.last.directory: life}, silent={run.last.directory: 300.0}
    )
    (line,) = view.picture(facts, NOW).running
    assert line.word == word
    assert (line.stalled is None) is (life != "alive")


@given(st.dictionaries(st.sampled_from(["step", "total", "rate", "updated_at", "checkpoint_step"]), JSON_VALUES))
def test_no_progress_file_breaks_the_picture(content: dict[str, Any]) -> None:
    read = view.read_progress(content)
    assert read.step is None or float(read.step) == float(int(content["step"]))
    assert read.eta_seconds is None or read.eta_seconds >= 0


@pytest.mark.parametrize("rate", [0, -3.0, float("nan"), float("inf"), True, "fast"])
def test_a_rate_that_is_none_gives_no_estimate(rate: Any) -> None:
    assert view.read_progress({"step": 1, "total": 5, "rate": rate}).eta_seconds is None


def test_the_picture_is_json_for_programs() -> None:
    facts = view.Facts(root="/p", scheduler=UP, status=STATUS, ended=[sample_run()], counts={State.SUCCEEDED: 1})
    read = json.loads(json.dumps(view.picture(facts, NOW).to_json(), allow_nan=False))
    assert read["runs"] == {state.value: int(state is State.SUCCEEDED) for state in State}
    assert read["ended"][0]["metrics"]["test"] == {"accuracy": 0.97216}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (UP, "The scheduler runs (pid 12 on h), up for 3 min 00 s, idle."),
        (DOWN, "The scheduler is not running on h. Start it with: mlpipeline start"),
        (replace(DOWN, heard_at=NOW - timedelta(seconds=12)), "not running on h; last heard 12 s ago"),
    ],
)
def test_the_scheduler_is_described_in_a_sentence(line: view.SchedulerLine, told: str) -> None:
    assert told in view.scheduler_sentence(line, NOW)
