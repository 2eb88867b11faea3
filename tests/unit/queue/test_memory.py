"""Runs start side by side as far as there is memory for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mlpipeline.execution.machine import Memory
from mlpipeline.ledger import Key, Ledger
from mlpipeline.model_options import ModelOptions
from mlpipeline.project import Project
from mlpipeline.queue import memory as queue_memory
from mlpipeline.queue.memory import MOST_PASSED, MOST_WAITING, Held, Lending, Need, usual
from mlpipeline.queue.verdicts import Wanted, seed_of

GB = 10**9
MACHINE = Memory(total=20 * GB, available=11 * GB)  # one of them is the floor


def wish(model: str) -> Wanted:
    seed = seed_of(model, "v", 0)
    return Wanted(
        model=model,
        version="v",
        replicate=0,
        seed=seed,
        key=Key(model, "v", 0, "params", "code"),
        options=ModelOptions(),
        position=0,
        rank=0,
        model_dir=model,
    )


def lending(
    needs: Mapping[str, float],
    held: tuple[Held, ...] = (),
    passed: dict[Key, int] | None = None,
    memory: Memory = MACHINE,
) -> Lending:
    def need(wanted: Wanted) -> Need:
        return Need(int(needs[wanted.model] * GB), "as its last runs")

    return Lending(lambda: memory, held, need, {} if passed is None else passed)


def test_what_fits_starts_and_what_does_not_waits_with_the_numbers() -> None:
    found = lending({"a": 6, "b": 6, "c": 3})
    assert found.lend(wish("a")) is None
    refusal = found.lend(wish("b"))
    assert refusal is not None
    assert refusal.is_ours
    assert refusal.reason == "waits for memory: needs 6.0 GB (as its last runs), 4.0 GB of 20.0 GB can be had"
    assert found.lend(wish("c")) is None


def test_one_may_always_start_where_nothing_runs() -> None:
    assert lending({"a": 50}).lend(wish("a")) is None
    assert lending({"a": 50}, (Held(0, lambda: GB),)).lend(wish("a")) is not None


def test_what_live_runs_will_still_take_is_theirs() -> None:
    growing = Held(8 * GB, lambda: 2 * GB)
    assert lending({"a": 5}, (growing,)).lend(wish("a")) is not None
    assert lending({"a": 4}, (growing,)).lend(wish("a")) is None
    grown = Held(8 * GB, lambda: 9 * GB)
    assert lending({"a": 10}, (grown,)).lend(wish("a")) is None


def test_nothing_known_needs_nothing() -> None:
    found = lending({"a": 0, "b": 0}, (Held(0, lambda: GB),))
    assert found.lend(wish("a")) is None
    assert found.lend(wish("b")) is None
    full = lending({"a": 0}, (Held(0, lambda: GB),), memory=with_available(0))
    assert full.lend(wish("a")) is not None, "the floor stays free"


def with_available(available: int) -> Memory:
    return MACHINE._replace(available=available)


def test_what_lacks_something_else_gives_its_memory_back() -> None:
    found = lending({"a": 6, "b": 6}, (Held(0, lambda: GB),))
    assert found.lend(wish("a")) is None
    found.take_back(wish("a"))
    assert found.lend(wish("b")) is None


def test_a_large_one_lets_only_so_many_pass() -> None:
    passed: dict[Key, int] = {}
    needs = {"large": 12, "small": 1}
    held = (Held(0, lambda: GB),)
    for _ in range(MOST_PASSED):
        turn = lending(needs, held, passed)
        assert turn.lend(wish("large")) is not None
        assert turn.lend(wish("small")) is None
    turn = lending(needs, held, passed)
    assert turn.lend(wish("large")) is not None
    refusal = turn.lend(wish("small"))
    assert refusal is not None
    assert "after large:v" in refusal.reason
    alone = lending(needs, (), passed)
    assert alone.lend(wish("large")) is None
    assert alone.lend(wish("small")) is not None
    assert wish("large").key not in passed


def test_a_long_queue_that_waits_is_not_asked_to_its_end() -> None:
    asked: list[str] = []

    def need(wanted: Wanted) -> Need:
        asked.append(wanted.model)
        return Need(50 * GB, "as its last runs")

    found = Lending(lambda: MACHINE, (Held(0, lambda: GB),), need, {})
    refusals = [found.lend(wish(str(number))) for number in range(MOST_WAITING + 50)]
    assert len(asked) == MOST_WAITING
    assert refusals[-1] == (f"waits for memory, after {MOST_WAITING} others", True)


@pytest.mark.parametrize(("peaks", "largest"), [([], 0), ([7], 7), ([1, 7], 7), ([1, 2, 7], 2), ([3, 4, 7], 7)])
def test_one_accident_among_several_peaks_does_not_count(peaks: list[int], largest: int) -> None:
    assert usual(peaks) == largest


def test_what_was_lent_stands_in_the_spec_whatever_is_edited_since(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text('{"memory_need": 8000000000}')
    ledger = Ledger.in_memory()
    memory = queue_memory.Memory(Project.load(tmp_path), ledger)
    (held,) = memory.lending([(None, tmp_path)]).held  # type: ignore[list-item]
    assert (held.need, held.used()) == (8 * GB, 0)
    ledger.close()


def test_what_lacks_something_else_keeps_its_place_and_makes_nobody_wait() -> None:
    passed: dict[Key, int] = {wish("large").key: MOST_PASSED - 1, wish("a").key: 3}
    found = lending({"large": 12, "a": 1, "b": 1}, (Held(0, lambda: GB),), passed)
    assert found.lend(wish("large")) is not None
    assert found.lend(wish("a")) is None
    found.take_back(wish("a"))
    assert passed == {wish("large").key: MOST_PASSED - 1, wish("a").key: 3}
    assert found.lend(wish("b")) is None, "nobody has passed ten times"
    refusal = found.lend(wish("a"))
    assert refusal is not None
    assert "after large:v" in refusal.reason
