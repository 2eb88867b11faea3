"""When something starts: reckoned from what is known, and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from mlpipeline.ledger import Key, Standing
from mlpipeline.model_options import ModelOptions
from mlpipeline.queue import estimate
from mlpipeline.queue.verdicts import FOR_A_SLOT, Item, Verdict, Wanted
from mlpipeline.run import Cause, State
from tests.unit.sample_runs import NOW, run_in, sample_attempt, sample_run

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
    found = estimate.start(items, target, slots=slots, elapsed=elapsed or {}, typical=TOOK.get)
    return None if found is None else found.in_seconds


def test_one_slot_after_another() -> None:
    items = [running("lm.py", "a"), due("lm.py", "b"), due("x.py", "t"), due("b.py", "later")]
    found = estimate.start(items, items[2], slots=1, elapsed={"a": 100.0}, typical=TOOK.get)
    assert found == estimate.Start(
        in_seconds=500.0 + 600.0, ahead=(estimate.Ahead(model="lm.py", count=2, seconds_each=600.0),)
    )


def test_two_slots_side_by_side() -> None:
    items = [running("lm.py", "a"), running("b.py", "c"), due("b.py", "d"), due("x.py", "t")]
    assert start(items, items[3], slots=2, elapsed={"a": 0.0, "c": 0.0}) == 120.0


def test_after_a_model_means_after_its_last_version() -> None:
    waiting = item("x.py", "t", Verdict.WAITING, "waits for lm.py", after=("lm.py",))
    items = [running("b.py", "a"), waiting, due("lm.py", "b"), due("lm.py", "c")]
    assert start(items, waiting, elapsed={"a": 10.0}) == 50.0 + 1200.0
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
    assert start(items, items[-1], elapsed=elapsed) is None


def test_a_run_takes_all_its_attempts() -> None:
    twice = sample_run("bbbbbb", sample_attempt("r", 1, State.LOST), sample_attempt("r", 2))
    assert estimate.typical_seconds([twice]) == 60.0
    assert estimate.typical_seconds([twice, sample_run(), sample_run()]) == 30.0
    assert estimate.typical_seconds([run_in(State.SUBMITTED)]) is None
    assert sample_attempt("r").started_at == NOW - timedelta(seconds=59)
