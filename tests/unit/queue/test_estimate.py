"""When something starts: reckoned from what is known, and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from mlpipeline.durations import Estimate, remaining
from mlpipeline.ledger import Key, Standing
from mlpipeline.model_options import ModelOptions
from mlpipeline.queue import estimate
from mlpipeline.queue.verdicts import FOR_A_SLOT, Item, Verdict, Wanted
from mlpipeline.run import Cause, State
from tests.unit.sample_runs import NOW

TOOK = {"lm.py": 600.0, "b.py": 60.0}


def item(model: str, version: str, verdict: Verdict, reason: str, after: tuple[str, ...] = ()) -> Item:
    wanted = Wanted(
        model=model,
        version=version,
        replicate=0,
        seed=1,
        key=Key(model, version, 0, "", ""),
        options=ModelOptions(after=after),
        position=0,
        rank=0,
        model_dir=f"{model}-{version}",
    )
    standing = None
    if verdict is Verdict.RUNNING:
        standing = Standing(
            run_id=version,
            state=State.RUNNING,
            cause=Cause.NONE,
            counted_attempts=1,
            attempts=1,
            ended_at=None,
            retry_asked=False,
            message="",
        )
    return Item(wanted, verdict, reason, None, standing)


def due(model: str, version: str) -> Item:
    return item(model, version, Verdict.DUE, FOR_A_SLOT)


def running(model: str, version: str) -> Item:
    return item(model, version, Verdict.RUNNING, "runs")


def start(items: list[Item], target: Item, slots: int = 1, elapsed: Mapping[str, float] | None = None) -> Any:
    def whole(item: Item) -> Estimate | None:
        seconds = TOOK.get(item.wanted.model)
        return None if seconds is None else Estimate(seconds, seconds, seconds, 20)

    def takes(item: Item) -> Estimate | None:
        if item.standing is None:
            return whole(item)
        passed = (elapsed or {}).get(item.standing.run_id)
        return None if passed is None else remaining(whole(item), passed)

    return estimate.start(items, target, slots=slots, takes=takes, whole=whole, now=NOW)


def seconds(items: list[Item], target: Item, slots: int = 1, elapsed: Mapping[str, float] | None = None) -> Any:
    found = start(items, target, slots, elapsed)
    return None if found is None else found.within.seconds


def test_one_slot_after_another() -> None:
    items = [running("lm.py", "a"), due("lm.py", "b"), due("x.py", "t"), due("b.py", "later")]
    found = start(items, items[2], elapsed={"a": 100.0})
    assert found.within.span == (1100.0, 1100.0, 1100.0)
    assert found.ahead == (estimate.Ahead(model="lm.py", count=2, shortest=600.0, longest=600.0),)


def test_two_slots_side_by_side() -> None:
    items = [running("lm.py", "a"), running("b.py", "c"), due("b.py", "d"), due("x.py", "t")]
    assert seconds(items, items[3], slots=2, elapsed={"a": 0.0, "c": 0.0}) == 120.0


def test_after_a_model_means_after_its_last_version() -> None:
    waiting = item("x.py", "t", Verdict.WAITING, "waits for lm.py", after=("lm.py",))
    items = [running("b.py", "a"), waiting, due("lm.py", "b"), due("lm.py", "c")]
    assert seconds(items, waiting, elapsed={"a": 10.0}) == 50.0 + 1200.0
    assert [each.wanted.version for each in estimate.before(items, waiting)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("items", "elapsed"),
    [
        ([running("unknown.py", "a"), due("x.py", "t")], {"a": 1.0}),  # never ran to its end
        ([running("b.py", "a"), due("x.py", "t")], {"a": 61.0}),  # takes longer than usual
        ([running("b.py", "a"), due("x.py", "t")], {}),  # on another host, say
        ([item("b.py", "a", Verdict.DUE, "next"), item("x.py", "t", Verdict.DUE, "the queue is paused")], {}),
        ([due("b.py", "a"), item("x.py", "t", Verdict.HELD, "held")], {}),
        ([due("b.py", "a"), item("x.py", "t", Verdict.WAITING, "waits for 22:00")], {}),
        (
            [
                item("b.py", "a", Verdict.FAILED, "failed"),
                due("b.py", "b"),
                item("x.py", "t", Verdict.WAITING, "waits for b.py", after=("b.py",)),
            ],
            {},
        ),
    ],
)
def test_what_is_not_known_is_not_said(items: list[Item], elapsed: dict[str, float]) -> None:
    assert seconds(items, items[-1], elapsed=elapsed) is None


OPEN = [
    due("a.py", "v"),
    item("a.py", "paused", Verdict.DUE, "the queue is paused"),
    item("a.py", "used", Verdict.WAITING, "its model directory is in use"),
    item("a.py", "after", Verdict.WAITING, "waits for b.py", after=("b.py",)),
    item("a.py", "night", Verdict.WAITING, "waits for 22:00")._replace(until=NOW + timedelta(hours=1)),
]
SHUT = [
    item("a.py", "held", Verdict.HELD, "held"),
    item("a.py", "done", Verdict.DONE, "done"),
    item("a.py", "failed", Verdict.FAILED, "failed: no"),
    item("a.py", "faulty", Verdict.WAITING, "its file has a fault"),
    item("a.py", "never", Verdict.WAITING, "waits for b.py, which failed", after=("b.py",)),
    item("a.py", "there", Verdict.WAITING, "on host b since now"),
]


def test_what_starts_by_itself_is_open() -> None:
    assert [estimate.is_open(each) for each in (*OPEN, *SHUT)] == [True] * len(OPEN) + [False] * len(SHUT)


def test_works_are_what_runs_and_what_is_open_each_not_before_its_time() -> None:
    items = [*OPEN, *SHUT, running("b.py", "r")]
    works = estimate.works(items, lambda each: None, NOW)
    assert [work.kind[1] for work in works] == ["r", *(each.wanted.version for each in OPEN)]
    assert [work.after for work in works] == [0.0] * 5 + [3600.0]


def test_what_is_open_is_told_in_short_and_far_down_by_models_alone() -> None:
    many = [due("m.py", str(number % 60)) for number in range(120)]
    told = estimate.in_short([*OPEN, *SHUT, running("b.py", "r"), *many])
    assert [each["version"] for each in told[:5]] == [each.wanted.version for each in OPEN]
    assert [each for each in told if "until" in each] == [
        {"model": "a.py", "version": "night", "count": 1, "until": (NOW + timedelta(hours=1)).isoformat()}
    ]
    assert told[-1] == {"model": "m.py", "version": "", "count": 30}
    assert sum(each["count"] for each in told) == len(OPEN) + 120
    assert len(told) == 51


def test_what_is_open_tells_its_size() -> None:
    wanted = replace(due("a.py", "v").wanted, params={"epoc_count": 5, "batch_size": 32, "name": "v"})
    (told,) = estimate.in_short([due("a.py", "v")._replace(wanted=wanted)])
    assert told == {"model": "a.py", "version": "v", "count": 1, "epochs": 5.0, "batch": 32.0}
