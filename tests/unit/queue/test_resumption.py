"""Two trainings compared: what counts as the same, and what is told of a difference."""

from __future__ import annotations

from typing import Any

import pytest

from mlpipeline.queue.resumption import CLOSE, Finding, Result, Training, compare, relative_difference

LOSSES = [0.5, 0.4, 0.3, 0.2]


def rows(losses: list[Any], first: int = 1) -> list[dict[str, Any]]:
    return [{"step": step, "values": {"loss": loss}} for step, loss in enumerate(losses, first)]


def training(losses: list[Any], first: int = 1, **changes: Any) -> Training:
    last = first + len(losses) - 1
    facts = {"rows": rows(losses, first), "evaluation": {"test": {"loss": 0.2}}, "steps": last, "taken": len(losses)}
    return Training(**{**facts, **changes})


def drilled(killed: list[Any], resumed: list[Any], **changes: Any) -> Finding:
    """Compares LOSSES with what was recorded until the kill, and from the checkpoint at step 2 on."""
    return compare(training(LOSSES), training(killed), training(resumed, 3, **changes), 2)


def test_the_same_values_are_exact_and_what_was_trained_after_the_checkpoint_and_lost_does_not_count() -> None:
    found = drilled([0.5, 0.4, 99.0], LOSSES[2:])
    assert (found.result, found.text, found.largest_difference) == (Result.EXACT, "exact", 0.0)


def test_what_is_close_says_by_how_much_it_is_off_at_most() -> None:
    found = drilled(LOSSES[:2], [0.3 * (1 + 1e-7), 0.2 * (1 - 1e-5)])
    assert (found.result, found.text) == (Result.CLOSE, "close (largest relative difference 1e-05)")
    assert found.largest_difference == pytest.approx(1e-5)


def test_the_limit_of_what_is_close_is_a_thousandth() -> None:
    assert CLOSE == 1e-3
    assert drilled(LOSSES[:2], [0.3 * (1 - 0.9e-3), 0.2]).result is Result.CLOSE
    assert drilled(LOSSES[:2], [0.3 * (1 - 1.1e-3), 0.2]).result is Result.BROKEN


def test_what_is_broken_names_the_first_difference_that_is_not_close() -> None:
    found = drilled(LOSSES[:2], [0.3 * (1 + 1e-9), 0.25])
    assert found.result is Result.BROKEN
    assert found.text == "broken (loss differs first at step 4: 0.25 instead of 0.2)"
    assert (found.metric, found.step, found.largest_difference) == ("loss", 4, pytest.approx(0.2))


def test_steps_are_ordered_as_numbers() -> None:
    straight = training([1.0] * 12)
    found = compare(straight, training([1.0] * 5), training([2.0] * 7, 6), 5)
    assert found.step == 6


def test_a_difference_before_the_kill_is_not_laid_to_the_resumption() -> None:
    found = drilled([0.5, 0.45], LOSSES[2:])
    assert found.result is Result.BROKEN
    assert "at step 2: 0.45 instead of 0.4; that is before the kill: the seed alone does not decide" in found.text
    assert "before the kill" not in drilled(LOSSES[:3], [9.0, 0.2]).text


def test_a_value_that_is_missing_or_recorded_twice_is_a_difference_without_a_size() -> None:
    missing = drilled(LOSSES[:2], [0.3], taken=2)
    assert missing.text == "broken (loss differs first at step 4: recorded 0 times instead of once)"
    assert missing.largest_difference is None
    twice = drilled(LOSSES[:2], [], rows=[*rows([0.3, 0.2], 3), *rows([0.2], 4)], taken=2)
    assert "at step 4: recorded 2 times instead of once" in twice.text
    one_more = drilled(LOSSES[:2], [0.3, 0.2, 0.1], taken=2)
    assert "at step 5: recorded once instead of 0 times" in one_more.text


def test_what_only_the_killed_training_recorded_after_the_checkpoint_is_missing() -> None:
    found = drilled(LOSSES[:3], [], rows=rows([0.2], 4), taken=2)
    assert found.text == "broken (loss differs first at step 3: recorded 0 times instead of once)"


def test_final_metrics_are_compared_after_all_steps() -> None:
    found = drilled(LOSSES[:2], LOSSES[2:], evaluation={"test": {"loss": 0.9}})
    assert found.text == "broken (test loss differs first in the evaluation: 0.9 instead of 0.2)"
    assert (found.metric, found.step) == ("test loss", None)


def test_nested_final_metrics_are_compared_and_what_train_model_returned_is_not() -> None:
    one = {"test": {"by digit": {"7": 0.5}}, "training": {"steps": 4.0}}
    other = {"test": {"by digit": {"7": 0.75}}, "training": {"steps": 2.0}}
    straight, killed = training(LOSSES, evaluation=one), training(LOSSES[:2])
    assert compare(straight, killed, training(LOSSES[2:], 3, evaluation=one), 2).result is Result.EXACT
    found = compare(straight, killed, training(LOSSES[2:], 3, evaluation=other), 2)
    assert found.metric == "test by digit 7"
    rest = one | {"training": {"steps": 2.0}}
    assert compare(straight, killed, training(LOSSES[2:], 3, evaluation=rest), 2).result is Result.EXACT


def test_infinities_stand_as_texts_and_equal_themselves_only() -> None:
    straight = training([0.5, "nan", "nan", "inf"])
    assert compare(straight, training([0.5, "nan"]), training(["nan", "inf"], 3), 2).result is Result.EXACT
    found = compare(straight, training([0.5, "nan"]), training(["nan", 1.0], 3), 2)
    assert (found.result, found.largest_difference) == (Result.BROKEN, None)


def test_rows_without_a_step_have_no_counterpart() -> None:
    outside = {"step": None, "values": {"parameters": 10.0}}
    found = drilled(LOSSES[:2], [], rows=[outside, *rows(LOSSES[2:], 3)], taken=2)
    assert found.result is Result.EXACT


def test_another_axis_than_steps_is_compared_by_what_was_recorded_last() -> None:
    def epochs(losses: list[float], first: int) -> list[dict[str, Any]]:
        return [{"step": epoch, "values": {"held out": loss}} for epoch, loss in enumerate(losses, first)]

    straight = training([], rows=epochs(LOSSES, 0), steps=40, taken=40)
    killed = training([], rows=epochs([0.5, 0.4], 0), steps=23)
    assert compare(straight, killed, training([], rows=epochs([0.4, 0.3, 0.2], 1), taken=20), 20).result is Result.EXACT
    found = compare(straight, killed, training([], rows=epochs([0.4, 0.6, 0.2], 1), taken=20), 20)
    assert (found.result, found.step) == (Result.BROKEN, 2)
    again = compare(straight, killed, training([], rows=epochs([0.9, 0.3, 0.2], 1), taken=20), 20)
    assert again.text == "broken (held out differs first at step 1: 0.9 instead of 0.4)"


def test_a_training_that_begins_anew_is_broken_though_its_values_are_the_same() -> None:
    found = compare(training(LOSSES), training(LOSSES[:3]), training(LOSSES), 2)
    assert found.result is Result.BROKEN
    assert "took 4 steps after the checkpoint at step 2, where 2 were left" in found.text


def test_a_checkpoint_that_counts_something_else_than_steps_is_told() -> None:
    found = compare(training(LOSSES), training(LOSSES[:3]), training([], taken=0), 64)
    assert found.result is Result.BROKEN
    assert "the checkpoint made by step 3 says step 64" in found.text


def test_without_anything_to_compare_nothing_is_proved() -> None:
    silent = {"rows": [], "evaluation": {}}
    found = compare(training(LOSSES, **silent), training(LOSSES[:3], **silent), training(LOSSES[2:], 3, **silent), 2)
    assert found.result is Result.NO_METRICS
    assert "run.record" in found.text


def test_a_resumed_training_that_records_nothing_any_more_is_broken() -> None:
    rows_only = training(LOSSES, evaluation={})
    found = compare(rows_only, training(LOSSES[:3]), training([], rows=[], evaluation={}, taken=2), 2)
    assert found.text == "broken (loss differs first at step 3: recorded 0 times instead of once)"


@pytest.mark.parametrize(
    ("one", "other", "size"),
    [(0.0, 0.0, 0.0), (0.0, 1e-9, 1.0), (2.0, 1.0, 0.5), (-1.0, 1.0, 2.0), ("nan", "nan", 0.0), ("nan", 1.0, None)],
)
def test_differences_are_relative_to_the_larger_value(one: Any, other: Any, size: float | None) -> None:
    expected = float("inf") if size is None else size
    assert relative_difference(one, other) == relative_difference(other, one) == expected
