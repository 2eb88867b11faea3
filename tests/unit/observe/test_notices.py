"""Notices: of what is new, once; gathered, so that nobody is flooded; kept until they have arrived."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mlpipeline.observe import notices, view
from mlpipeline.run import Attempt, Cause, Run, State
from tests.unit.sample_runs import NOW, run_in, sample_attempt, sample_run

UP = view.SchedulerLine(running=True, pid=12, host="h")
DOWN = view.SchedulerLine(running=False, host="h")
SINCE = NOW - timedelta(minutes=5)


def facts(live: list[Run] | None = None, ended: list[Run] | None = None, **more: Any) -> view.Facts:
    life = {run.last.directory: "alive" for run in live or []}
    return view.Facts(root="/p/demo", live=live or [], ended=ended or [], **({"life": life, "scheduler": UP} | more))


def scored(suffix: str, value: Any, metric: str = "accuracy", **more: Any) -> Run:
    attempt = replace(sample_attempt(f"20261121-040406-{suffix}"), metrics={"test": {metric: value}})
    return sample_run(suffix, attempt, version=suffix, **more)


def kinds(found: list[notices.Notice]) -> list[str]:
    return [each.kind for each in found]


def test_a_failure_is_told_once_with_where_to_look() -> None:
    failed = run_in(State.FAILED, cause=Cause.EXCEPTION, message="ValueError: no")
    notifier = notices.Notifier(SINCE)
    (told, _) = notifier.look(facts(ended=[failed]), NOW)
    assert (told.kind, told.run) == ("failed", failed.id)
    assert f"ValueError: no (mlpipeline logs {failed.id}.1)" in told.text
    assert notifier.look(facts(ended=[failed]), NOW) == []


def test_what_ended_before_is_not_told() -> None:
    notifier = notices.Notifier(NOW)
    assert notifier.look(facts(ended=[run_in(State.FAILED)]), NOW) == []


def test_a_lost_attempt_is_told_although_its_run_is_tried_again() -> None:
    run_id = "20261121-040406-aaaaaa"
    tries: list[Attempt] = [sample_attempt(run_id, 1, State.LOST), sample_attempt(run_id, 2, State.RUNNING)]
    assert kinds(notices.Notifier(SINCE).look(facts(live=[sample_run("aaaaaa", *tries)]), NOW)) == ["lost"]


def test_who_takes_over_tells_of_what_lived_when_somebody_looked_last_and_of_nothing_twice() -> None:
    late, told = run_in(State.FAILED, "aaaaaa"), run_in(State.FAILED, "bbbbbb")
    after = NOW + timedelta(hours=1)
    taken_over = notices.Notifier(after, late={(late.id, 1)})
    assert [each.run for each in taken_over.look(facts(ended=[told, late]), after)[:1]] == [late.id]
    young = notices.Notifier(SINCE, known={(told.id, 1)})
    assert [each.run for each in young.look(facts(ended=[told, late]), NOW) if each.run] == [late.id]


@pytest.mark.parametrize(
    ("metric", "before", "after", "is_best"),
    [
        ("accuracy", 0.8, 0.9, True),
        ("accuracy", 0.9, 0.8, False),
        ("accuracy", 0.9, 0.9, False),
        ("loss", 0.9, 0.8, True),
        ("loss", 0.8, 0.9, False),
        ("accuracy", 0.8, float("nan"), False),
        ("accuracy", 0.8, "inf", False),
        ("whatever", 0.8, 0.9, False),
    ],
)
def test_the_best_so_far_is_told_in_the_metrics_own_direction(
    metric: str, before: float, after: Any, is_best: bool
) -> None:
    notifier = notices.Notifier(SINCE)
    running = run_in(State.RUNNING, "zzzzzz")
    assert kinds(notifier.look(facts([running], [scored("aaaaaa", before, metric)]), NOW)) == []
    found = notifier.look(facts([running], [scored("bbbbbb", after, metric), scored("aaaaaa", before, metric)]), NOW)
    assert kinds(found) == (["best"] if is_best else [])


def test_earlier_runs_count_for_the_best_and_other_models_do_not() -> None:
    old = scored("aaaaaa", 0.95)
    notifier = notices.Notifier(old.last.ended_at + timedelta(seconds=1), [old])  # type: ignore[operator]
    later = NOW + timedelta(minutes=1)
    worse, other = (scored("bbbbbb", 0.9), scored("cccccc", 0.99, model="other.py"))
    ended = [replace(each, attempts=(replace(each.last, ended_at=later),)) for each in (worse, other)]
    assert kinds(notifier.look(facts([run_in(State.RUNNING, "zzzzzz")], ended), later)) == []


def test_a_stall_is_told_once_and_again_when_it_happens_again() -> None:
    run = run_in(State.RUNNING)
    silent, notifier = facts([run], silent={run.last.directory: 300.0}), notices.Notifier(SINCE)
    assert [kinds(notifier.look(each, NOW)) for each in (silent, silent, facts([run]), silent)] == [
        ["stalled"],
        [],
        [],
        ["stalled"],
    ]


def test_an_empty_queue_is_told_with_a_sum_and_only_after_it_had_been_open() -> None:
    notifier = notices.Notifier(SINCE)
    assert notifier.look(facts(), NOW) == []
    notifier.look(facts([run_in(State.RUNNING)]), NOW)
    assert notifier.look(facts(status={"counts": {"due": 1}}), NOW) == []
    (told,) = notifier.look(facts(ended=[run_in(State.SUCCEEDED)], status={"counts": {"done": 1}}), NOW)
    assert told.text == "the queue is empty: 1 succeeded"


def test_a_scheduler_that_is_gone_without_a_word_is_told_and_one_that_was_stopped_is_not() -> None:
    notifier, running = notices.Notifier(SINCE), [run_in(State.RUNNING)]
    assert kinds(notifier.gone(facts(running, status={"state": "stopped"}), NOW)) == []
    assert kinds(notifier.gone(facts(running, status={"state": "running"}), NOW)) == []  # another one works
    (told,) = notifier.gone(facts(running, status={"state": "running"}, scheduler=DOWN), NOW)
    assert told.text == "the scheduler is gone and did not say why; 1 run still going on"


def notice(number: int) -> notices.Notice:
    return notices.Notice(kind="failed", text=f"number {number}", at=NOW)


def test_there_is_one_message_in_so_many_seconds() -> None:
    pacing = notices.Pacing(60)
    assert not pacing.is_due(0)
    pacing.add([notice(1)])
    assert pacing.is_due(0)
    pacing.sent(0)
    pacing.add([notice(2)])
    assert [pacing.is_due(59), pacing.is_due(60)] == [False, True]


def test_what_has_not_arrived_is_kept_and_tried_later_and_later() -> None:
    pacing, now, waited = notices.Pacing(60), 0.0, []
    pacing.add([notice(1)])
    for _ in range(9):
        pacing.failed(now)
        waited.append(next(each for each in range(100_000) if pacing.is_due(now + each)))
        now += waited[-1]
    assert waited == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert len(pacing.waiting) == 1


def test_of_very_many_the_message_sums_up() -> None:
    pacing = notices.Pacing(60)
    pacing.add([notice(each) for each in range(1000)])
    told = notices.message(facts([run_in(State.RUNNING)]), pacing, NOW)
    assert told["title"] == "demo on h: 1000 failed"
    assert told["body"].splitlines()[:2] == ["988 earlier ones, and:", "number 988"]
    assert len(told["notices"]) == 200
